import { randomBytes } from 'node:crypto';
import type { DeploymentKey, DeploymentSpec, EnvironmentSpec } from '../../adapters/adapter.js';
import type { OpenShiftAdapter } from '../../adapters/openshift/index.js';
import { artefactOf } from '../contract/adapter-stage.js';
import { makeZip } from '../contract/archive.js';
import { type FakeOpenShift, type FakeOptions, startFakeOpenShift } from './openshift.js';
import { openAdapter } from './openshift-bench.js';

export const INSTALLATION = 'abcdefgh';
export const PROJECT = `coaps-${INSTALLATION}-e1`;
export const KEY: DeploymentKey = { installation: INSTALLATION, appId: 1, envId: 1, instanceId: 1 };

export const ENVIRONMENT: EnvironmentSpec = {
  installation: INSTALLATION,
  envId: 1,
  name: 'Shop',
  nodes: [],
  variables: {},
};

export interface OpenShiftStage {
  fake: FakeOpenShift;
  adapter: OpenShiftAdapter;
  /** Another adapter of the same installation: a gateway that was started again. */
  again(options?: Record<string, unknown>): Promise<OpenShiftAdapter>;
  /** A deployment of a page that says the word. */
  page(word: string, changes?: Partial<DeploymentSpec>): Promise<DeploymentSpec>;
}

/** Runs a test on a cluster of its own, with an adapter as alice's. */
export async function onOpenShift(
  test: (stage: OpenShiftStage) => Promise<void>,
  { fake: fakeOptions = {}, options = {} }: { fake?: FakeOptions; options?: Record<string, unknown> } = {},
): Promise<void> {
  const fake = await startFakeOpenShift(fakeOptions);
  const opened: OpenShiftAdapter[] = [];
  const again = async (more: Record<string, unknown> = {}): Promise<OpenShiftAdapter> => {
    const adapter = await openAdapter(fake, INSTALLATION, { ...options, ...more });
    opened.push(adapter);
    return adapter;
  };
  try {
    const adapter = await again();
    await test({
      fake,
      adapter,
      again,
      async page(word, changes = {}) {
        const bytes = await makeZip({ 'index.html': word, 'noise.bin': randomBytes(2000) });
        const artefact = artefactOf('page.zip', 'zip', bytes);
        return {
          key: KEY,
          versionId: 1,
          applicationName: 'Pet Clinic',
          environment: ENVIRONMENT,
          artefact,
          processes: 1,
          ...changes,
        };
      },
    });
  } finally {
    await Promise.all(opened.map((one) => one.close()));
    await fake.close();
  }
}

/** The error of a call that has to fail. */
export async function failureOf(work: Promise<unknown>): Promise<{ kind: string; message: string }> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error as { kind: string; message: string },
  );
  if (outcome === undefined) throw new Error('it went well');
  return outcome;
}
