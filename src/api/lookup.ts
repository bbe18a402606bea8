import { Fault } from '../domain/errors.js';
import { rowPath } from '../representations/list.js';
import type { Action, Method } from './action.js';
import type { ActionKey } from './table.js';

/** One address of the API with the actions that it knows. */
export interface Route {
  /** E.g. `/app/{appId}`. */
  path: string;
  actions: ReadonlyMap<Method, ActionKey>;
}

export type PathValues = Readonly<Record<string, string | number>>;

export interface Match {
  route: Route;
  params: PathValues;
}

export interface Lookup {
  /** Literal paths first: `/app/delete` stands before `/app/{appId}`. */
  routes: readonly Route[];
  /** The route of a path relative to the base, as sent. A trailing slash means nothing. Throws Fault `InvalidValue` for broken escapes. */
  find(path: string): Match | undefined;
}

/** Path parameters that are text; every other one is a decimal integer. */
const TEXT = new Set(['name', 'keyId']);
const LIMIT = 2 ** 31;

export function isTextParameter(name: string): boolean {
  return TEXT.has(name);
}

export function createLookup(table: Readonly<Record<string, Action>>): Lookup {
  const found = new Map<string, Map<Method, ActionKey>>();
  for (const [key, { method, path, aliases = [] }] of Object.entries(table)) {
    for (const [verb, address] of [[method, path], ...aliases.map((alias) => alias.split(' '))] as [Method, string][]) {
      const actions = found.get(address) ?? new Map<Method, ActionKey>();
      if (actions.has(verb))
        throw new Error(`${verb} ${address} stands twice in the table: ${actions.get(verb)}, ${key}.`);
      found.set(address, actions.set(verb, key as ActionKey));
    }
  }
  const routes = [...found].map(([path, actions]) => ({ path, actions, segments: segmentsOf(path) }));
  routes.sort((a, b) => rank(a.segments).localeCompare(rank(b.segments)));
  return {
    routes,
    find(path) {
      const segments = segmentsOf(path).map(decoded);
      for (const route of routes) {
        const params = matched(route.segments, segments);
        if (params) return { route, params };
      }
      return undefined;
    },
  };
}

function segmentsOf(path: string): string[] {
  const plain = path.replace(/^\//, '').replace(/\/$/, '');
  return plain === '' ? [] : plain.split('/');
}

function rank(segments: readonly string[]): string {
  return segments.map((segment) => (isParameter(segment) ? '1' : '0')).join('');
}

function isParameter(segment: string): boolean {
  return segment.startsWith('{');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    throw new Fault('InvalidValue', 'The path holds a broken percent escape.', { cause: error });
  }
}

function matched(pattern: readonly string[], segments: readonly string[]): PathValues | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string | number> = {};
  for (const [index, expected] of pattern.entries()) {
    const actual = segments[index] as string;
    if (!isParameter(expected)) {
      if (expected !== actual) return undefined;
      continue;
    }
    const name = expected.slice(1, -1);
    const value = isTextParameter(name) ? actual || undefined : integer(actual);
    if (value === undefined) return undefined;
    params[name] = value;
  }
  return params;
}

function integer(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,9})$/.test(text)) return undefined;
  const value = Number(text);
  return value < LIMIT ? value : undefined;
}

/** Names in braces of a path, in their order. */
export function parameterNames(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1] as string);
}

/** The path with its parameters; undefined when one is not known. */
export function filledPath(path: string, params: PathValues): string | undefined {
  return pathFiller(path)(params);
}

/** The same for a path that is filled often. */
export function pathFiller(path: string): (params: PathValues) => string | undefined {
  const parts = pathParts(path);
  return (params) => rowPath('', parts, params);
}

/** Literal text and the name of a parameter in turn. */
export function pathParts(path: string): string[] {
  return path.split(/\{(\w+)\}/);
}
