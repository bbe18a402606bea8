/** Numbers that derive from a seed alone: the same seed makes the same decisions, on every machine. */
export interface Random {
  /** From 0, below 1. */
  next(): number;
  /** From `from` to `to`, both included. */
  whole(from: number, to: number): number;
  chance(probability: number): boolean;
  /** One of several. */
  one<T>(choices: readonly T[]): T;
  /** The key of a table whose values are weights; those of weight 0 are never taken. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T;
  /** A stream of its own, for somebody whose number of decisions must not change the others'. */
  fork(name: string): Random;
}

/** splitmix32 over a hash of the seed. */
export function randomOf(seed: string): Random {
  let state = hash(seed);
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    whole,
    chance: (probability) => next() < probability,
    one<T>(choices: readonly T[]): T {
      if (choices.length === 0) throw new Error('there is nothing to choose from');
      return choices[whole(0, choices.length - 1)] as T;
    },
    weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
      const rows = (Object.entries(weights) as [T, number][]).filter(([, weight]) => weight > 0);
      let left = next() * rows.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [key, weight] of rows) {
        left -= weight;
        if (left < 0) return key;
      }
      const last = rows.at(-1);
      if (!last) throw new Error('there is nothing to choose from');
      return last[0];
    },
    fork: (name) => randomOf(`${seed}/${name}`),
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}
