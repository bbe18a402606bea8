import type { Task } from '../domain/model.js';
import type { Principal, Role } from '../domain/principal.js';
import type { InstanceAction } from '../domain/states.js';
import type { BodyKind, BodyValues, ResponseKind, ResponseValues } from '../domain/views.js';

/** `application`: the one of the path, with its versions and instances; `applications`: all of them, as a list shows them. */
export type Shown = 'application' | 'applications' | 'environments';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * One action of the API. Router, roles, HEAD, OPTIONS, 405, links, WADL, OpenAPI, CLI and console derive from this row;
 * no second place holds a method and a path.
 */
export interface Action {
  method: Method;
  /** Relative to the base; parameters in braces, e.g. `/app/{appId}`. */
  path: string;
  /** Other addresses of the same action, e.g. `DELETE /app/{appId}`. */
  aliases?: readonly `${Method} /${string}`[];
  roles: readonly Role[];
  /** Absent: no body is read. */
  body?: BodyKind;
  response: ResponseKind;
  /** With GET: all that the answer shows of the store; it may be kept as long as that does not change. Absent: it is made each time. */
  shows?: readonly Shown[];
  /** Works on a platform as a durable operation: honours `Prefer`, may answer 202 with its task. */
  durable?: true;
  /** The capability of the platform that it needs, beside those that every adapter has. */
  needs?: 'scale' | 'logs';
  /** Query parameters of its own, beside the common ones (`Action`, `Format`, …). */
  query?: Readonly<Record<string, QueryParameter>>;
  /** Names that the common parameter `Action` may give it beside its key: those of the usage scenario (§8). */
  names?: readonly string[];
  /** Where §7's Link elements lead here from. */
  links?: readonly LinkRule[];
  summary: string;
}

/** The relationship of a link: an operation's name, or a word of vCloud. */
export type Rel =
  | 'up'
  | 'down'
  | 'add'
  | 'edit'
  | 'remove'
  | 'alternate'
  | 'start'
  | 'stop'
  | 'restart'
  | 'deploy'
  | 'undeploy'
  | 'logs'
  | 'cancel';

/** A link to this action, listed when role, owner and state allow it and every path parameter is known there. */
export interface LinkRule {
  rel: Rel;
  /** The kind of document on which it stands. Action links of a thing stand on its rows in lists too, but `deploy`. */
  on: LinkSource;
  /** The state that allows it: in which the instance action is legal; `empty`: nothing deployed; `running`: a task not yet ended. */
  when?: InstanceAction | 'empty' | 'running';
  /** One link for each environment of the caller, at most 20; only on the thing's own document. */
  each?: 'environment';
}

export type LinkSource =
  | Exclude<ResponseKind, 'bytes' | 'logs' | 'wadl' | 'openapi' | 'operationResponse'>
  | 'artefact'
  | 'auditEvent';

export interface QueryParameter {
  type: 'string' | 'integer' | 'boolean';
  help: string;
}

/** Names in braces of a path. */
export type PathParameters<P extends string> = P extends `${string}{${infer N}}${infer Rest}`
  ? N | PathParameters<Rest>
  : never;

/** Names are text; every other parameter is a decimal integer below 2^31. */
type ParameterValue<N extends string> = N extends 'name' | 'keyId' ? string : number;

type QueryValue<T extends QueryParameter['type']> = T extends 'integer'
  ? number
  : T extends 'boolean'
    ? boolean
    : string;
type QueryOf<A extends Action> = A extends { query: infer Q extends Readonly<Record<string, QueryParameter>> }
  ? { [K in keyof Q]?: QueryValue<Q[K]['type']> }
  : Record<never, never>;

/** What a handler receives: values, no request and no response. */
export interface Call<A extends Action> {
  params: { [N in PathParameters<A['path']>]: ParameterValue<N> };
  query: QueryOf<A>;
  body: A extends { body: infer B extends BodyKind } ? BodyValues[B] : undefined;
  principal: Principal;
  /** The platform of the base under which the request came; absent at `/rest`. */
  platform?: string;
  /** Seconds to wait for a durable action before 202; 0 with `Prefer: respond-async`. */
  wait: number;
  /** The client asked for a look at the platform (`Cache-Control: no-cache`). */
  fresh: boolean;
  requestId: string;
  /** Aborts when the client has gone. */
  signal: AbortSignal;
}

/** A durable action whose time is up: it goes on as this task. */
export interface Accepted {
  accepted: Task;
}

export type Answer<A extends Action> = A extends { durable: true }
  ? ResponseValues[A['response']] | Accepted
  : ResponseValues[A['response']];

export type Handler<A extends Action> = (call: Call<A>) => Promise<Answer<A>> | Answer<A>;

/** Checks a group of rows without widening their literal types. */
export function actions<const T extends Record<string, Action>>(rows: T): T {
  return rows;
}
