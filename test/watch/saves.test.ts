import { appendFileSync, renameSync, utimesSync } from 'node:fs';
import { chmod, copyFile, open, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Observed, oldProject, watchProject, watchSettled } from './observed.ts';

// Asynchronous steps, so that the watcher can see the states in between.
async function inPieces(file: string, text: string, pause: number): Promise<void> {
  const handle = await open(file, 'w');
  for (const letter of text) {
    if (pause > 0) await setTimeout(pause);
    await handle.write(letter);
  }
  await handle.close();
}

it('a save is one change, four times of four, whatever the editor', async () => {
  const styles: Record<string, (file: string, text: string) => Promise<void>> = {
    'in place': (file, text) => writeFile(file, text),
    'written beside and renamed over it': async (file, text) => {
      await writeFile(`${file}.tmp.17.4`, text);
      await rename(`${file}.tmp.17.4`, file);
    },
    'vim, backup by renaming': async (file, text) => {
      await writeFile(`${file}.swp`, 'vim');
      await rename(file, `${file}~`);
      await writeFile(file, text);
      await rm(`${file}~`);
      await rm(`${file}.swp`);
    },
    'vim, backup by copying': async (file, text) => {
      await copyFile(file, `${file}~`);
      await writeFile(file, text);
      await rm(`${file}~`);
    },
    'removed and made again': async (file, text) => {
      await rm(file);
      await writeFile(file, text);
    },
    'truncated, then written in pieces': (file, text) => inPieces(file, text, 0),
    'JetBrains, safe write': async (file, text) => {
      await writeFile(`${file}___jb_tmp___`, text);
      await rename(file, `${file}___jb_old___`);
      await rename(`${file}___jb_tmp___`, file);
      await rm(`${file}___jb_old___`);
    },
  };
  const names = Object.keys(styles).map((style) => `${style}/a.ts`);
  const project = oldProject(
    Object.fromEntries(names.map((name) => [name, 'a rather long text to begin with'])),
  );
  const observed = await watchSettled(project, { debounce: 150 });
  for (const [style, save] of Object.entries(styles)) {
    for (const text of ['one', 'two, a bit longer', 'three', 'four']) {
      await save(project.path(`${style}/a.ts`), text);
      expect(await observed.batch()).toEqual([`changed ${style}/a.ts`]);
    }
  }
});

describe('no change is', () => {
  const nothings: Record<string, (file: string) => Promise<void>> = {
    touch: (file) => utimes(file, new Date(), new Date()),
    chmod: (file) => chmod(file, 0o755),
    'the same content written in place': (file) => writeFile(file, 'same'),
    'the same content written in pieces': (file) => inPieces(file, 'same', 0),
    'the same content renamed over it': async (file) => {
      await writeFile(`${file}.tmp`, 'same');
      await rename(`${file}.tmp`, file);
    },
    'the same content after a removal': async (file) => {
      await rm(file);
      await setTimeout(20);
      await writeFile(file, 'same');
    },
    'the same content, truncated a while before it is written': async (file) => {
      const handle = await open(file, 'w');
      await setTimeout(30);
      await handle.write('same');
      await handle.close();
    },
  };
  for (const [name, act] of Object.entries(nothings)) {
    it(name, async () => {
      const project = oldProject({ 'a.ts': 'first', 'marker.ts': '' });
      const observed = await watchProject(project);
      project.write('a.ts', 'same');
      expect(await observed.batch()).toEqual(['changed a.ts']);
      await act(project.path('a.ts'));
      project.write('marker.ts', 'seen');
      expect(await observed.batch()).toEqual(['changed marker.ts']);
      // What was written is still noted as it is.
      project.write('a.ts', 'other');
      expect(await observed.batch()).toEqual(['changed a.ts']);
      expect(observed.changes.all).toEqual(['changed a.ts', 'changed marker.ts', 'changed a.ts']);
    });
  }

  it("an editor's temporary file, even where all types count", async () => {
    const project = oldProject({ 'a.ts': '' });
    const observed = await watchProject(project, { extensions: 'all' });
    const names = [
      '4913',
      'a.ts.swp',
      '.a.ts.swx',
      'a.ts~',
      '.#a.ts',
      '#a.ts#',
      'a.ts.tmp.12.34',
      '.DS_Store',
    ];
    for (const name of [...names, '.goutputstream-X1', 'vite.config.ts.timestamp-17-a0b1.mjs']) {
      project.write(name, 'x');
    }
    project.write('a.ts', 'seen');
    expect(await observed.batch()).toEqual(['changed a.ts']);
  });
});

it('tells files that are added, removed and renamed', async () => {
  const project = oldProject({ 'a.ts': 'a', 'b.ts': 'b' });
  const observed = await watchProject(project);
  project.write('c.ts', 'c');
  expect(await observed.batch()).toEqual(['added c.ts']);
  project.remove('a.ts');
  expect(await observed.batch()).toEqual(['removed a.ts']);
  renameSync(project.path('b.ts'), project.path('d.ts'));
  expect(await observed.batch()).toEqual(['removed b.ts', 'added d.ts']);
});

it('tells a file that was moved here with an old date', async () => {
  const project = oldProject({ 'ignored.txt': 'old', 'a.ts': 'new' });
  const observed = await watchProject(project);
  const before = Date.now() - 10; // the clock of file times may lag by a tick
  renameSync(project.path('ignored.txt'), project.path('a.ts'));
  expect(await observed.batch()).toEqual(['changed a.ts']);
  expect(observed.raw[0]?.at).toBeGreaterThan(before);
  expect(observed.raw[0]?.at).toBeLessThanOrEqual(Date.now());
});

it('tells every one of two writes that follow each other closely', async () => {
  const project = oldProject({ 'a.ts': '' });
  const observed = await watchSettled(project);
  for (let round = 0; round < 10; round++) {
    project.write('a.ts', `first ${round}`);
    await observed.changes.find((change) => change === 'changed a.ts', 'the first write', round * 2);
    appendFileSync(project.path('a.ts'), 'second');
    await observed.changes.find((change) => change === 'changed a.ts', 'the second write', round * 2 + 1);
  }
});

it('announces each change at once, and in a batch after that', async () => {
  const project = oldProject({ 'a.ts': '', 'b.ts': '' });
  const observed = await watchProject(project, { debounce: 300 });
  project.write('a.ts', '1');
  project.write('b.ts', '1');
  await observed.changes.find((change) => change === 'changed b.ts', 'the second change');
  expect(observed.batches.all).toEqual([]);
  expect(await observed.batch()).toEqual(['changed a.ts', 'changed b.ts']);
});

describe('before everything is watched', () => {
  it('what is newer than the start is a change, what is older is none', async () => {
    const project = oldProject({ 'a.ts': '', 'b/c/d.ts': '' });
    const observed = new Observed(project.folder, {});
    project.write('b/c/d.ts', 'changed between start and ready');
    project.write('b/e/f.ts', 'made between start and ready');
    const seen = (await observed.batchesWith(2)).flat().map((change) => change.split(' ')[1]);
    expect(new Set(seen)).toEqual(new Set(['b/c/d.ts', 'b/e/f.ts']));
    await observed.watch.ready;
    project.write('a.ts', 'seen');
    expect(await observed.batch()).toEqual(['changed a.ts']);
  });

  it('a file that was not noted yet has changed if it is newer than the baseline', async () => {
    const project = oldProject({ 'a.ts': '', 'b.ts': '', 'c.ts': '' });
    const now = Date.now() / 1000;
    utimesSync(project.path('a.ts'), now - 100, now - 100);
    utimesSync(project.path('b.ts'), now - 300, now - 300);
    const observed = new Observed(project.folder, {});
    observed.watch.setBaseline(Date.now() - 200_000);
    expect(await observed.batch()).toEqual(['changed a.ts']);
    await observed.watch.ready;
    project.write('c.ts', 'seen');
    expect(await observed.batch()).toEqual(['changed c.ts']);
  });
});
