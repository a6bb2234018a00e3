/** Why a request was not answered by the server. The names are part of the public error shape. */
export type Reason =
  | 'server_restarted'
  | 'server_crashed'
  | 'server_down'
  | 'build_failed'
  | 'start_failed'
  | 'hold_timeout';

/** What went wrong, in a form that can be shown to a person, an agent and a script alike. */
export interface Failure {
  readonly reason: Reason;
  /** One sentence without a full stop, for example `the build failed with exit code 2`. */
  readonly summary: string;
  /** The compiler's or the server's own words; empty when there are none. */
  readonly text: string;
  /** The generation that failed, if there was one. */
  readonly generation: number | undefined;
}

/** How far a request got before it failed. */
export interface Fate {
  /** True when it was written to a process, which may have acted on it. */
  readonly mayHaveExecuted: boolean;
  /** True when sending the same request again can do no harm. */
  readonly retryable: boolean;
}
