import type { Principal } from '../domain/principal.js';
import { isLegal, TERMINAL_OPERATION_STATES } from '../domain/states.js';
import type { ResponseKind } from '../domain/views.js';
import { isListKind, isThingKind } from '../representations/kinds.js';
import type { Action, LinkRule, LinkSource, Method, Rel } from './action.js';
import { type PathValues, pathFiller } from './lookup.js';
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
  path(params: PathValues): string | undefined;
}

export function createLinks(table: Readonly<Record<string, Action>>): Links {
  const edges = new Map<LinkSource, Edge[]>();
  const selves = new Map<LinkSource, Edge>();
  for (const [key, action] of Object.entries(table) as [ActionKey, Action][]) {
    const path = pathFiller(action.path);
    for (const rule of action.links ?? []) {
      edges.set(rule.on, [...(edges.get(rule.on) ?? []), { key, action, rule, path }]);
    }
    const on = action.response === 'bytes' ? 'artefact' : (action.response as LinkSource);
    if (action.method === 'GET' && !selves.has(on)) selves.set(on, { key, action, rule: { rel: 'down', on }, path });
  }
  const of = (subject: Subject, context: LinkContext, row: boolean) =>
    (edges.get(subject.on) ?? [])
      .filter((edge) => (!row || isAction(edge)) && isAllowed(edge, subject, context))
      .flatMap((edge) => linksOf(edge, subject, context));
  return {
    ofThing: (subject, context) => of(subject, context, false),
    ofRow(subject, context) {
      if (subject.on === 'artefact') return of(subject, context, false);
      const self = selves.get(subject.on);
      const down = self && isAllowed(self, subject, context) ? linksOf(self, subject, context) : [];
      return [...down, ...of(subject, context, true)];
    },
    self: (on, params) => selves.get(on)?.path(params),
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
  // A first deploy may have failed: what is nowhere can be deployed and nothing else.
  const nowhere = subject.on === 'instance' && subject.params['envId'] === undefined;
  if (nowhere && rule.when !== undefined && rule.when !== 'deploy') return false;
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

function linksOf({ key, action, rule, path: fill }: Edge, subject: Subject, context: LinkContext): Link[] {
  const environments = (context.environments ?? []).slice(0, MOST_ENVIRONMENTS);
  const targets = rule.each ? environments.map((envId) => ({ ...subject.params, envId })) : [subject.params];
  return targets.flatMap((params) => {
    const path = fill(params);
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
