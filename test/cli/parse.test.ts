import { describe, expect, test } from 'vitest';
import { parse } from '../../src/cli/parse.ts';

/** The flags of a command line as a plain object, with its operands. */
function read(...argv: string[]) {
  const parsed = parse(argv);
  if (parsed.kind !== 'parsed') throw new Error(JSON.stringify(parsed));
  const flags = Object.fromEntries([...parsed.flags].map(([key, { value }]) => [key, value]));
  return { flags, entry: parsed.entry, rest: parsed.rest };
}

function complaint(...argv: string[]): string {
  const parsed = parse(argv);
  if (parsed.kind !== 'usage') throw new Error(JSON.stringify(parsed));
  return parsed.message;
}

describe('operands', () => {
  test('what follows the first -- is left untouched', () => {
    const rest = ['node', 'x.js', '--watch', '-q', '--', '--help', '', 'a b'];
    expect(read('-v', '--', ...rest)).toEqual({ flags: { verbose: true }, entry: undefined, rest });
  });

  test('an entry takes options before and after it, and its arguments after --', () => {
    expect(read('-w', 'src', 'server.ts', '--hold', '5', '--', '--port', '3')).toEqual({
      flags: { watch: ['src'], hold: 5 },
      entry: 'server.ts',
      rest: ['--port', '3'],
    });
  });

  test.each(['a.ts', 'a.mts', 'a.cts', 'a.tsx', 'a.js', 'a.mjs', 'a.cjs', 'a.py', 'A.PY'])(
    '%s is an entry',
    (file) => {
      expect(read(file).entry).toBe(file);
    },
  );

  test('commands for running processes take words, and no more than they need', () => {
    expect(parse(['logs', '-fn', '3', 'shop', '--source', 'build'])).toMatchObject({
      command: 'logs',
      words: ['shop'],
    });
    expect(complaint('stop', 'one', 'two')).toBe(
      'unexpected "two": mcp-dev stop is used as: mcp-dev stop [name]',
    );
    expect(complaint('call', '--', 'echo')).toMatch(/^unexpected "--": mcp-dev call is used as/);
    expect(complaint('logs', '-n', 'many')).toBe('--lines must be a whole number (got "many")');
    expect(complaint('logs', '--source', 'x')).toMatch(/^--source must be "server" or "build"/);
  });

  test('a command is recognised as the first word only', () => {
    expect(parse(['demo'])).toMatchObject({ kind: 'parsed', command: 'demo' });
    expect(parse(['--', 'demo'])).toMatchObject({ kind: 'parsed', command: 'run', rest: ['demo'] });
    expect(complaint('-v', 'demo')).toBe('put "--" before the command: mcp-dev -v -- demo');
  });
});

describe('values', () => {
  test.each([
    [['--hold', '5'], { hold: 5 }],
    [['--hold=5'], { hold: 5 }],
    [['-d5'], { debounce: 5 }],
    [['-d', '0'], { debounce: 0 }],
    [['--hold', '5', '--hold', '6'], { hold: 6 }],
    [['-w', 'a', '--watch=b=c', '-wd'], { watch: ['a', 'b=c', 'd'] }],
    [['-e', 'ts,.py sql', '-e', 'md'], { ext: ['ts', '.py', 'sql', 'md'] }],
    [['-vw', 'a'], { verbose: true, watch: ['a'] }],
    [['-vq'], { verbose: true, quiet: true }],
    [['--build', ''], { build: '' }],
    [['--build='], { build: '' }],
    [['--build', 'a --b'], { build: 'a --b' }],
    [['--no-clear'], { clear: [] }],
    [['--no-clear', '--clear', 'x'], { clear: ['x'] }],
    [['--no-color'], { color: false }],
    [['--signal', 'SIGINT'], { signal: 'SIGINT' }],
  ])('%j', (argv, flags) => {
    expect(read(...argv)).toEqual({ flags, entry: undefined, rest: undefined });
  });

  test.each([
    [['--exclusive'], { exclusive: 'on' }],
    [['--exclusive', 'off'], { exclusive: 'off' }],
    [['--exclusive=on'], { exclusive: 'on' }],
    [['--exclusive', '-v'], { exclusive: 'on', verbose: true }],
    [['--poll'], { poll: 500 }],
    [['--poll', '300'], { poll: 300 }],
    [['--poll', '-v'], { poll: 500, verbose: true }],
  ])('optional: %j', (argv, flags) => {
    expect(read(...argv, 'server.ts')).toEqual({ flags, entry: 'server.ts', rest: undefined });
    expect(read(...argv, '--', 'node')).toEqual({ flags, entry: undefined, rest: ['node'] });
  });

  test('an entry that starts with a digit is no interval', () => {
    expect(read('--poll', '2fa.ts')).toEqual({ flags: { poll: 500 }, entry: '2fa.ts', rest: undefined });
  });
});

describe('wrong words', () => {
  test.each<[string[], string]>([
    [['--wach', 'src'], 'unknown option --wach, did you mean --watch?'],
    [['--no-colour', 'a.js'], 'unknown option --no-colour, did you mean --no-color?'],
    [['-watch', 'src'], 'unknown option -watch, did you mean --watch?'],
    [['-x'], 'unknown option -x; mcp-dev --help lists all, and the server\'s own go after "--"'],
    [['--color'], 'unknown option --color, did you mean --no-color?'],
    [['--no-watch'], 'unknown option --no-watch, did you mean --watch?'],
    [
      ['-w', 'src', 'server.ts', '--port', '3'],
      'unknown option --port (the server\'s arguments go after "--": mcp-dev -w src server.ts -- --port 3)',
    ],
    [
      ['server.ts', 'a b', '--', 'c'],
      'unexpected "a b" after server.ts; the server\'s arguments go after "--": mcp-dev server.ts -- \'a b\' c',
    ],
    [
      ['-w', 'src', 'node', 'dist/server.js', '--inspect'],
      'put "--" before the command: mcp-dev -w src -- node dist/server.js --inspect',
    ],
    [['python3.11', 'server.py'], 'put "--" before the command: mcp-dev -- python3.11 server.py'],
    [['./bin/server'], 'put "--" before the command: mcp-dev -- ./bin/server'],
    [['foo', '--', 'node', 'x.js'], 'unexpected "foo" before "--"; the command goes after it'],
    [
      ['server.rb'],
      'server.rb is no file that mcp-dev can start by itself (.ts .mts .cts .tsx .js .mjs .cjs .py); ' +
        'name its command: mcp-dev -- <command> server.rb',
    ],
    [['--debounce'], '--debounce needs a value: --debounce <ms>'],
    [['--debounce', '--', 'node'], '--debounce needs a value: --debounce <ms>'],
    [['--build', '--watch', 'src'], '--build needs a value: --build <command>'],
    [['--debounce', 'fast'], '--debounce must be a number of milliseconds (got "fast")'],
    [['--poll', '300ms'], '--poll must be a number of milliseconds (got "300ms")'],
    [['--hold', '-5'], '--hold must be a whole number of milliseconds from 0 to 2147483647 (got "-5")'],
    [['--hold', '1.5'], '--hold must be a whole number of milliseconds from 0 to 2147483647 (got "1.5")'],
    [
      ['--hold=2147483648'],
      '--hold must be a whole number of milliseconds from 0 to 2147483647 (got "2147483648")',
    ],
    [['--exclusive=maybe'], '--exclusive must be "auto" or "on" or "off" (got "maybe")'],
    [['--signal', 'SIGFOO'], '--signal must be the name of a signal such as "SIGTERM" (got "SIGFOO")'],
    [['--name', ''], '--name must be a string that is not empty (got "")'],
    [['--verbose=1'], '--verbose must be given without a value (got "1")'],
    [['demo', 'x'], 'unexpected "x": mcp-dev demo takes options only'],
    [['demo', '--', 'x'], 'unexpected "--": mcp-dev demo takes options only'],
    [['demo', '--bogus'], 'unknown option --bogus; mcp-dev demo --help lists all'],
  ])('%j', (argv, message) => {
    expect(complaint(...argv)).toBe(message);
  });

  test('the first of help, version and a mistake counts', () => {
    expect(parse(['-h', '--bogus'])).toEqual({ kind: 'help', command: 'run' });
    expect(parse(['server.ts', '-V', '--bogus'])).toEqual({ kind: 'version' });
    expect(complaint('--bogus', '-h')).toContain('--bogus');
    expect(parse(['demo', '--help'])).toEqual({ kind: 'help', command: 'demo' });
  });
});
