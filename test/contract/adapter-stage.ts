import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type {
  AdapterCall,
  AdapterErrorKind,
  ArtefactSource,
  DeploymentKey,
  DeploymentReport,
  DeploymentSpec,
  EnvironmentSpec,
  PlatformAdapter,
} from '../../adapters/adapter.js';
import type { EnvironmentNode } from '../../src/domain/model.js';
import { makeZip } from './archive.js';

/** Ends a trouble. */
export type Mend = () => Promise<void> | void;

/** Switches for what goes wrong on a platform. A suite names those that it is `without`. */
export interface AdapterTrouble {
  /** Nobody answers at the platform's address, or everything is 5xx. */
  down?(): Promise<Mend> | Mend;
  /** Every answer, or every piece of work, takes far longer than a test would wait. */
  slow?(): Promise<Mend> | Mend;
  /** The next few requests are answered with 429. */
  throttled?(): Promise<Mend> | Mend;
  /** The platform no longer takes the gateway's credentials. */
  locked?(): Promise<Mend> | Mend;
  /** Staging (build) fails with a log. */
  stagingFails?(): Promise<Mend> | Mend;
  /** Applications crash when they are started. */
  crashes?(): Promise<Mend> | Mend;
}

/** One platform on which the suite runs an adapter. */
export interface AdapterBench {
  /** An adapter on this platform as a gateway with that installation id opens it. The suite closes it. */
  open(installation: string): Promise<PlatformAdapter>;
  /** Two contents of one type that the platform can run. Without it: two small directories with an `index.html`. */
  artefacts?: { first: ArtefactSource; second: ArtefactSource };
  /** Nodes of every environment; none without it. */
  nodes?: EnvironmentNode[];
  /** Everything on the platform, strangers' things too, by name or id: shows what an adapter leaves behind and does not tell. */
  objects?(): Promise<string[]>;
  /** Started deployments really answer at their uri. */
  serves?: boolean;
  trouble?: AdapterTrouble;
  close(): Promise<void>;
}

/** What one case works with: an adapter of an installation of its own. */
export interface Stage {
  bench: AdapterBench;
  adapter: PlatformAdapter;
  installation: string;
  artefacts: { first: ArtefactSource; second: ArtefactSource };
  /** Another adapter on the same platform: of the same installation (a gateway that was started again), or of a stranger. */
  open(installation?: string): Promise<PlatformAdapter>;
  environment(changes?: Partial<EnvironmentSpec>): EnvironmentSpec;
  deployment(changes?: Partial<Omit<DeploymentSpec, 'key'>> & { key?: Partial<DeploymentKey> }): DeploymentSpec;
  /** What the platform itself says of the deployment now. */
  seen(key: DeploymentKey): Promise<DeploymentReport | undefined>;
  /** A sorted list of everything on the platform. */
  everything(): Promise<string[]>;
  /** Undeploys and deletes everything of this installation. */
  clear(): Promise<void>;
}

/** More steps than any adapter tells in one deploy: loops over them end by themselves long before. */
export const MOST_STEPS = 40;

/** The environments that cases may make. */
const ENVIRONMENTS = [1, 2];

export function call(
  signal: AbortSignal = new AbortController().signal,
  step: AdapterCall['step'] = () => {},
): AdapterCall {
  return { signal, step };
}

export function newInstallation(): string {
  return `t${randomBytes(4).toString('hex').slice(0, 7)}`;
}

export async function openStage(bench: AdapterBench): Promise<Stage & { close(): Promise<void> }> {
  const installation = newInstallation();
  const opened: PlatformAdapter[] = [];
  const open = async (id = installation): Promise<PlatformAdapter> => {
    const adapter = await bench.open(id);
    opened.push(adapter);
    return adapter;
  };
  const adapter = await open();
  const artefacts = bench.artefacts ?? (await defaultArtefacts());
  const environment = (changes: Partial<EnvironmentSpec> = {}): EnvironmentSpec => ({
    ...{ installation, envId: 1, name: 'JavaWebEnv', nodes: bench.nodes ?? [], variables: { GREETING: 'hello' } },
    ...changes,
  });
  const seen = async (key: DeploymentKey) => (await adapter.observe(call())).find((one) => sameKey(one.key, key));
  return {
    ...{ bench, adapter, installation, artefacts, open, environment, seen },
    deployment({ key, ...changes } = {}) {
      const spec = changes.environment ?? environment();
      return {
        ...{ versionId: 1, applicationName: 'PetClinic', environment: spec, artefact: artefacts.first, processes: 1 },
        ...changes,
        key: { installation: spec.installation, appId: 1, envId: spec.envId, instanceId: 1, ...key },
      };
    },
    async everything() {
      const names = bench.objects ? await bench.objects() : (await adapter.observe(call())).map((one) => one.ref);
      return names.sort();
    },
    async clear() {
      for (const { key } of await adapter.observe(call())) await adapter.undeploy(key, call());
      for (const envId of ENVIRONMENTS) await adapter.deleteEnvironment({ installation, envId }, call());
    },
    async close() {
      await cleanUp(adapter, installation).finally(() => Promise.all(opened.map((one) => one.close())));
    },
  };
}

/** A failed case leaves its things; the next case must not see them. */
async function cleanUp(adapter: PlatformAdapter, installation: string): Promise<void> {
  const limit = call(AbortSignal.timeout(30_000));
  for (const { key } of await adapter.observe(limit).catch(() => []))
    await adapter.undeploy(key, limit).catch(() => {});
  for (const envId of ENVIRONMENTS) await adapter.deleteEnvironment({ installation, envId }, limit).catch(() => {});
}

export function sameKey(a: DeploymentKey, b: DeploymentKey): boolean {
  return (
    a.installation === b.installation && a.appId === b.appId && a.envId === b.envId && a.instanceId === b.instanceId
  );
}

/** Equal as data: what an adapter gives may come from another realm (structuredClone in jest), which deepEqual would call different. */
export function same(actual: unknown, expected: unknown, message?: string): void {
  const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
  assert.deepEqual(plain(actual), plain(expected), message);
}

/** Asserts that `work` fails with one of the kinds, and gives the error's text. */
export async function refused(work: Promise<unknown>, ...kinds: AdapterErrorKind[]): Promise<string> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error as Error & { kind?: string },
  );
  assert.ok(outcome, `expected a refusal (${kinds.join(' or ')}), but it went well`);
  assert.ok(
    kinds.includes(outcome.kind as AdapterErrorKind),
    `expected ${kinds.join(' or ')}, not ${outcome.kind ?? outcome.name}: ${outcome.message}`,
  );
  return outcome.message;
}

/** The text at a deployment's address, once it answers 200. */
export async function answerOf(uri: string | undefined): Promise<string> {
  assert.ok(uri, 'a deployment has a uri');
  const response = await fetch(uri, { signal: AbortSignal.timeout(10_000) });
  assert.equal(response.status, 200, `${uri} answers`);
  return response.text();
}

export function artefactOf(name: string, type: ArtefactSource['type'], bytes: Buffer): ArtefactSource {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { name, type, size: bytes.length, sha256, open: () => Readable.from(chunks(bytes)) };
}

function* chunks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 16_384) yield bytes.subarray(at, at + 16_384);
}

async function defaultArtefacts(): Promise<{ first: ArtefactSource; second: ArtefactSource }> {
  const page = async (word: string) =>
    artefactOf(
      'site.zip',
      'zip',
      await makeZip({ 'index.html': `<h1>${word}</h1>`, 'noise.bin': randomBytes(40_000) }),
    );
  return { first: await page('first'), second: await page('second') };
}
