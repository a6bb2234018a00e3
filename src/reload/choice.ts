import type { Launch } from '../config/launch.ts';
import type { Variant } from '../config/variants.ts';

/** What is started instead of the server as configured, until something else is chosen. */
export interface LaunchChoice {
  /** A name of the configuration. */
  readonly variant?: string;
  /** What differs from the server as configured, that of the variant included. */
  readonly override: Variant;
}

/** What is launched when this was chosen. Arguments that are not given stay as configured. */
export function chosenLaunch(launch: Launch, choice: LaunchChoice | undefined): Launch {
  const { command, args = launch.args } = choice?.override ?? {};
  return command === undefined ? { ...launch, args } : { kind: 'command', command, args };
}

/** A choice as it may be shown to whoever asks: of variables only the names, as their values may be secret. */
export interface ShownChoice {
  readonly variant?: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly variables?: readonly string[];
}

export function shownChoice({ variant, override: { command, args, env } }: LaunchChoice): ShownChoice {
  return {
    ...(variant === undefined ? {} : { variant }),
    ...(command === undefined ? {} : { command }),
    ...(args === undefined ? {} : { args }),
    ...(env === undefined ? {} : { variables: Object.keys(env) }),
  };
}
