import type { ShownChoice } from '../reload/choice.ts';
import type { StandbyStatus } from '../standby/keeper.ts';

/** What runs instead of the server as configured. */
export function wordChoice({ variant, command, args, variables }: ShownChoice): string {
  const parts = [
    variant === undefined ? undefined : `variant "${variant}"`,
    command === undefined ? undefined : `command ${command}`,
    args === undefined ? undefined : `arguments ${JSON.stringify(args)}`,
    variables === undefined ? undefined : `variables ${variables.join(', ')}`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

/** The process that waits to be the next generation, or why there is none. */
export function wordStandby(standby: StandbyStatus): string {
  switch (standby.kind) {
    case 'waiting': {
      const { pid, residentBytes } = standby;
      const size = residentBytes === undefined ? '' : `, ${Math.round(residentBytes / 1e6)} MB`;
      return `standby: process ${pid} waits${size}`;
    }
    case 'loading':
      return 'standby: loading';
    case 'none':
      return `no standby: ${standby.reason}`;
  }
}
