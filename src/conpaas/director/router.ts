import type { Endpoint } from './endpoint.js';

export type Route =
  | { endpoint: Endpoint; path: Record<string, string> }
  /** The path is known, the method is not. */
  | { allow: string[] }
  | undefined;

/** Ids are decimal integers; anything else is no path of ours. */
const INTEGER = /^(aid|sid)$/;

/** Finds the endpoint for a path; a `/` at its end makes no difference. */
export function createRouter(endpoints: readonly Endpoint[]): (method: string, pathname: string) => Route {
  const patterns = endpoints.map((endpoint) => ({ endpoint, pattern: patternOf(endpoint.path) }));
  return (method, pathname) => {
    const allow: string[] = [];
    for (const { endpoint, pattern } of patterns) {
      const groups = pattern.exec(pathname)?.groups;
      if (!pattern.test(pathname)) continue;
      const path = Object.fromEntries(
        Object.entries(groups ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, decoded(value)]])),
      );
      if (endpoint.methods.some((known) => known === method)) return { endpoint, path };
      allow.push(...endpoint.methods);
    }
    return allow.length > 0 ? { allow } : undefined;
  };
}

function patternOf(path: string): RegExp {
  const segments = path
    .split('/')
    .slice(1)
    .map((segment) => {
      if (!segment.startsWith(':')) return `/${segment.replaceAll('.', '\\.')}`;
      const name = segment.slice(1).replace('?', '');
      const group = `/(?<${name}>${INTEGER.test(name) ? '\\d{1,15}' : '[^/]+'})`;
      return segment.endsWith('?') ? `(?:${group})?` : group;
    });
  return new RegExp(`^${segments.join('')}/?$`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
