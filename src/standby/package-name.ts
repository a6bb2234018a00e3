/** The name of the package that a file in a node_modules folder belongs to. */
export function packageName(path: string): string {
  const [first = '', second = ''] = path
    .split(/[\\/]node_modules[\\/]/)
    .at(-1)!
    .split(/[\\/]/);
  return first.startsWith('@') ? `${first}/${second}` : first;
}
