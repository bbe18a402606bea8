import type { Action, QueryParameter } from '../api/action.js';
import { Fault } from '../domain/errors.js';
import type { Target } from './address.js';
import { checkTimestamp } from './timestamp.js';

/** Those of §3 that hold for one request only. */
const OF_ONE_REQUEST = [
  'AccessKeyId',
  'Signature',
  'SignatureMethod',
  'SignatureVersion',
  'Timestamp',
  'ContentSha256',
];
/** §3: parameters that every action knows. */
const COMMON = new Set(['Action', 'Format', 'Version', ...OF_ONE_REQUEST]);

/** A link to another page must not carry them on. */
export function isOfOneRequest(name: string): boolean {
  return OF_ONE_REQUEST.includes(name);
}

const API_VERSION = '0.1';

export interface CommonRules {
  required: boolean;
  now: number;
}

/** Checks the common parameters against the rows that the request may mean. Throws the Faults of §4. */
export function checkCommon(
  query: Target['query'],
  rows: readonly (readonly [string, Action])[],
  rules: CommonRules,
): void {
  const seen = new Set<string>();
  for (const [name] of query) {
    if (seen.has(name)) throw new Fault('InvalidParameter', `The parameter "${shown(name)}" stands there twice.`);
    seen.add(name);
  }
  const value = (name: string) => query.find(([key]) => key === name)?.[1];
  const action = value('Action');
  const version = value('Version');
  if (rules.required && action === undefined) throw new Fault('MissingParameter', 'The parameter Action is missing.');
  if (rules.required && version === undefined) throw new Fault('MissingParameter', 'The parameter Version is missing.');
  if (action !== undefined && !rows.some(([key, row]) => isNamed(action, key, row))) {
    const names = rows.map(([key]) => key).join(', ');
    throw new Fault('Invalid Action', `"${shown(action)}" is not the action of this request, which is ${names}.`);
  }
  if (version !== undefined && version !== API_VERSION) {
    throw new Fault('InvalidValue', `Version is ${API_VERSION}.`);
  }
  checkTimestamp(query, rules.now);
}

function isNamed(wanted: string, key: string, { names = [] }: Action): boolean {
  return [key, ...names].some((name) => name.toLowerCase() === wanted.toLowerCase());
}

/** The parameters of a row's own, typed. Throws Fault `InvalidParameter` for one that it does not know, `InvalidValue`. */
export function readOwn(query: Target['query'], action: Action): Record<string, string | number | boolean> {
  const known = action.query ?? {};
  const own: Record<string, string | number | boolean> = {};
  for (const [name, value] of query) {
    if (COMMON.has(name)) continue;
    const parameter = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!parameter) {
      const names = [...Object.keys(known), 'Action', 'Version', 'Format'].join(', ');
      throw new Fault('InvalidParameter', `The parameter "${shown(name)}" is not expected here. Known: ${names}.`);
    }
    own[name] = typed(name, value, parameter);
  }
  return own;
}

function typed(name: string, value: string, { type }: QueryParameter): string | number | boolean {
  if (type === 'string') return value;
  if (type === 'integer') {
    if (/^\d{1,9}$/.test(value)) return Number(value);
    throw new Fault('InvalidValue', `${name} is a number, not "${shown(value)}".`);
  }
  const lower = value.toLowerCase();
  if (['', 'true', 'yes', '1'].includes(lower)) return true;
  if (['false', 'no', '0'].includes(lower)) return false;
  throw new Fault('InvalidValue', `${name} is true or false, not "${shown(value)}".`);
}

function shown(text: string): string {
  return text.slice(0, 60);
}
