import { statSync, utimesSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Ledger } from '../../src/watch/ledger.ts';
import { NoteTaker } from '../../src/watch/note-taker.ts';
import { until } from '../kit/wait.ts';
import { age, oldProject } from './observed.ts';

const names = Array.from({ length: 60 }, (_, n) => `f${n}.ts`);

function entered() {
  const project = oldProject(Object.fromEntries(names.map((name) => [name, name])));
  const ledger = new Ledger(Date.now());
  for (const name of names)
    expect(ledger.enter(project.path(name), statSync(project.path(name)))).toBe(false);
  ledger.markListed(project.folder);
  return { project, ledger };
}

const touch = (file: string) => utimesSync(file, new Date(), new Date());

it('notes contents in the background, so that a touch is no change any more', async () => {
  const { project, ledger } = entered();
  const file = project.path('f59.ts');
  new NoteTaker(ledger, () => {}).wake();
  await until(() => [...ledger.unread()].length === 0, 'all contents noted');
  touch(file);
  expect(await ledger.look(file, 'settle')).toEqual({ kind: 'same' });
  project.write('f59.ts', 'f58.ts');
  expect(await ledger.look(file, 'settle')).toMatchObject({ kind: 'change', change: { kind: 'changed' } });
});

it('a file not noted yet has changed if it is newer', async () => {
  const { project, ledger } = entered();
  expect(await ledger.look(project.path('f0.ts'), 'settle')).toEqual({ kind: 'same' });
  project.write('f1.ts', 'f1.ts');
  expect(await ledger.look(project.path('f1.ts'), 'settle')).toMatchObject({ kind: 'change' });
});

it('does not note as always so what was written while it waited to be read', async () => {
  const { project, ledger } = entered();
  project.write('f40.ts', 'new');
  const hinted: string[] = [];
  new NoteTaker(ledger, (path) => hinted.push(path)).wake();
  await until(() => [...ledger.unread()].length === 0, 'all contents noted');
  expect(hinted).toEqual([project.path('f40.ts')]);
  expect(await ledger.look(project.path('f40.ts'), 'accept')).toMatchObject({ kind: 'change' });
});

it('does not note as always so what was newer when it was entered, before it was looked at', async () => {
  const { project, ledger } = entered();
  const file = project.write('newer.ts', 'new');
  expect(ledger.enter(file, statSync(file))).toBe(true);
  new NoteTaker(ledger, () => {}).wake();
  await until(() => [...ledger.unread()].length === 0, 'all contents noted');
  expect(await ledger.look(file, 'settle')).toMatchObject({ kind: 'change' });
});

it('takes files that are too large to be read for changed when they were modified', async () => {
  const project = oldProject({ 'large.json': 'x'.repeat(9 * 1024 * 1024) });
  const ledger = new Ledger(Date.now());
  const file = project.path('large.json');
  expect(await ledger.look(file, 'settle')).toEqual({ kind: 'same' });
  expect(await ledger.look(file, 'settle')).toEqual({ kind: 'same' });
  utimesSync(file, 1, 1);
  expect(await ledger.look(file, 'settle')).toMatchObject({ kind: 'change' });
  age(file);
});
