import { type Given, type Layer, subject, type Usage, usage } from './layers.ts';
import type { OptionTable } from './option.ts';
import { placePath } from './paths.ts';

/** Makes the paths of a layer absolute; `base` is where relative ones start. The first that can't be used is named. */
export async function placePaths(table: OptionTable, layer: Layer, base: string): Promise<Layer | Usage> {
  const placed = new Map<string, Given>();
  for (const [key, given] of layer) {
    const option = table[key];
    const role = option !== undefined && 'path' in option ? option.path : undefined;
    if (role === undefined) {
      placed.set(key, given);
      continue;
    }
    const paths: string[] = [];
    const all = typeof given.value === 'string' ? [given.value] : (given.value as readonly string[]);
    for (const written of all) {
      const place = await placePath(base, written, role);
      if (place.problem !== undefined) {
        return usage(`${await subject(key, given.origin)} names ${place.path}, ${place.problem}`);
      }
      paths.push(place.path);
    }
    placed.set(key, { value: option?.kind === 'list' ? paths : paths[0], origin: given.origin });
  }
  return placed;
}
