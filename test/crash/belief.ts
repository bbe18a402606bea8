import type { Json } from './speaker.js';

/**
 * What a client may rely on, after all that was acknowledged. A set holds every value that is possible; one value is certain. An answer
 * that was lost, or an action that failed half way, leaves both what was before and what was wished.
 */
export interface AppBelief {
  appId: number;
  /** Unique; the subject in the history too. */
  name: string;
  description: Set<string>;
  versions: Map<number, VersionBelief>;
  /** A deletion whose answer was lost. */
  mayBeGone: boolean;
  /** Versions and instances whose creation was not answered. */
  maybeVersions: { name: string; sha256: string; word: string }[];
  maybeInstances: { versionId: number; name: string }[];
}

export interface VersionBelief {
  versionId: number;
  name: string;
  sha256: string;
  /** What its page says. */
  word: string;
  instances: Map<number, Row>;
  mayBeGone: boolean;
}

export interface Row {
  versionId: number;
  instanceId: number;
  name: string;
  /** envId; 0: nowhere. */
  place: Set<number>;
  /** While it is somewhere. */
  run: Set<string>;
  processes: Set<number>;
  mayBeGone: boolean;
}

export interface EnvBelief {
  envId: number;
  name: string;
  platform: string;
  description: Set<string>;
  /** One whose creation failed half way stays, with a remark, when not even the rest of it could be removed. */
  isWhole: boolean;
  mayBeGone: boolean;
}

/** `done`: acknowledged. `maybe`: everything between not at all and wholly. */
export type Certainty = 'done' | 'maybe';

export const SOMEHOW = ['STOPPED', 'STARTED', 'FAILED'];

export function rowsOf(app: AppBelief): Row[] {
  return [...app.versions.values()].flatMap((version) => [...version.instances.values()]);
}

export function set<T>(values: Set<T>, wanted: readonly T[], certainty: Certainty): void {
  if (certainty === 'done') values.clear();
  for (const value of wanted) values.add(value);
}

/** A version's instance takes the place of another version's instance of its number. */
export function deployed(app: AppBelief, row: Row, envId: number, certainty: Certainty): void {
  const before = rowsOf(app).filter((one) => one.instanceId === row.instanceId && one.place.has(envId));
  const run = new Set(before.flatMap((one) => [...one.run]));
  if (run.has('FAILED')) for (const state of SOMEHOW) run.add(state);
  if (!before.some((one) => one.place.size === 1)) run.add('STOPPED');
  const processes = new Set([...row.processes, ...before.flatMap((one) => [...one.processes])]);
  for (const one of before) if (one !== row) set(one.place, [0, ...without(one.place, envId)], certainty);
  if (certainty === 'done') set(row.run, [...run], 'done');
  else set(row.run, [...run, ...SOMEHOW], 'maybe');
  set(row.place, [envId], certainty);
  set(row.processes, [...processes], certainty);
}

export function acted(rows: readonly Row[], verb: 'start' | 'stop' | 'restart', certainty: Certainty): void {
  for (const row of rows) {
    if (certainty === 'done') set(row.run, [verb === 'stop' ? 'STOPPED' : 'STARTED'], 'done');
    else set(row.run, SOMEHOW, 'maybe');
  }
}

export function undeployed(row: Row, certainty: Certainty): void {
  set(row.place, [0], certainty);
}

/** What `POST /app/{appId}/instances/{count}` acts on: the deployed instances of the newest version that has any. */
export function newestDeployed(app: AppBelief): { rows: Row[]; certain: boolean } {
  const rows = rowsOf(app);
  const newest = Math.max(0, ...rows.filter((row) => !row.place.has(0)).map((row) => row.versionId));
  const meant = rows.filter((row) => row.versionId >= newest && (row.place.size > 1 || !row.place.has(0)));
  return { rows: meant, certain: meant.every((row) => row.versionId === newest && row.place.size === 1) };
}

function without<T>(values: Set<T>, value: T): T[] {
  return [...values].filter((one) => one !== value);
}

interface Documents {
  description: string;
  versions?: {
    versionId: number;
    name?: string;
    deployables?: { sha256?: string }[];
    instances?: { instanceId: number; instanceName: string; state: string; processes: number; envId?: number }[];
  }[];
}

/**
 * Holds what was read against what may be, and takes what was read for certain from now on, where nothing else can change it. Returns what
 * contradicts.
 */
export function compareApp(app: AppBelief, document: Json): string[] {
  const wrong: string[] = [];
  const { description, versions = [] } = document as unknown as Documents;
  app.mayBeGone = false;
  if (!app.description.has(description)) wrong.push(`description ${description} instead of ${list(app.description)}`);
  set(app.description, [description], 'done');
  for (const version of [...app.versions.values()]) {
    if (versions.some((one) => one.versionId === version.versionId)) version.mayBeGone = false;
    else if (version.mayBeGone) app.versions.delete(version.versionId);
    else wrong.push(`version ${version.versionId} is gone`);
  }
  for (const read of versions) {
    const sha256 = read.deployables?.[0]?.sha256 ?? '';
    const unanswered = app.maybeVersions.find((one) => one.name === read.name);
    if (!app.versions.has(read.versionId) && unanswered) {
      const { name, word } = unanswered;
      const made = {
        versionId: read.versionId,
        name,
        word,
        sha256: unanswered.sha256,
        instances: new Map(),
        mayBeGone: false,
      };
      app.versions.set(read.versionId, made);
    }
    const version = app.versions.get(read.versionId);
    if (!version) wrong.push(`version ${read.versionId} (${read.name}) was never made, or was deleted`);
    else {
      if (version.sha256 !== sha256)
        wrong.push(`version ${read.versionId} holds ${sha256} instead of ${version.sha256}`);
      wrong.push(...compareRows(app, version, read.instances ?? []));
    }
  }
  app.maybeVersions = [];
  app.maybeInstances = [];
  return wrong;
}

function compareRows(
  app: AppBelief,
  version: VersionBelief,
  read: NonNullable<NonNullable<Documents['versions']>[number]['instances']>,
): string[] {
  const wrong: string[] = [];
  const { versionId, instances } = version;
  for (const row of [...instances.values()]) {
    if (read.some((one) => one.instanceId === row.instanceId)) row.mayBeGone = false;
    else if (row.mayBeGone) instances.delete(row.instanceId);
    else wrong.push(`instance ${versionId}.${row.instanceId} is gone`);
  }
  for (const { instanceId, instanceName, envId = 0 } of read) {
    const isUnanswered = app.maybeInstances.some((one) => one.versionId === versionId && one.name === instanceName);
    if (!instances.has(instanceId) && isUnanswered)
      instances.set(instanceId, newRow(versionId, instanceId, instanceName));
    const row = instances.get(instanceId);
    if (!row) {
      wrong.push(`instance ${versionId}.${instanceId} (${instanceName}) was never made, or was deleted`);
      continue;
    }
    if (!row.place.has(envId))
      wrong.push(`instance ${versionId}.${instanceId} is on ${envId} instead of ${list(row.place)}`);
    set(row.place, [envId], 'done');
  }
  return wrong;
}

export function newRow(versionId: number, instanceId: number, name: string): Row {
  const nowhere = { place: new Set([0]), run: new Set<string>(), processes: new Set([1]) };
  return { versionId, instanceId, name, ...nowhere, mayBeGone: false };
}

/** States and numbers of processes, which a platform may change for a while: to be asked when everything rests. */
export function compareRuns(app: AppBelief, document: Json): string[] {
  const { versions = [] } = document as unknown as Documents;
  return rowsOf(app).flatMap((row) => {
    const read = versions
      .find((one) => one.versionId === row.versionId)
      ?.instances?.find((one) => one.instanceId === row.instanceId);
    if (!read || read.envId === undefined) return [];
    const what = `instance ${row.versionId}.${row.instanceId}`;
    const state = read.state.toUpperCase();
    return [
      ...(row.run.has(state) ? [] : [`${what} is ${state} instead of ${list(row.run)}`]),
      ...(row.processes.has(read.processes)
        ? []
        : [`${what} has ${read.processes} processes instead of ${list(row.processes)}`]),
    ];
  });
}

export function compareEnv(env: EnvBelief, document: Json): string[] {
  const { description, platform } = document as { description: string; platform: string };
  env.mayBeGone = false;
  const wrong: string[] = [];
  if (platform !== env.platform) wrong.push(`platform ${platform} instead of ${env.platform}`);
  if (!env.description.has(description)) wrong.push(`description ${description} instead of ${list(env.description)}`);
  set(env.description, [description], 'done');
  return wrong;
}

export function list(values: Iterable<unknown>): string {
  return [...values].join(' or ');
}
