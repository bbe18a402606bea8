import type { Action, Call, Handler } from '../api/action.js';
import type { LinkContext, Links } from '../api/links.js';
import { createLinks, MOST_ENVIRONMENTS } from '../api/links.js';
import { createLookup, type Lookup, type PathValues } from '../api/lookup.js';
import type { Subject } from '../api/subjects.js';
import { type ActionKey, TABLE } from '../api/table.js';
import { isFault } from '../domain/errors.js';
import type { Principal } from '../domain/principal.js';
import type { Listing } from '../domain/views.js';
import { createDocuments } from './documents.js';
import type { Exchange } from './exchange.js';
import type { AppOptions, Base } from './options.js';
import type { TenantOf } from './owners.js';

/** A request whose caller and address are known. */
export interface Known extends Exchange {
  principal: Principal;
  params: PathValues;
  /** Completes a subject with its owner. */
  owned(subject: Subject): Subject | Promise<Subject>;
}

/** The table with what derives from it, and the handlers behind it. */
export interface Api {
  table: Readonly<Record<ActionKey, Action>>;
  lookup: Lookup;
  links: Links;
  call(key: ActionKey, call: Call<Action>): Promise<unknown>;
  /** What the platform of a base, or any, can do. */
  canOn(base: Base): LinkContext['can'];
  /** The environments of the caller to which an instance could go: where it is, else any. */
  environmentsFor(exchange: Known, at: number | undefined): Promise<number[]>;
  /** Whose things are, as far as the caller may see them. */
  tenantOf(exchange: Known): TenantOf;
}

export function createApi(options: AppOptions): Api {
  const handlers = { ...options.handlers, ...createDocuments(options) } as unknown as Record<
    ActionKey,
    Handler<Action>
  >;
  const call: Api['call'] = async (key, values) => handlers[key](values);
  return {
    table: TABLE,
    lookup: createLookup(TABLE),
    links: createLinks(TABLE),
    call,
    canOn: (base) => (need, platform) => {
      const platforms = platform ?? base.platform;
      return (platforms === undefined ? options.platforms : [platforms]).some(
        (name) => options.capabilities(name)?.[need] === true,
      );
    },
    async environmentsFor(exchange, at) {
      if (at !== undefined) {
        return call('getEnvironment', { ...innerCall(exchange), params: { envId: at } } as never).then(
          () => [at],
          none,
        );
      }
      const query = { page: 1, pageSize: MOST_ENVIRONMENTS };
      const found = (await call('findEnvironments', { ...innerCall(exchange), query })) as Listing<{ envId: number }>;
      const ids: number[] = [];
      for await (const { envId } of found.items) ids.push(envId);
      return ids;
    },
    tenantOf(exchange) {
      const find = async (key: ActionKey, params: PathValues) =>
        ((await call(key, { ...innerCall(exchange), params } as never)) as { tenant: string }).tenant;
      return {
        application: (appId) => find('describeApplication', { appId }),
        environment: (envId) => find('getEnvironment', { envId }),
      };
    },
  };
}

/** A call that an answer's links need, in the name of the caller. */
export function innerCall({ principal, base, requestId, signal }: Known): Call<Action> {
  return {
    params: {},
    query: {},
    body: undefined,
    principal,
    ...(base.platform !== undefined && { platform: base.platform }),
    wait: 0,
    fresh: false,
    requestId,
    signal,
  };
}

/** An environment that the caller may not see is none. */
function none(error: unknown): number[] {
  if (isFault(error)) return [];
  throw error;
}
