import type { IncomingMessage } from 'node:http';
import { badQuery, Refusal, unknownRequest, unprocessable } from './errors.js';
import { readSelector } from './labels.js';
import type { Thing, User } from './objects.js';

export interface Call {
  method: string;
  path: string;
  params: Record<string, string>;
  query: URLSearchParams;
  body: Record<string, unknown>;
  user: User;
  request: IncomingMessage;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;
export type Routes = Record<`${string} /${string}`, Handler>;

/** The handler of a method and path, and what stands for the pattern's names. */
export function findHandler(
  routes: Routes,
  method: string,
  path: string,
): { handler: Handler; params: Record<string, string> } {
  for (const [row, handler] of Object.entries(routes)) {
    const [wanted, pattern = ''] = row.split(' ');
    if (wanted !== method) continue;
    const names: string[] = [];
    const expression = pattern.replace(/:(\w+)/g, (_, name: string) => {
      names.push(name);
      return '([^/]+)';
    });
    const match = new RegExp(`^${expression}$`).exec(path);
    if (match) return { handler, params: Object.fromEntries(names.map((name, at) => [name, match[at + 1] ?? ''])) };
  }
  throw unknownRequest();
}

export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads a body as the Cloud Controller does: a form is as good as JSON, any other type is not looked at. */
export async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const type = request.headers['content-type'] ?? '';
  const text = await readText(request);
  if (type.startsWith('application/x-www-form-urlencoded')) return readForm(text);
  if (!type.startsWith('application/json') || text === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(400, 1001, 'CF-MessageParseError', 'Request invalid due to parse error: invalid request body');
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : { _json: value };
}

function readForm(text: string): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const [first = '', ...rest] = name.replaceAll(']', '').split('[');
    let at = result;
    const path = [first, ...rest];
    for (const part of path.slice(0, -1)) {
      at[part] ??= {};
      at = at[part] as Record<string, unknown>;
    }
    at[path.at(-1) ?? ''] = value;
  }
  return result;
}

/** Collects what is wrong with a body: all of it is told in one text. */
export function checkBody(
  body: Record<string, unknown>,
  known: readonly string[],
  wrong: (string | false | undefined)[] = [],
): void {
  const unknown = Object.keys(body).filter((name) => !known.includes(name));
  const all = [unknown.length > 0 && `Unknown field(s): ${unknown.map((name) => `'${name}'`).join(', ')}`, ...wrong];
  const told = all.filter((one) => typeof one === 'string');
  if (told.length > 0) throw unprocessable(told.join(', '));
}

/** The guid in a relationship; undefined when it has another form. */
export function relationTo(body: Record<string, unknown>, name: string): string | undefined {
  const { data } = ((body['relationships'] as Record<string, unknown> | undefined)?.[name] ?? {}) as {
    data?: { guid?: unknown } | null;
  };
  return typeof data?.guid === 'string' ? data.guid : undefined;
}

/** What is wrong with the relationships of a body that must have this one. */
export function relationshipFault(body: Record<string, unknown>, name: string): string | undefined {
  const { relationships } = body;
  if (typeof relationships !== 'object' || relationships === null)
    return "Relationships 'relationships' is not an object";
  if (relationTo(body, name) !== undefined) return undefined;
  const title = name[0]?.toUpperCase() + name.slice(1);
  return name in relationships
    ? `Relationships ${title} must be structured like this: "${name}: {"data": {"guid": "valid-guid"}}"`
    : `Relationships ${title} can't be blank`;
}

export interface ListOptions<T extends Thing> {
  /** Filters by name: each takes comma separated values. */
  filters?: Record<string, (thing: T) => string | string[]>;
  /** Parameters of one value. */
  extra?: readonly string[];
  orders?: readonly string[];
  include?: Record<string, (things: T[]) => Record<string, unknown[]>>;
  labels?: boolean;
}

const COMMON = ['page', 'per_page', 'order_by', 'created_ats', 'updated_ats'];

/** A list as the Cloud Controller gives it: parameters checked, filtered, in order, in pages. */
export function listOf<T extends Thing>(
  { query, path }: Call,
  base: string,
  things: readonly T[],
  present: (thing: T) => unknown,
  options: ListOptions<T> = {},
): Answer {
  const { filters = {}, extra = [], orders = ['created_at', 'updated_at'], include = {}, labels = true } = options;
  const plain = (name: string) => name.replace(/\[\w+\]$/, '');
  const known = [
    ...COMMON,
    'guids',
    ...Object.keys(filters),
    ...extra,
    ...(Object.keys(include).length > 0 ? ['include'] : []),
    ...(labels ? ['label_selector'] : []),
  ];
  const unknown = [...query.keys()].filter((name) => !known.includes(plain(name)));
  if (unknown.length > 0) {
    const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ');
    throw badQuery(`Unknown query parameter(s): ${quoted(unknown)}. Valid parameters are: ${quoted(known)}`);
  }
  const page = positive(query, 'page', 1);
  const perPage = positive(query, 'per_page', 50);
  if (perPage > 5000) throw badQuery('Per page must be between 1 and 5000');
  const order = query.get('order_by');
  if (order !== null && !orders.includes(order.replace(/^[+-]/, '')))
    throw badQuery(`Order by can only be: ${orders.map((one) => `'${one}'`).join(', ')}`);
  const included = query.get('include')?.split(',') ?? [];
  const strange = included.find((one) => !(one in include));
  if (strange !== undefined)
    throw badQuery(
      `Invalid included resource: '${strange}'. Valid included resources are: ${Object.keys(include)
        .map((one) => `'${one}'`)
        .join(', ')}`,
    );

  const found = ordered(things.filter(matching(query, filters)), order);
  const shown = found.slice((page - 1) * perPage, page * perPage);
  // A page after the last one says that there is nothing at all.
  const total = shown.length === 0 ? 0 : found.length;
  const pages = Math.max(1, Math.ceil(total / perPage));
  const at = (number: number) => ({ href: `${base}${path}?${withPage(query, number, perPage)}` });
  const body = {
    pagination: {
      total_results: total,
      total_pages: pages,
      first: at(1),
      last: at(pages),
      next: page < pages ? at(page + 1) : null,
      previous: page > 1 ? at(page - 1) : null,
    },
    resources: shown.map(present),
    ...(included.length > 0 ? { included: Object.assign({}, ...included.map((one) => include[one]?.(shown))) } : {}),
  };
  return { status: 200, body };
}

function positive(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (!/^\d+$/.test(text) || Number(text) < 1)
    throw badQuery(`${name === 'page' ? 'Page' : 'Per page'} must be a positive integer`);
  return Number(text);
}

function matching<T extends Thing>(
  query: URLSearchParams,
  filters: Record<string, (thing: T) => string | string[]>,
): (thing: T) => boolean {
  const tests: ((thing: T) => boolean)[] = [];
  for (const [name, value] of query) {
    if (name === 'label_selector') {
      const selects = readSelector(value);
      tests.push((thing) => selects(thing.labels));
    } else if (name === 'guids') tests.push((thing) => value.split(',').includes(thing.guid));
    else if (name.startsWith('created_ats')) tests.push(inTime(name, value));
    const filter = filters[name];
    if (!filter) continue;
    const wanted = value.toLowerCase().split(',');
    tests.push((thing) => [filter(thing)].flat().some((one) => wanted.includes(one.toLowerCase())));
  }
  return (thing) => tests.every((holds) => holds(thing));
}

function inTime(name: string, value: string): (thing: Thing) => boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value))
    throw badQuery(
      "Created ats has an invalid timestamp format. Timestamps should be formatted as 'YYYY-MM-DDThh:mm:ssZ'",
    );
  const limit = Date.parse(value);
  return ({ created }) => (name.endsWith('[gt]') ? created.getTime() > limit : created.getTime() < limit);
}

function ordered<T extends Thing>(things: T[], order: string | null): T[] {
  const name = order?.replace(/^[+-]/, '');
  // Two that were made in the same millisecond stay in the order of their making.
  const key = (thing: T) =>
    name === 'name' ? String((thing as { name?: unknown }).name) : String(thing.created.getTime()).padStart(15);
  const sorted = [...things].sort((a, b) => key(a).localeCompare(key(b)));
  return order?.startsWith('-') ? sorted.reverse() : sorted;
}

function withPage(query: URLSearchParams, page: number, perPage: number): string {
  const all = new Map(query);
  const order = query.get('order_by');
  if (order && !/^[+-]/.test(order)) all.set('order_by', `+${order}`);
  all.set('page', String(page)).set('per_page', String(perPage));
  const names = [...all.keys()].sort();
  return names.map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(all.get(name) ?? '')}`).join('&');
}
