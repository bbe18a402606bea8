import type { Part } from '../domain/revisions.js';
import type { StoreSession } from './store.js';

/** For each method of an aggregate: the parts that a call changes. `null`: none that an answer could have been kept of. */
type Touches<A> = {
  [M in keyof A]: A[M] extends (...args: infer P) => unknown ? null | ((...args: P) => readonly Part[]) : never;
};

const none = null;
const one = (appId: number): readonly Part[] => [`application:${appId}`];
const listed = (appId: number): readonly Part[] => [`application:${appId}`, 'applications'];
/** What is deployed shows in the states of lists and environments. */
const deployed = (appId: number): readonly Part[] => [...listed(appId), 'environments'];
const environments = (): readonly Part[] => ['environments'];
const user = (name: string): readonly Part[] => [`user:${name}`];

/**
 * What each method of the store changes of what answers are kept of. A new method needs its line here, or nothing compiles. Operations,
 * the audit and ConPaaS are missing: no answer that shows them is kept.
 */
export const TOUCHES: {
  [A in Exclude<keyof StoreSession, 'operations' | 'audit' | 'conpaas'>]: Touches<StoreSession[A]>;
} = {
  applications: {
    create: () => ['applications'],
    get: none,
    list: none,
    update: listed,
    delete: deployed,
    addVersion: one,
    deleteVersion: deployed,
    addInstance: one,
    deleteInstance: ({ appId }) => deployed(appId),
    setArtefact: one,
    updateInstance: ({ appId }) => deployed(appId),
    deployed: none,
    deployedOn: none,
    artefactNamed: none,
    artefactsInUse: none,
  },
  environments: {
    create: environments,
    get: none,
    list: none,
    update: environments,
    delete: environments,
  },
  users: {
    create: ({ name }) => user(name),
    get: none,
    byUid: none,
    byEmail: none,
    list: none,
    update: user,
    delete: user,
    credentials: none,
    passwordHash: none,
    setPasswordHash: user,
    lockAdmins: none,
    isTenant: none,
    takeCredit: none,
    addKey: (key) => user(key.user),
    keys: none,
    key: none,
    deleteKey: user,
  },
};

type Method = (...args: unknown[]) => unknown;

/** A session that notes what its calls change. */
export function noting(session: StoreSession, note: (parts: readonly Part[]) => void): StoreSession {
  return rewritten(session, (_aggregate, _name, method, touch) => (...args) => {
    note(touch(...args));
    return method(...args);
  });
}

/** A session whose changing methods are transactions of the store, which sees to it that changes are told. */
export function transacting(
  session: StoreSession,
  transaction: <T>(work: (session: StoreSession) => Promise<T>) => Promise<T>,
): StoreSession {
  return rewritten(session, (aggregate, name) => (...args) => {
    return transaction(async (inner) => (inner[aggregate] as unknown as Record<string, Method>)[name]?.(...args));
  });
}

function rewritten(
  session: StoreSession,
  rewrite: (aggregate: keyof typeof TOUCHES, name: string, method: Method, touch: Touch) => Method,
): StoreSession {
  const made: Record<string, unknown> = { ...session };
  for (const aggregate of Object.keys(TOUCHES) as (keyof typeof TOUCHES)[]) {
    const methods = { ...session[aggregate] } as unknown as Record<string, Method>;
    for (const [name, touch] of Object.entries(TOUCHES[aggregate]) as [string, Touch | null][]) {
      const method = methods[name];
      if (touch && method) methods[name] = rewrite(aggregate, name, method, touch);
    }
    made[aggregate] = methods;
  }
  return made as unknown as StoreSession;
}

type Touch = (...args: unknown[]) => readonly Part[];
