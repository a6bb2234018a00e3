import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configFiles } from './entry-inputs.ts';

/** What an import by a name, not by a relative path, leads to. */
export type Lead =
  | { readonly kind: 'source' }
  /** Outside of the output, which imports it as `path`. */
  | { readonly kind: 'package'; readonly path: string }
  | { readonly kind: 'nothing' };

/**
 * Remembers from build to build where names lead, for looking that up takes longer than all the rest of
 * a small build. It depends on what is installed and on the configuration: all is forgotten when one of
 * the folders and files that were asked has changed.
 */
export class NamedImports {
  readonly #leads = new Map<string, Promise<Lead>>();
  readonly #looked = new Set<string>();
  /** What was asked, and when it had changed last; undefined for what was not there. */
  readonly #grounds = new Map<string, number | undefined>();

  /** To be called before each build. */
  forgetIfChanged(): void {
    if ([...this.#grounds].every(([path, changed]) => changedAt(path) === changed)) return;
    for (const memory of [this.#leads, this.#looked, this.#grounds]) memory.clear();
  }

  /** Where `name` leads, imported in that way from that folder; asks `look` what it does not remember. */
  lead(name: string, way: string, folder: string, look: () => Promise<Lead>): Promise<Lead> {
    const key = `${way}\n${folder}\n${name}`;
    const known = this.#leads.get(key);
    if (known) return known;
    const lead = this.#noteGrounds(name, folder)
      .then(look)
      .then((found) => {
        // What is not there may come to be at any place: it is looked for again by each build.
        if (found.kind === 'nothing') this.#leads.delete(key);
        return found;
      });
    this.#leads.set(key, lead);
    return lead;
  }

  /** Before looking, so that what changes meanwhile is seen the next time. */
  async #noteGrounds(name: string, folder: string): Promise<void> {
    const scope = /^@[^/]+/.exec(name)?.[0] ?? '';
    for (let above = folder; ; above = dirname(above)) {
      const names = [join('node_modules', scope), 'package.json', 'tsconfig.json'];
      for (const path of names.map((each) => join(above, each))) this.#note(path);
      if (above === dirname(above)) break;
    }
    if (this.#looked.has(folder)) return;
    this.#looked.add(folder);
    for (const path of await configFiles([join(folder, name)])) this.#note(path);
  }

  #note(path: string): void {
    if (!this.#grounds.has(path)) this.#grounds.set(path, changedAt(path));
  }
}

function changedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
