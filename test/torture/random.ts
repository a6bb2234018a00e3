/** Numbers from 0 up to 1 that a seed decides. */
export type Random = () => number;

/** A small generator (mulberry32); equal seeds give equal numbers. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `low` up to and without `high`. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low));
}

/** One of the choices, each as often as its weight says. */
export function choose<T extends string>(random: Random, weights: Readonly<Record<T, number>>): T {
  const choices = Object.entries(weights) as [T, number][];
  let rest = random() * choices.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [choice, weight] of choices) {
    rest -= weight;
    if (rest < 0) return choice;
  }
  return (choices.at(-1) as [T, number])[0];
}
