import { isIPv4 } from 'node:net';
import { parse } from 'yaml';
import * as z from 'zod';

/**
 * The kinds of values that settings have. Each also takes its text form, since an environment variable and a `${NAME}` in the file
 * are always text.
 */

function fromText<T extends z.ZodType>(convert: (text: string) => unknown, inner: T) {
  return z.preprocess((value) => (typeof value === 'string' ? convert(value.trim()) : value), inner);
}

const number = (text: string): unknown => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);

export function whole(minimum: number, maximum: number) {
  return fromText(
    number,
    z
      .number(`expected a whole number from ${minimum} to ${maximum}`)
      .int(`expected a whole number from ${minimum} to ${maximum}`)
      .min(minimum, `must be at least ${minimum}`)
      .max(maximum, `must be at most ${maximum}`),
  );
}

/** Seconds, fractions allowed. */
export function seconds(minimum: number) {
  return fromText(
    number,
    z
      .number('expected a number of seconds')
      .min(minimum, `must be at least ${minimum} s`)
      .max(604_800, 'must be at most a week'),
  );
}

export function flag() {
  const words: Record<string, boolean> = { true: true, yes: true, '1': true, false: false, no: false, '0': false };
  return fromText((text) => words[text.toLowerCase()] ?? text, z.boolean('expected true or false'));
}

export function text() {
  return z.string('expected text').trim().min(1, 'must not be empty');
}

/** 0 asks the system for a free port. */
export function port() {
  return whole(0, 65_535);
}

const UNITS: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Bytes: a number, or a number with a unit as in `512 MiB`, `2G`, `100kB`. Units are powers of 1024. */
export function size(minimum: number) {
  return fromText(
    (given) => {
      const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(given) ?? [];
      return amount === undefined ? given : Math.round(Number(amount) * (UNITS[(unit ?? '').toUpperCase()] ?? 1));
    },
    z
      .number('expected a size in bytes, such as 512 MiB')
      .int('expected a size in bytes, such as 512 MiB')
      .min(minimum, `must be at least ${minimum} bytes`)
      .max(Number.MAX_SAFE_INTEGER, 'is too large'),
  );
}

/** Two numbers and a dash, e.g. `200000-265535`. Gives both ends. */
export function range(minimum: number, maximum: number) {
  const complaint = `expected two numbers from ${minimum} to ${maximum} and a dash, such as ${minimum}-${maximum}`;
  return z
    .string(complaint)
    .regex(/^\s*\d{1,10}\s*-\s*\d{1,10}\s*$/, complaint)
    .transform((given) => {
      const [first = 0, last = 0] = given.split('-').map(Number);
      return { first, last };
    })
    .refine(({ first, last }) => minimum <= first && first <= last && last <= maximum, complaint);
}

/** An absolute http(s) URL without credentials, query or fragment; its trailing slash goes. */
export function webAddress() {
  return text()
    .refine((given) => {
      const url = URL.canParse(given) ? new URL(given) : undefined;
      return url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash;
    }, 'expected an http or https URL such as https://paas.example.org')
    .transform((given) => given.replace(/\/+$/, ''));
}

/** `files`, an absolute path, or `s3://bucket[/prefix]`. */
export function artefactStore() {
  const complaint = 'expected files, the absolute path of a folder, or s3://bucket/prefix';
  return text().regex(
    /^(files|\/.+|[A-Za-z]:[\\/].+|s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w!.*'()/-]{0,500})?)$/,
    complaint,
  );
}

/** A range of IPv4 loopback addresses, e.g. `127.77.0.0/16`, or a single one. */
export function loopbackRange() {
  const complaint = 'expected loopback addresses such as 127.77.0.0/16 (8 to 30 bits of prefix), or a single one';
  return text().refine((given) => {
    const [, host = '', bits = '32'] = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:\/(\d{1,2}))?$/.exec(given) ?? [];
    const prefix = Number(bits);
    return isIPv4(host) && (prefix === 32 || (prefix >= 8 && prefix <= 30));
  }, complaint);
}

/** How the options of adapters are read, by the type in their definition. A map may come as YAML or JSON text. */
export const OPTION_VALUES = {
  string: z.preprocess((value) => (typeof value === 'number' ? String(value) : value), text()),
  number: fromText(number, z.number('expected a number')),
  boolean: flag(),
  map: fromText(parseQuietly, z.record(z.string(), z.unknown(), 'expected a map such as {tomcat: java_buildpack}')),
};

function parseQuietly(given: string): unknown {
  try {
    return parse(given) as unknown;
  } catch {
    return undefined;
  }
}
