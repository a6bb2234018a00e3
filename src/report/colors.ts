/** What paints text. */
export type Colors = Readonly<Record<'red' | 'yellow' | 'green' | 'dim', (text: string) => string>>;

/** Undefined where nothing is painted. kleur makes stdout when it is loaded, so that happens only then. */
export async function loadColors(color: boolean): Promise<Colors | undefined> {
  if (!color) return undefined;
  const { default: kleur } = await import('kleur');
  kleur.enabled = true;
  return kleur;
}
