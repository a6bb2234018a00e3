import type { Launch } from '../config/launch.ts';
import { type Given, place } from '../config/layers.ts';
import { runOptions } from '../config/options.ts';
import type { Variants } from '../config/variants.ts';

/** What `--dump` shows. */
export interface Dumped {
  /** One value for each row of the table. */
  readonly options: ReadonlyMap<string, Given>;
  readonly launch: Given<Launch>;
  readonly variants: Given<Variants>;
  readonly root: string;
  readonly configFile: string | undefined;
}

/**
 * One line for each key: the key as a configuration file has it, its value as JSON, and where that came from
 * (`default`, `flag`, `mcp-dev.config.json:3`). Ends with a newline.
 */
export async function dumpText({ options, launch, variants, root, configFile }: Dumped): Promise<string> {
  const byDefault = { kind: 'default' } as const;
  const keys = Object.keys(runOptions).filter(
    (key) => !('flagOnly' in runOptions[key as keyof typeof runOptions]),
  );
  const found = options.get('config')?.origin ?? byDefault;
  const rows: readonly (readonly [string, Given])[] = [
    ...launchRows(launch),
    ['variants', variants],
    ['root', { value: root, origin: byDefault }],
    ...keys.map((key) => [key, options.get(key)!] as const),
    ['config', { value: configFile, origin: found }],
  ];
  const cells = await Promise.all(
    rows.map(
      async ([key, { value, origin }]) => [key, JSON.stringify(value ?? null), await place(origin)] as const,
    ),
  );
  const keyWidth = Math.max(...cells.map(([key]) => key.length));
  // The long list of endings stands out alone instead of pushing every origin out of sight.
  const valueWidth = Math.max(...cells.map(([, value]) => (value.length > 60 ? 0 : value.length)));
  const lines = cells.map(
    ([key, value, origin]) => `${key.padEnd(keyWidth)}  ${value.padEnd(valueWidth)}  ${origin}\n`,
  );
  return lines.join('');
}

function launchRows({ value: launch, origin }: Given<Launch>): readonly (readonly [string, Given])[] {
  switch (launch.kind) {
    case 'command':
      return [['command', { value: [launch.command, ...launch.args], origin }]];
    case 'entry':
      return [
        ['entry', { value: launch.entry, origin }],
        ['args', { value: launch.args, origin }],
      ];
  }
}
