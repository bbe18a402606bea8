import type { Random } from '../crash/random.js';

/** Bytes beyond which an input no longer grows. */
const LONGEST = 64 * 1024;
const NUMBERS = ['0', '-1', '1', '255', '65536', '2147483647', '4294967296', '9007199254740993', '1e309', '-0', '007'];

/** A relative of an input: some pieces changed, taken out, repeated, put in or taken from another one. */
export function mutate(random: Random, pool: readonly Buffer[], words: readonly string[]): Buffer {
  let bytes = random.one(pool);
  for (
    let round = random.weighted({ 1: 5, 2: 3, 4: 2, 8: 1 });
    Number(round) > 0;
    round = `${Number(round) - 1}` as '1'
  ) {
    bytes = once(random, bytes, pool, words);
  }
  return bytes.subarray(0, LONGEST);
}

function once(random: Random, bytes: Buffer, pool: readonly Buffer[], words: readonly string[]): Buffer {
  const at = random.whole(0, bytes.length);
  const end = Math.min(bytes.length, at + span(random));
  const piece = bytes.subarray(at, end);
  const put = (middle: Buffer, from = at, to = at) =>
    Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]);
  switch (
    random.weighted({
      flip: 4,
      byte: 3,
      drop: 3,
      repeat: 2,
      many: 0.3,
      word: 5,
      replace: 3,
      number: 2,
      splice: 2,
      cut: 1,
      random: 1,
    })
  ) {
    case 'flip': {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] as number) ^ (1 << random.whole(0, 7));
      return copy;
    }
    case 'byte': {
      const copy = Buffer.from(bytes);
      if (copy.length > 0)
        copy[at % copy.length] = random.one([0, 0x20, 0x22, 0x2f, 0x3c, 0x7f, 0x80, 0xff, random.whole(0, 255)]);
      return copy;
    }
    case 'drop':
      return put(Buffer.alloc(0), at, end);
    case 'repeat':
      return put(piece);
    case 'many':
      return put(Buffer.concat(Array.from({ length: random.whole(2, 300) }, () => piece)).subarray(0, LONGEST));
    case 'word':
      return put(wordOf(random, words));
    case 'replace':
      return put(wordOf(random, words), at, end);
    case 'number':
      return withNumber(random, bytes);
    case 'splice': {
      const other = random.one(pool);
      const from = random.whole(0, other.length);
      return put(other.subarray(from, from + span(random)), at, random.chance(0.5) ? at : end);
    }
    case 'cut':
      return bytes.subarray(0, at);
    case 'random':
      return put(Buffer.from(Array.from({ length: random.whole(1, 16) }, () => random.whole(0, 255))));
  }
}

function span(random: Random): number {
  return random.whole(1, Number(random.weighted({ 4: 4, 32: 3, 512: 1 })));
}

function wordOf(random: Random, words: readonly string[]): Buffer {
  return Buffer.from(random.one(words), 'latin1');
}

/** One of the numbers in it becomes another one. */
function withNumber(random: Random, bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const found = [...text.matchAll(/\d+/g)];
  if (found.length === 0) return bytes;
  const chosen = random.one(found);
  const start = chosen.index;
  return Buffer.from(text.slice(0, start) + random.one(NUMBERS) + text.slice(start + chosen[0].length), 'latin1');
}
