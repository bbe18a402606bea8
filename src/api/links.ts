import type { Principal } from '../domain/principal.js';
import { isLegal, TERMINAL_OPERATION_STATES } from '../domain/states.js';
import type { ResponseKind } from '../domain/views.js';
import { isListKind, isThingKind } from '../representations/kinds.js';
import type { RowLink } from '../representations/list.js';
import type { Action, LinkRule, LinkSource, Method, Rel } from './action.js';
import { type PathValues, pathFiller, pathParts } from './lookup.js';
import type { Subject } from './subjects.js';
import type { ActionKey } from './table.js';

export interface Link {
  rel: Rel;
  /** On links to objects only, like `name`. */
  type: string | undefined;
  name: string | undefined;
  /** Relative to the base. */
  path: string;
  method: Method;
  action: ActionKey;
}

export interface LinkContext {
  principal: Principal;
  /** Whether a platform (any, when it is not known) can do what a row needs. */
  can(need: NonNullable<Action['needs']>, platform?: string): boolean;
  /** The environments to which an instance could go, on its own document. */
  environments?: readonly number[];
}

export interface Links {
  /** Of a document. */
  ofThing(subject: Subject, context: LinkContext): Link[];
  /** Of the rows of one list: of each the thing itself, then what can be done with it. Rows of a kind get the same array. */
  ofRows(context: LinkContext): (subject: Subject) => readonly RowLink[];
  /** Where a thing is described, relative to the base. */
  self(on: LinkSource, params: PathValues): string | undefined;
}

interface Edge {
  key: ActionKey;
  action: Action;
  rule: LinkRule;
  /** On links to objects. */
  type: string | undefined;
  /** The link carries the name of the thing that it is on. */
  named: boolean;
  path(params: PathValues): string | undefined;
}

export function createLinks(table: Readonly<Record<string, Action>>): Links {
  const edges = new Map<LinkSource, Edge[]>();
  const selves = new Map<LinkSource, Edge>();
  for (const [key, action] of Object.entries(table) as [ActionKey, Action][]) {
    for (const rule of action.links ?? []) {
      edges.set(rule.on, [...(edges.get(rule.on) ?? []), edgeOf(key, action, rule)]);
    }
    const on = action.response === 'bytes' ? 'artefact' : (action.response as LinkSource);
    if (action.method === 'GET' && !selves.has(on)) selves.set(on, edgeOf(key, action, { rel: 'down', on }));
  }
  const edgesOf = (subject: Subject, context: LinkContext) =>
    (edges.get(subject.on) ?? []).filter((edge) => isAllowed(edge, subject, context));
  const edgesOfRow = (subject: Subject, context: LinkContext) => {
    const allowed = edgesOf(subject, context);
    if (subject.on === 'artefact') return allowed;
    const self = selves.get(subject.on);
    return [...(self && isAllowed(self, subject, context) ? [self] : []), ...allowed.filter(isAction)];
  };
  return {
    ofThing: (subject, context) => linksAlong(edgesOf(subject, context), subject, context),
    ofRows(context) {
      const known = new Map<string, readonly RowLink[]>();
      return (subject) => {
        const kind = kindOf(subject, context);
        let found = known.get(kind);
        if (!found) {
          found = edgesOfRow(subject, context).map(rowLinkOf);
          known.set(kind, found);
        }
        return found;
      };
    },
    self: (on, params) => selves.get(on)?.path(params),
  };
}

function edgeOf(key: ActionKey, action: Action, rule: LinkRule): Edge {
  const type = typeOf(action, rule.rel);
  const isOfThing = type !== undefined && (rule.rel === 'down' || rule.rel === 'alternate');
  const named = isOfThing && (isThingKind(action.response) || action.response === 'bytes');
  return { key, action, rule, type, named, path: pathFiller(action.path) };
}

function rowLinkOf({ action, rule, type, named }: Edge): RowLink {
  return { rel: rule.rel, type, named, path: pathParts(action.path) };
}

/** What `isAllowed` looks at: subjects that agree in it have the same links, to other addresses. */
function kindOf(subject: Subject, context: LinkContext): string {
  const { on, state, task, platform, runs } = subject;
  return `${on} ${state} ${task} ${platform} ${runs} ${isOwn(subject, context)} ${isNowhere(subject)}`;
}

function isOwn({ owner }: Subject, { principal }: LinkContext): boolean {
  return owner === undefined || owner === principal.tenant || principal.role === 'admin';
}

function isNowhere({ on, params }: Subject): boolean {
  return on === 'instance' && params['envId'] === undefined;
}

function isAction({ rule, action }: Edge): boolean {
  return action.method !== 'GET' && !rule.each && rule.rel !== 'add';
}

function isAllowed({ action, rule }: Edge, subject: Subject, context: LinkContext): boolean {
  const { principal, can, environments } = context;
  if (!action.roles.includes(principal.role)) return false;
  if (rule.each && !environments) return false;
  if (action.needs && !can(action.needs, subject.platform)) return false;
  // A multitenant application is deployable for every tenant and changeable by its own only (api.md §5); what of it runs on an
  // environment is in the hands of that environment's tenant too.
  const others = subject.runs ? RUNNING : DEPLOYING;
  if (!isOwn(subject, context) && (action.method !== 'GET' || rule.rel === 'logs') && !others.includes(rule.rel))
    return false;
  // A first deploy may have failed: what is nowhere can be deployed and nothing else.
  if (isNowhere(subject) && rule.when !== undefined && rule.when !== 'deploy') return false;
  return stateAllows(rule.when, subject);
}

const DEPLOYING: readonly Rel[] = ['deploy'];
const RUNNING: readonly Rel[] = ['deploy', 'undeploy', 'start', 'stop', 'restart', 'logs'];

function stateAllows(when: LinkRule['when'], { state, task }: Subject): boolean {
  if (when === undefined) return true;
  if (when === 'running') return task !== undefined && !TERMINAL_OPERATION_STATES.includes(task);
  if (when === 'empty') return state === 'CREATED';
  return state !== undefined && isLegal(when, state);
}

/** As many as an answer's header can hold. */
export const MOST_ENVIRONMENTS = 20;

function linksAlong(edges: readonly Edge[], subject: Subject, context: LinkContext): Link[] {
  const links: Link[] = [];
  for (const edge of edges) addLinks(links, edge, subject, context);
  return links;
}

/** A loop over pushes: it runs for each action of each row. */
function addLinks(links: Link[], edge: Edge, subject: Subject, { environments = [] }: LinkContext): void {
  const { params } = subject;
  if (edge.rule.each) {
    for (const envId of environments.slice(0, MOST_ENVIRONMENTS)) addLink(links, edge, subject, { ...params, envId });
  } else addLink(links, edge, subject, params);
}

function addLink(links: Link[], edge: Edge, { name }: Subject, params: PathValues): void {
  const { key, action, rule, type, named } = edge;
  const path = edge.path(params);
  if (path === undefined) return;
  links.push({ rel: rule.rel, path, method: action.method, action: key, type, name: named ? name : undefined });
}

const OBJECT_RELS: readonly Rel[] = ['up', 'down', 'alternate'];

function typeOf({ response }: Action, rel: Rel): string | undefined {
  if (!OBJECT_RELS.includes(rel)) return undefined;
  return mediaTypeOf(response);
}

/** The type of a link's target, by the kind of its response (§7: `application/jpaas.<object>+xml`). */
function mediaTypeOf(kind: ResponseKind): string {
  if (kind === 'wadl') return 'application/vnd.sun.wadl+xml';
  if (kind === 'openapi') return 'application/json';
  if (kind === 'bytes') return 'application/jpaas.artefact+xml';
  return isThingKind(kind) || isListKind(kind) ? `application/jpaas.${kind}+xml` : 'text/plain';
}
