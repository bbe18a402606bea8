import type { Action, Method } from '../api/action.js';
import type { Link } from '../api/links.js';
import { type Match, parameterNames, type Route } from '../api/lookup.js';
import type { ActionKey } from '../api/table.js';
import type { Download } from '../domain/views.js';
import { isListKind, isThingKind } from '../representations/kinds.js';
import { type Api, innerCall, type Known } from './api.js';
import { sendDownload } from './download.js';
import { REVALIDATE } from './keeping.js';
import { listLinks, thingLinks } from './respond.js';

/** Methods of a path: HEAD and OPTIONS everywhere (§5). */
export function allowed({ actions }: Route): string[] {
  return [...actions.keys(), 'HEAD', 'OPTIONS'];
}

/** The kinds whose GET looks up more than the store, or opens something: their HEAD looks up what they stand on. */
const COSTLY: readonly Action['response'][] = ['logs', 'information', 'wadl', 'openapi'];

/**
 * §5, contextual help: what can be done from here, in `Link` headers (RFC 8288), relative to the path. The same resources are
 * looked up as with GET, so that unknown and foreign ones answer alike.
 */
export async function sendHead(api: Api, exchange: Known, { route }: Match): Promise<void> {
  const { res } = exchange;
  const reading = route.actions.get('GET');
  res.setHeader('Allow', allowed(route).join(', '));
  const links =
    reading && !isCostly(api, reading)
      ? await readLinks(api, exchange, reading)
      : await guardedLinks(api, exchange, route);
  if (links === 'sent') return;
  const values = linkValues(exchange.target.path, exchange.base.path, links);
  if (values.length > 0) res.setHeader('Link', values.join(', '));
  if (route.path === '/') res.setHeader('Link-Template', templates(api, exchange).join(', '));
  res.setHeader('Cache-Control', exchange.lasting ? REVALIDATE : 'no-store');
  res.setHeader('Vary', 'Accept, Authorization');
  exchange.lasting?.keep?.(Buffer.alloc(0));
  res.end();
}

function isCostly(api: Api, key: ActionKey): boolean {
  return COSTLY.includes(api.table[key].response);
}

async function readLinks(api: Api, exchange: Known, key: ActionKey): Promise<Link[] | 'sent'> {
  const kind = api.table[key].response;
  const value = await api.call(key, { ...innerCall(exchange), params: exchange.params } as never);
  if (isThingKind(kind)) return thingLinks(api, exchange, kind, value);
  if (isListKind(kind)) return listLinks(api, exchange, kind);
  await sendDownload(exchange, value as Download);
  return 'sent';
}

/** Of a path without a GET of its own: the links of the things that it names, the nearest first. */
async function guardedLinks(api: Api, exchange: Known, route: Route): Promise<Link[]> {
  const links: Link[] = [];
  for (const key of guardsOf(api, route, exchange)) {
    const found = await readLinks(api, exchange, key);
    if (found !== 'sent') links.push(...found);
  }
  return links;
}

/** Rows that describe what a path names: those of the most parameters, until every parameter that names a thing is covered. */
function guardsOf(api: Api, { path }: Route, { principal }: Known): ActionKey[] {
  const names = new Set(parameterNames(path));
  const candidates = (Object.entries(api.table) as [ActionKey, Action][])
    .map(([key, action]) => ({ key, action, needs: parameterNames(action.path) }))
    .filter(
      ({ action, needs }) => action.method === 'GET' && needs.length > 0 && needs.every((name) => names.has(name)),
    )
    .filter(
      ({ key, action }) => action.roles.includes(principal.role) && !isCostly(api, key) && action.response !== 'bytes',
    )
    .sort(
      (a, b) =>
        b.needs.length - a.needs.length ||
        Number(isThingKind(b.action.response)) - Number(isThingKind(a.action.response)),
    );
  const guards: ActionKey[] = [];
  for (const { key, needs } of candidates) {
    if (!needs.some((name) => names.has(name))) continue;
    guards.push(key);
    for (const name of needs) names.delete(name);
  }
  return guards;
}

/** One value for each address: what can be done there, by which methods. */
function linkValues(from: string, base: string, links: readonly Link[]): string[] {
  const byPath = new Map<string, Link[]>();
  for (const link of links) byPath.set(link.path, [...(byPath.get(link.path) ?? []), link]);
  return [...byPath].map(([path, all]) => {
    const of = (name: 'rel' | 'action' | 'method') => [...new Set(all.map((link) => link[name]))].join(' ');
    return `<${relative(from, base + path)}>; rel="${of('rel')}"; title="${of('action')}"; method="${of('method')}"`;
  });
}

/** A relative reference (RFC 3986 §4.2) from one absolute path to another. */
export function relative(from: string, to: string): string {
  const here = from.split('/').slice(0, -1);
  const there = to.split('/');
  let common = 0;
  while (common < here.length && common < there.length - 1 && here[common] === there[common]) common++;
  const rest = there.slice(common).join('/');
  const up = '../'.repeat(here.length - common);
  return up + rest === '' || rest.startsWith('/') ? `./${rest}` : up + rest;
}

/** The whole API, one template for each path (RFC 9652), with the methods that the caller may use there. */
function templates(api: Api, { principal, target }: Known): string[] {
  const prefix = target.path.endsWith('/') ? '' : `${target.path.split('/').at(-1)}/`;
  return api.lookup.routes.flatMap(({ path, actions }) => {
    const methods = [...actions]
      .filter(([, key]) => api.table[key].roles.includes(principal.role))
      .map(([method]: [Method, ActionKey]) => method);
    return methods.length === 0 ? [] : [`"${prefix}${path.slice(1)}";method="${methods.join(' ')}"`];
  });
}
