import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { helpText, readmeTable } from '../../src/cli/help.ts';
import { type Option, optionForms } from '../../src/config/option.ts';
import { runOptions } from '../../src/config/options.ts';
import { packageVersion } from '../../src/system/package.ts';

const rows = Object.entries<Option>(runOptions);
const lines = helpText().trimEnd().split('\n');

test('the help fits 100 columns and ends with the path of the documentation', () => {
  expect(lines.slice(0, -1).filter((line) => line.length > 100)).toEqual([]);
  expect(lines.at(-1)?.trim()).toBe(new URL('../../README.md', import.meta.url).pathname);
});

test('every option is in the help, with its text and default', () => {
  const text = helpText().replace(/\s+/g, ' ');
  for (const [key, option] of rows) {
    for (const form of optionForms(key, option)) expect(text).toContain(form);
    expect(text).toContain(option.doc.replaceAll('`', ''));
  }
  expect(text).toContain('requests wait for the reload [default: 20000]');
});

test('a command with many options of its own has a page of its own', () => {
  const page = helpText('replay');
  for (const form of [
    '--timeout <ms>',
    '--ignore-times',
    '--ignore <path>',
    '--cwd <dir>',
    '--env-file <path>',
  ]) {
    expect(page).toContain(form);
  }
  expect(page).not.toContain('--watch');
  expect(helpText('status')).toBe(helpText());
});

test('there are four examples', () => {
  const from = lines.indexOf('Examples:');
  const until = lines.indexOf('', from);
  expect(lines.slice(from, until).filter((line) => /^ {2}mcp-dev /.test(line))).toHaveLength(4);
});

test('no two options share a form', () => {
  const words = rows
    .flatMap(([key, option]) => optionForms(key, option))
    .flatMap((form) => form.match(/(?<!\S)--?[\w-]+/g)!);
  expect(words.filter((word, at) => words.indexOf(word) !== at)).toEqual([]);
});

test('the table of the README has one row of three cells for each option', () => {
  const [heading, rule, ...body] = readmeTable().trimEnd().split('\n');
  expect(heading).toBe('| option | default | meaning |');
  expect(rule).toBe('| --- | --- | --- |');
  expect(body).toHaveLength(rows.length);
  for (const row of body) expect(row.split(/(?<!\\)\|/)).toHaveLength(5);
  expect(body[0]).toMatch(/^\| `-w, --watch <path or glob>` \| project root \| what to watch/);
  expect(body).toContainEqual(
    expect.stringContaining('| `--clear <glob>` / `--no-clear` | `**/__pycache__` |'),
  );
  expect(body).toContainEqual(expect.stringContaining('| `--exclusive [auto\\|on\\|off]` | `auto` |'));
});

test('the version is that of package.json', () => {
  const file = new URL('../../package.json', import.meta.url);
  expect(packageVersion()).toBe((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version);
});
