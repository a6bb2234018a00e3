/** More than anybody needs to say in a line. */
const LONGEST = 200;

/** What somebody wrote as a part of one line, which it can neither end nor colour. */
export function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = [...line];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST).join('')}…` : line;
}
