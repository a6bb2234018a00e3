/**
 * 16 hexadecimal digits that stand for a text where it cannot stand itself, as in the name of a file. Texts can
 * be found that share them, so that whoever must not mix texts up keeps the text too.
 *
 * FNV-1a, twice 32 bits: node:crypto would cost each start 3 ms.
 */
export function shortHash(text: string): string {
  let first = 0x811c9dc5;
  let second = 0x01000193;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul(second ^ code, 0x85ebca6b);
  }
  return [first, second].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
