import type { Principal } from '../domain/principal.js';
import { isLegal, TERMINAL_OPERATION_STATES } from '../domain/states.js';
import type { ResponseKind } from '../domain/views.js';
import { isListKind, isThingKind } from '../representations/kinds.js';
import type { Action, LinkRule, LinkSource, Method, Rel } from './action.js';
import { filledPath, type PathValues } from './lookup.js';
import type { Subject } from './subjects.js';
import type { ActionKey } from './table.js';

export interface Link {
  rel: Rel;
  /** On links to objects only, like `name`. */
  type?: string;
  name?: string;
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
  /** Of a row in a list: the thing itself, then what can be done with it. */
  ofRow(subject: Subject, context: LinkContext): Link[];
  /** Where a thing is described, relative to the base. */
  self(on: LinkSource, params: PathValues): string | undefined;
}

interface Edge {
  key: ActionKey;
  action: Action;
  rule: LinkRule;
}

export function createLinks(table: Readonly<Record<string, Action>>): Links {
  const edges = new Map<LinkSource, Edge[]>();
  const selves = new Map<LinkSource, [ActionKey, Action]>();
  for (const [key, action] of Object.entries(table) as [ActionKey, Action][]) {
    for (const rule of action.links ?? []) {
      edges.set(rule.on, [...(edges.get(rule.on) ?? []), { key, action, rule }]);
    }
    const on = action.response === 'bytes' ? 'artefact' : (action.response as LinkSource);
    if (action.method === 'GET' && !selves.has(on)) selves.set(on, [key, action]);
  }
  const of = (subject: Subject, context: LinkContext, row: boolean) =>
    (edges.get(subject.on) ?? [])
      .filter((edge) => (!row || isAction(edge)) && isAllowed(edge, subject, context))
      .flatMap((edge) => linksOf(edge, subject, context));
  const self = (on: LinkSource, params: PathValues) => {
    const found = selves.get(on);
    return found && filledPath(found[1].path, params);
  };
  return {
    ofThing: (subject, context) => of(subject, context, false),
    ofRow(subject, context) {
      const found = selves.get(subject.on);
      const edge = found && { key: found[0], action: found[1], rule: { rel: 'down', on: subject.on } as const };
      const down = edge && isAllowed(edge, subject, context) ? linksOf(edge, subject, context) : [];
      const artefact = subject.on === 'artefact';
      return [...(artefact ? of(subject, context, false) : down), ...of(subject, context, true)];
    },
    self,
  };
}

function isAction({ rule, action }: Edge): boolean {
  return action.method !== 'GET' && !rule.each && rule.rel !== 'add';
}

function isAllowed({ action, rule }: Edge, subject: Subject, { principal, can, environments }: LinkContext): boolean {
  if (!action.roles.includes(principal.role)) return false;
  if (rule.each && !environments) return false;
  if (action.needs && !can(action.needs, subject.platform)) return false;
  const own = subject.owner === undefined || subject.owner === principal.tenant || principal.role === 'admin';
  // A multitenant application is deployable for every tenant and changeable by its own only (api.md §5); what of it runs on an
  // environment is in the hands of that environment's tenant too.
  const others = subject.runs ? RUNNING : DEPLOYING;
  if (!own && (action.method !== 'GET' || rule.rel === 'logs') && !others.includes(rule.rel)) return false;
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
const MOST_ENVIRONMENTS = 20;

function linksOf({ key, action, rule }: Edge, subject: Subject, context: LinkContext): Link[] {
  const targets = rule.each
    ? (context.environments ?? []).slice(0, MOST_ENVIRONMENTS).map((envId) => ({ ...subject.params, envId }))
    : [subject.params];
  return targets.flatMap((params) => {
    const path = filledPath(action.path, params);
    if (path === undefined) return [];
    const type = typeOf(action, rule.rel);
    const named = type !== undefined && (rule.rel === 'down' || rule.rel === 'alternate') && subject.name !== undefined;
    const isSelf = named && (isThingKind(action.response) || action.response === 'bytes');
    return [
      {
        rel: rule.rel,
        path,
        method: action.method,
        action: key,
        ...(type !== undefined && { type }),
        ...(isSelf && { name: subject.name as string }),
      },
    ];
  });
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
