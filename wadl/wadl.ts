import type { Action, Method } from '../src/api/action.js';
import { createLookup, isTextParameter, parameterNames, type Route } from '../src/api/lookup.js';
import { answersOf, requestsOf } from '../src/api/media.js';
import type { ActionKey } from '../src/api/table.js';
import type { Layout } from '../src/representations/layout.js';
import { buildElement, DECLARATION } from '../src/representations/xml.js';

export type WadlVersion = '2006' | '2009';

/** The namespace of the specification's annex (schema of 9 November 2006), and that of the W3C submission. */
const NAMESPACES: Readonly<Record<WadlVersion, string>> = {
  '2006': 'http://research.sun.com/wadl/2006/10',
  '2009': 'http://wadl.dev.java.net/2009/02',
};

type Table = Readonly<Record<string, Action>>;

/**
 * The API as WADL (§6): every action once, under its key as method id; an alias is a resource that refers to it. `base` ends with a
 * slash.
 */
export function writeWadl(table: Table, { base, version }: { base: string; version: WadlVersion }): string {
  const routes = [...createLookup(table).routes].sort((a, b) => (a.path < b.path ? -1 : 1));
  const resources = routes.map((route) => resource(route, table, version));
  const root = element('application', { xmlns: NAMESPACES[version], 'xmlns:xs': 'http://www.w3.org/2001/XMLSchema' }, [
    doc('COAPS 1.6', INTRODUCTION),
    element('resources', { base }, resources),
  ]);
  return `${DECLARATION}\n${buildElement(root, { pretty: true })}\n`;
}

const INTRODUCTION =
  'Authentication is Basic, or by the query parameters AccessKeyId, Signature, SignatureMethod and Timestamp. ' +
  'Every request may carry the query parameters Action (the method id), Version (0.1) and Format (xml or json).';

function resource({ path, actions }: Route, table: Table, version: WadlVersion): Layout {
  const parameters = parameterNames(path).map((name) =>
    element('param', {
      name,
      style: 'template',
      type: isTextParameter(name) ? 'xs:string' : 'xs:int',
      required: 'true',
    }),
  );
  const methods = [...actions].map(([verb, key]) => method(verb, key, path, table, version));
  return element('resource', { path: path.slice(1) }, [...parameters, ...methods]);
}

/** The row's own address holds its description; every other one refers to it. */
function method(verb: Method, key: ActionKey, path: string, table: Table, version: WadlVersion): Layout {
  const action = table[key] as Action;
  if (path !== action.path || verb !== action.method) return element('method', { href: `#${key}` });
  return element('method', { id: key, name: verb }, [
    doc(undefined, action.summary),
    ...request(action),
    ...(version === '2006' ? [responseOf2006(action)] : responsesOf2009(action)),
  ]);
}

function request(action: Action): Layout[] {
  const query = Object.entries(action.query ?? {}).map(([name, { type, help }]) =>
    element('param', { name, style: 'query', type: QUERY_TYPES[type] }, [doc(undefined, help)]),
  );
  const prefer = action.durable
    ? [element('param', { name: 'Prefer', style: 'header', type: 'xs:string' }, [doc(undefined, PREFER)])]
    : [];
  const bodies = requestsOf(action).map(({ type, root, parts }) =>
    element('representation', { mediaType: type }, [
      ...(root ? [doc(root)] : []),
      ...(parts ?? []).map((name) => element('param', { name, style: 'query', type: 'xs:string' })),
    ]),
  );
  const children = [...query, ...prefer, ...bodies];
  return children.length > 0 ? [element('request', {}, children)] : [];
}

const QUERY_TYPES = { string: 'xs:string', integer: 'xs:int', boolean: 'xs:boolean' } as const;
const PREFER = 'respond-async or wait=seconds: 202 with the task when the work is not finished by then.';

/** Here a representation carries the status itself, and errors are `fault`s. */
function responseOf2006(action: Action): Layout {
  return element(
    'response',
    {},
    answersOf(action).map(({ status, type, root, fault }) =>
      element(
        fault ? 'fault' : 'representation',
        { status: status.join(' '), mediaType: type },
        root ? [doc(root)] : [],
      ),
    ),
  );
}

/** There a response carries it. */
function responsesOf2009(action: Action): Layout[] {
  const byStatus = new Map<string, Layout[]>();
  for (const { status, type, root } of answersOf(action)) {
    const codes = status.join(' ');
    const representation = element('representation', { mediaType: type }, root ? [doc(root)] : []);
    byStatus.set(codes, [...(byStatus.get(codes) ?? []), representation]);
  }
  return [...byStatus].map(([status, representations]) => element('response', { status }, representations));
}

/** `title` names the root element of a representation: a QName cannot name one that is in no namespace. */
function doc(title: string | undefined, text = ''): Layout {
  return { ...element('doc', title === undefined ? {} : { title }), text };
}

function element(name: string, attributes: Readonly<Record<string, string>>, children: Layout[] = []): Layout {
  return { name, attributes: Object.entries(attributes), children, text: '' };
}
