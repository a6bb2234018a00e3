import { expect, test } from 'vitest';
import { redactor, redactWords } from '../../src/recording/redact.ts';

const redact = redactor(['token', 'apiKey']);

test.each([
  ['{"a":1,"token":"x"}', '{"a":1,"token":"[redacted]"}'],
  ['{"TOKEN": {"deep": [1, "}"]}, "b":2}', '{"TOKEN": "[redacted]", "b":2}'],
  ['[{"x":[{"apikey":12.50}]},1e3]', '[{"x":[{"apikey":"[redacted]"}]},1e3]'],
  // The same key as a value, or a part of another key, is nothing to hide.
  ['{"name":"token","tokens":[1]}', '{"name":"token","tokens":[1]}'],
  ['{"to\\u006ben":null}', '{"to\\u006ben":"[redacted]"}'],
  // JSON in a string, and once more in a string of that.
  [
    JSON.stringify({ text: JSON.stringify({ token: 'x', b: 1 }) }),
    JSON.stringify({ text: '{"token":"[redacted]","b":1}' }),
  ],
  [
    JSON.stringify({ text: JSON.stringify({ text: JSON.stringify({ token: 'x' }) }) }),
    JSON.stringify({ text: JSON.stringify({ text: '{"token":"[redacted]"}' }) }),
  ],
  // Text around JSON, and JSON that was cut off.
  ['it\'s 5" long: {"token":"x"} he said', 'it\'s 5" long: {"token":"[redacted]"} he said'],
  ['{"token":"secr', '{"token":"[redacted]"'],
  ['no JSON: "token"', 'no JSON: "token"'],
])('%s', (text, masked) => {
  expect(redact(Buffer.from(text)).toString()).toBe(masked);
});

test('what holds nothing to mask is not copied, and nothing is masked without keys', () => {
  const harmless = Buffer.from('{"id":9007199254740993,"text":"\\u00e9"}');
  expect(redact(harmless)).toBe(harmless);
  const secret = Buffer.from('{"token":"x"}');
  expect(redactor([])(secret)).toBe(secret);
});

test('flags of a command are masked', () => {
  const words = ['node', 'x.js', '--token', 'a', '--TOKEN=b', '--other', 'c', '-token=d=e', 'token'];
  expect(redactWords(words, ['token'])).toEqual([
    'node',
    'x.js',
    '--token',
    '[redacted]',
    '--TOKEN=[redacted]',
    '--other',
    'c',
    '-token=[redacted]',
    'token',
  ]);
});
