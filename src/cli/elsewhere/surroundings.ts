/** Where such a command runs, and what it can say. */
export interface Surroundings {
  /** The folder in which the processes of this user meet. */
  readonly folder: string;
  readonly cwd: string;
  readonly home: string;
  /** Whatever was asked for; a newline is added. */
  print(text: string): void;
  /** One sentence on stderr. */
  complain(text: string): void;
}

/** Of every such command; 2 is wrong usage. */
export const ExitCode = { done: 0, failed: 1, usage: 2 } as const;
