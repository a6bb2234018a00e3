/** Another way to start the same server; what is absent is as configured. */
export interface Variant {
  readonly command?: string;
  /** All that comes after the command. */
  readonly args?: readonly string[];
  /** Added to the variables of the server. */
  readonly env?: Readonly<Record<string, string>>;
}

/** By name. */
export type Variants = Readonly<Record<string, Variant>>;

/** The name under which the server as configured can be chosen; no variant may have it. */
export const DEFAULT_VARIANT = 'default';
