import { Fault } from '../domain/errors.js';

type Format = 'xml' | 'json';

/** The parameter `Format` (§3). Throws Fault `InvalidValue`. */
export function formatOf(parameter: string | undefined): Format | undefined {
  if (parameter === undefined) return undefined;
  const format = parameter.toLowerCase();
  if (format === 'xml' || format === 'json') return format;
  throw new Fault('InvalidValue', 'Format is xml or json.');
}

/** What the Accept header prefers; XML in doubt. Undefined: neither XML nor JSON would do. */
export function preferred(accept: string | undefined): Format | undefined {
  const ranges = (accept ?? '')
    .split(',')
    .map(readRange)
    .filter((range) => range.type !== '');
  if (ranges.length === 0) return 'xml';
  const xml = quality(ranges, ['application/xml', 'text/xml']);
  const json = quality(ranges, ['application/json']);
  if (json > xml) return 'json';
  return xml > 0 ? 'xml' : undefined;
}

interface Range {
  type: string;
  q: number;
}

/** Tolerant: Java 8 sends the invalid `*; q=.2`. */
function readRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => /^q\s*=/.test(parameter))?.split('=')[1];
  const q = given === undefined ? 1 : Number(given.trim());
  return { type: type === '*' ? '*/*' : type, q: Number.isFinite(q) ? q : 1 };
}

/** The quality of the most telling range that matches one of the types. */
function quality(ranges: readonly Range[], types: readonly string[]): number {
  const matching = (wanted: (range: string) => boolean) => ranges.filter((range) => wanted(range.type));
  const best = (found: readonly Range[]) => Math.max(...found.map((range) => range.q));
  for (const found of [
    matching((range) => types.includes(range) || types.some((type) => range.endsWith(`+${type.split('/')[1]}`))),
    matching((range) => types.some((type) => range === `${type.split('/')[0]}/*`)),
    matching((range) => range === '*/*'),
  ]) {
    if (found.length > 0) return best(found);
  }
  return 0;
}
