import { symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../../src/config/environment.ts';
import { programOf, projectName, projectRoot } from '../../src/config/project.ts';
import { tempProject } from '../kit/temp-project.ts';
import { complaintOf, hostOf, runOf } from './kit.ts';

describe('the project root', () => {
  test.each(['package.json', 'pyproject.toml', '.git'])('is marked by %s', (marker) => {
    const project = tempProject({
      'outer/package.json': '',
      [`outer/inner/${marker}`]: '',
      'outer/inner/a/b/x.js': '',
    });
    expect(projectRoot(project.path('outer/inner/a/b'), '/home/none')).toEqual({
      folder: project.path('outer/inner'),
    });
  });

  test('is never the home folder or what lies above it', () => {
    const project = tempProject({
      'package.json': '',
      'home/.git/HEAD': '',
      'home/a/x.js': '',
      'other/x.js': '',
    });
    symlinkSync(project.path('home'), project.path('link'));
    const home = project.path('home');
    expect(projectRoot(project.path('home/a'), home)).toBe('too-much');
    expect(projectRoot(home, home)).toBe('too-much');
    expect(projectRoot(project.path('link/a'), home)).toBe('too-much');
    expect(projectRoot(project.path('home/a'), project.path('link'))).toBe('too-much');
    expect(projectRoot(project.path('other'), home)).toEqual({ folder: project.folder });
  });

  test('without one, a program has its own folder, and anything else is asked for --watch', async () => {
    const project = tempProject({ 'x.js': '', 'src/a.js': '' });
    expect(await runOf(['x.js'], hostOf(project))).toMatchObject({ root: project.folder });
    const sentence =
      `there is no package.json, pyproject.toml or .git at or above ${project.folder} (the home folder and / are ` +
      'never taken as the project); say what to watch with --watch';
    expect(await complaintOf(['--', 'npx', 'some-server'], hostOf(project))).toBe(sentence);
    expect(await complaintOf(['x.js'], { ...hostOf(project), home: project.folder })).toBe(sentence);
    expect(await runOf(['-w', 'src', '--', 'npx', 'x'], hostOf(project))).toMatchObject({
      root: project.folder,
    });
  });

  test('is that of the program, wherever mcp-dev was started', async () => {
    const project = tempProject({
      'p/package.json': '{}',
      'p/dist/x.js': '',
      'elsewhere/package.json': '{}',
    });
    const host = { ...hostOf(project), cwd: project.path('elsewhere') };
    const config = await runOf(['--', 'node', project.path('p/dist/x.js')], host);
    expect(config).toMatchObject({ root: project.path('p'), cwd: project.path('elsewhere') });
  });
});

describe('the folder of the build', () => {
  test.each<{ name: string; args?: string[]; cwd: string; folder: string }>([
    { name: 'the project, for a client in another one', cwd: 'other', folder: 'top/p' },
    { name: 'the project, for a client in no project', cwd: 'home/x', folder: 'top/p' },
    { name: 'the project, for a client at the top', cwd: '.', folder: 'top/p' },
    { name: 'where we are, within the project', cwd: 'top/p/dist', folder: 'top/p/dist' },
    { name: 'where we are, at the top of a workspace', cwd: 'top', folder: 'top' },
    { name: 'what --cwd says', args: ['--cwd', '../../other'], cwd: 'top/p', folder: 'other' },
  ])('is $name', async ({ args = [], cwd, folder }) => {
    const files = [
      'top/package.json',
      'top/p/package.json',
      'top/p/dist/x.js',
      'other/.git/HEAD',
      'home/x/y',
    ];
    const project = tempProject(Object.fromEntries(files.map((file) => [file, ''])));
    const host = { ...hostOf(project), cwd: project.path(cwd), home: project.folder };
    const config = await runOf([...args, '--', 'node', project.path('top/p/dist/x.js')], host);
    expect(config).toMatchObject({ root: project.path('top/p'), buildCwd: project.path(folder) });
  });
});

describe('the program of a command', () => {
  const files = {
    'package.json': '',
    'dist/server.js': '',
    'bin/server': '',
    'target/debug/server': '',
    'settings.json': '{}',
    '.env': '',
    '.venv/bin/python3.12': '',
    'node_modules/.bin/tool': '',
  };
  test.each<[string[], string | undefined]>([
    [['node', 'dist/server.js'], 'dist/server.js'],
    [['node', '--inspect', 'dist/server.js', 'bin/server'], 'dist/server.js'],
    [['npx', '-y', 'tsx', 'dist/server.js'], 'dist/server.js'],
    [['node', '--env-file', '.env', 'bin/server'], 'bin/server'],
    [['./target/debug/server', '--config', 'settings.json'], 'target/debug/server'],
    [['.venv/bin/python3.12', '-m', 'weather'], undefined],
    [['./node_modules/.bin/tool'], undefined],
    [['npm', 'run', 'start'], undefined],
    [['node', 'build/later.js', 'start'], 'build/later.js'],
    [['node', 'later'], undefined],
    [['node', 'dist'], undefined],
  ])('%j', ([command, ...args], program) => {
    const project = tempProject(files);
    const expected = program && project.path(program);
    expect(programOf(command!, args, project.folder, dirname(project.folder))).toBe(expected);
  });
});

describe('the name', () => {
  test.each<[Record<string, string>, string, string]>([
    [
      { 'package.json': '{"name":"@a/weather"}', 'pyproject.toml': '[project]\nname = "p"' },
      '@a/weather',
      'package.json',
    ],
    [{ 'package.json': '{}', 'pyproject.toml': '[project]\nname = "p"' }, 'p', 'pyproject.toml'],
    [
      {
        'pyproject.toml':
          '[tool.x]\nname = "no"\n[project] # c\nversion = "1"\nname = \'p\'\n[a]\nname = "no"',
      },
      'p',
      'pyproject.toml',
    ],
  ])('%j', (files, value, place) => {
    expect(projectName(tempProject(files).folder)).toEqual({ value, origin: { kind: 'other', place } });
  });

  test.each<Record<string, string>>([
    { 'package.json': '{"name":3}' },
    { 'package.json': '{"na' },
    { 'package.json': 'null' },
    { 'pyproject.toml': '[tool.x]\nname = "no"' },
  ])('otherwise it is that of the folder: %j', (files) => {
    const project = tempProject(
      Object.fromEntries(Object.entries(files).map(([name, text]) => [`w/${name}`, text])),
    );
    expect(projectName(project.path('w'))).toEqual({ value: 'w', origin: { kind: 'default' } });
  });
});

describe('the environment', () => {
  test('a later file wins over an earlier one, and the client over both', () => {
    const project = tempProject({ a: 'A=a\nB=a\nC=a', b: '# c\nexport B="b b"\nC=b' });
    const read = readEnvironment([project.path('a'), project.path('b')], { C: '', D: 'd' });
    expect(read).toEqual({ kind: 'environment', env: { A: 'a', B: 'b b', C: '', D: 'd' } });
  });

  test('reading again gives what the files say now', () => {
    const project = tempProject({ a: 'A=1' });
    readEnvironment([project.path('a')], {});
    project.atomicWrite('a', 'A=2');
    expect(readEnvironment([project.path('a')], {})).toEqual({ kind: 'environment', env: { A: '2' } });
    project.remove('a');
    expect(readEnvironment([project.path('a')], {})).toEqual({
      kind: 'usage',
      message: `cannot read the env file ${project.path('a')} (ENOENT)`,
    });
  });
});
