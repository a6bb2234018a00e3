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
