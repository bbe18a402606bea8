import type { DeploymentKey, DeploymentReport, PlatformAdapter } from '../../adapters/adapter.js';
import type { Application, Instance } from '../domain/model.js';
import type { StoreSession } from '../store/store.js';
import type { Context } from './context.js';
import { applicationLock, environmentLock, instanceLock } from './locks.js';
import { changesFrom, isHalfMade, undeployed, VANISHED } from './specs.js';

export interface WatcherOptions {
  /** Seconds between two looks at a platform. */
  interval?: number;
  /** Seconds that a look may take. */
  limit?: number;
  /** Whether this gateway is the one that looks at a platform; among several, only one should. */
  isHolder?: (platform: string) => Promise<boolean>;
}

/** Keeps the stored states true to the platforms. */
export interface Watcher {
  start(): void;
  stop(): Promise<void>;
  /** One look at the platforms of these environments, begun after this call. What cannot be seen now stays as it was seen last. */
  lookAt(envIds: readonly number[]): Promise<void>;
  /** One look at a platform. False: it does not answer. */
  look(platform: string): Promise<boolean>;
  /** Since when each platform that does not answer has not, and its words. */
  readonly troubles: ReadonlyMap<string, { since: string; message: string }>;
}

/** Seconds after which a deployment that is as it was is marked as seen again. */
const REMARK_AFTER = 60;

type WatcherContext = Pick<Context, 'store' | 'adapters' | 'log'>;

export function createWatcher(context: WatcherContext, options: WatcherOptions = {}): Watcher {
  const { store, adapters, log } = context;
  const { interval = 10, limit = 60, isHolder = async () => true } = options;
  const troubles = new Map<string, { since: string; message: string }>();
  const ending = new AbortController();
  const loops: Promise<void>[] = [];
  /** The look under way, and the one that follows it: everybody who asks meanwhile shares that. */
  const looks = new Map<string, { current: Promise<boolean>; next?: Promise<boolean> }>();

  const lookOnce = async (platform: string, adapter: PlatformAdapter): Promise<boolean> => {
    const begun = new Date().toISOString();
    const look = new AbortController();
    const timer = setTimeout(() => look.abort(new Error(`it did not answer within ${limit} seconds`)), limit * 1000);
    const end = () => look.abort(ending.signal.reason);
    ending.signal.addEventListener('abort', end, { once: true });
    try {
      const reports = await adapter.observe({ signal: look.signal, step: () => {} });
      if (troubles.delete(platform)) log.info({ platform }, 'a platform answers again');
      await compare(context, platform, reports, begun);
      return true;
    } catch (error) {
      if (ending.signal.aborted) return false;
      const { message } = error as Error;
      if (!troubles.has(platform)) log.warn({ platform, err: error }, 'a platform cannot be observed');
      troubles.set(platform, { since: troubles.get(platform)?.since ?? begun, message });
      return false;
    } finally {
      clearTimeout(timer);
      ending.signal.removeEventListener('abort', end);
    }
  };
  const begin = (platform: string, adapter: PlatformAdapter): Promise<boolean> => {
    const current = lookOnce(platform, adapter).finally(() => {
      if (looks.get(platform)?.current === current) looks.delete(platform);
    });
    looks.set(platform, { current });
    return current;
  };
  const look = (platform: string): Promise<boolean> => {
    const adapter = adapters.get(platform);
    if (!adapter) return Promise.resolve(false);
    const under = looks.get(platform);
    if (!under) return begin(platform, adapter);
    under.next ??= under.current.then(() => begin(platform, adapter));
    return under.next;
  };
  const watch = async (platform: string): Promise<void> => {
    while (!ending.signal.aborted) {
      if (await isHolder(platform).catch(() => false)) await look(platform);
      await rest(interval * 1000, ending.signal);
    }
  };
  return {
    troubles,
    look,
    start() {
      for (const platform of adapters.keys()) loops.push(watch(platform));
    },
    async stop() {
      ending.abort();
      await Promise.all([...loops, ...[...looks.values()].map((one) => one.next ?? one.current)]);
    },
    async lookAt(envIds) {
      const environments = await Promise.all([...new Set(envIds)].map((envId) => store.environments.get(envId)));
      const platforms = new Set(environments.flatMap((environment) => environment?.platform ?? []));
      await Promise.all([...platforms].map(look));
    },
  };
}

/** Writes what differs from what is stored. */
async function compare(
  { store }: WatcherContext,
  platform: string,
  reports: readonly DeploymentReport[],
  begun: string,
): Promise<void> {
  const reported = new Map<string, DeploymentReport>();
  for (const report of reports) {
    const place = placeOf(report.key);
    if (!reported.has(place)) reported.set(place, report);
  }
  for await (const instance of store.applications.deployedOn(platform)) {
    const { appId, instanceId, envId } = instance;
    const report = envId === undefined ? undefined : reported.get(placeOf({ appId, envId, instanceId }));
    if (!differs(instance, report, begun)) continue;
    await store.transaction((session) => write(session, instance, report, begun));
  }
}

/** Two keys of one place are the same deployment. */
function placeOf({ appId, envId, instanceId }: Pick<DeploymentKey, 'appId' | 'envId' | 'instanceId'>): string {
  return `${appId} ${envId} ${instanceId}`;
}

/** Asked again in the transaction: an operation may have begun, or ended, since the platform was asked. */
async function write(
  session: StoreSession,
  { appId, versionId, instanceId }: Instance,
  report: DeploymentReport | undefined,
  begun: string,
): Promise<void> {
  const application = await session.applications.get(appId);
  const instance = application?.versions
    .find((one) => one.versionId === versionId)
    ?.instances.find((one) => one.instanceId === instanceId);
  if (!instance || instance.envId === undefined || !differs(instance, report, begun)) return;
  for (const resource of [instanceLock(appId, instanceId), applicationLock(appId), environmentLock(instance.envId)]) {
    if ((await session.operations.pendingOn(resource)).length > 0) return;
  }
  if (report && isAnother(report, instance)) return follow(session, application, instance, report);
  const seen = report ? changesFrom(report) : { state: 'FAILED' as const, reason: VANISHED };
  await session.applications.updateInstance(instance, seen);
}

/**
 * Another version's instance holds the place on the platform: its deploy could not hear that it had succeeded. One that has a place of its
 * own, or is gone, changes nothing: whoever deploys next decides.
 */
async function follow(
  { applications }: StoreSession,
  application: Application | undefined,
  instance: Instance,
  report: DeploymentReport,
): Promise<void> {
  const { envId = null, instanceId } = instance;
  const version = application?.versions.find((one) => one.versionId === report.versionId);
  const successor = version?.instances.find((one) => one.instanceId === instanceId);
  if (successor?.envId !== undefined || !successor) return;
  await applications.updateInstance(successor, { ...changesFrom(report), envId });
  await applications.updateInstance(instance, undeployed());
}

function isAnother({ versionId }: DeploymentReport, instance: Instance): boolean {
  return versionId !== undefined && versionId !== instance.versionId;
}

function differs(instance: Instance, report: DeploymentReport | undefined, begun: string): boolean {
  // Seen after this look began: what this look says is older.
  if (instance.observedAt !== undefined && instance.observedAt > begun) return false;
  if (!report) return instance.state !== 'FAILED' || instance.reason !== VANISHED;
  if (isHalfMade(instance, report)) return false;
  if (isAnother(report, instance)) return true;
  // It did not start, and is down: the reason is worth more than the platform's word for down.
  if (instance.state === 'FAILED' && instance.reason !== VANISHED && report.state === 'STOPPED') return false;
  const seen = changesFrom(report);
  const age = Date.parse(begun) - Date.parse(instance.observedAt ?? '1970-01-01');
  return (
    seen.state !== instance.state ||
    seen.processes !== instance.processes ||
    (seen.uri ?? undefined) !== instance.uri ||
    (seen.reason ?? undefined) !== instance.reason ||
    seen.ref !== instance.ref ||
    age > REMARK_AFTER * 1000
  );
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
