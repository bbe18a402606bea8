import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { filledPath, type PathValues } from '../api/lookup.js';
import { type ActionKey, TABLE } from '../api/table.js';
import type { ApplicationDescriptor, Manifest } from '../domain/manifest.js';
import { writeManifest } from '../representations/manifest-writer.js';
import type { WireRecord } from '../representations/shape.js';
import { idOf, readThing, recordsOf, textOf } from './answer.js';
import type { GatewayAnswer, GatewayClient, GatewayRequest } from './client.js';
import { CommandFault } from './fault.js';
import { sizeText } from './show.js';
import { uploadBody } from './upload.js';

/** The actions of the specification's usage scenario (§8), as a client of the XML API does them. */
export interface Scenario {
  createEnvironment(name: string, container: string | undefined): Promise<number>;
  createApplication(name: string): Promise<number>;
  createApplicationVersion(appId: number, file: string, fileName: string, report: Report): Promise<number>;
  createApplicationVersionInstance(appId: number, versionId: number): Promise<number>;
  deployApplication(target: Target, report: Report): Promise<void>;
  startApplicationVersionInstance(target: Target, report: Report): Promise<void>;
  describe(target: Target): Promise<{ state: string; url: string | undefined }>;
}

export type Target = { appId: number; versionId: number; instanceId: number; envId: number };

/** What a person reads while an action runs. */
export type Report = (text: string) => void;

export function createScenario(gateway: GatewayClient, signal: AbortSignal): Scenario {
  return {
    async createEnvironment(name, container) {
      const nodes = container === undefined ? [] : [{ name: container, contentType: 'container' }];
      const body = document({ environment: { name, template: name, nodes, variables: {} } });
      return idOf(await readThing('environment', await send('createEnvironment', {}, { body })), 'envId');
    },
    async createApplication(name) {
      const body = document({ application: { name, environmentName: name, versions: [] } });
      return idOf(await readThing('application', await send('createApplication', {}, { body })), 'appId');
    },
    async createApplicationVersion(appId, file, name, report) {
      const deployable = { name, contentType: 'artifact' as const };
      const manifest = writeManifest({ application: versionOf({ deployables: [deployable], instances: [] }) });
      const body = await uploadBody(file, name, manifest, (sent, total) =>
        report(`${sizeText(sent)} of ${sizeText(total)}`),
      );
      return idOf(await readThing('version', await send('createApplicationVersion', { appId }, { body })), 'versionId');
    },
    async createApplicationVersionInstance(appId, versionId) {
      const instance = { name: 'Instance1', defaultInstance: true };
      const body = document({ application: versionOf({ deployables: [], instances: [instance] }) });
      const answer = await send('createApplicationVersionInstance', { appId, versionId }, { body });
      return idOf(await readThing('instance', answer), 'instanceId');
    },
    deployApplication: (target, report) => act('deployApplication', target, report),
    startApplicationVersionInstance: (target, report) => act('startApplicationVersionInstance', target, report),
    async describe(target) {
      const instance = await readThing('instance', await send('describeApplicationVersionInstance', target, {}));
      return { state: textOf(instance, 'state'), url: textOf(instance, 'uri') || undefined };
    },
  };

  async function send(action: ActionKey, params: PathValues, more: Partial<GatewayRequest>): Promise<Readable> {
    return (await gateway.send({ ...requestOf(action, params), ...more, signal })).body;
  }

  /** A durable action, followed by its task so that each step is seen. */
  async function act(action: ActionKey, target: Target, report: Report): Promise<void> {
    const headers = { Prefer: 'respond-async' };
    const answer = await gateway.send({ ...requestOf(action, target), headers, signal });
    if (answer.status === 202) await followTask(gateway, answer, report, signal);
    else answer.body.resume();
  }
}

/** Method and path of an action, from its row. */
export function requestOf(action: ActionKey, params: PathValues): Pick<GatewayRequest, 'method' | 'path'> {
  const { method, path } = TABLE[action];
  return { method, path: filledPath(path, params) ?? path };
}

function document(manifest: Manifest): NonNullable<GatewayRequest['body']> {
  return { type: 'application/xml', content: writeManifest(manifest) };
}

function versionOf(version: ApplicationDescriptor['versions'][number]): ApplicationDescriptor {
  return { versions: [version] };
}

/** Waits until the task of a 202 answer has ended; a FAILED or CANCELLED one is a fault with the task's own words. */
async function followTask(
  gateway: GatewayClient,
  accepted: GatewayAnswer,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  let task = await readThing('task', accepted.body);
  const taskId = idOf(task, 'taskId');
  for (let pause = 100; ; pause = Math.min(pause * 1.3, 1000)) {
    const status = textOf(task, 'status');
    if (status === 'SUCCEEDED') return;
    if (status === 'FAILED' || status === 'CANCELLED') {
      const reason = textOf((task['error'] ?? {}) as WireRecord, 'value');
      throw new CommandFault(
        `Task ${taskId} ${status === 'FAILED' ? 'failed' : 'was cancelled'}${reason && `: ${reason}`}`,
      );
    }
    report(progressOf(task));
    await delay(pause, undefined, { signal }).catch(() => {
      throw new CommandFault(`Interrupted; the gateway goes on with task ${taskId}.`);
    });
    task = await readThing('task', (await gateway.send({ ...requestOf('getTask', { taskId }), signal })).body);
  }
}

function progressOf(task: WireRecord): string {
  const steps = recordsOf(task, 'steps');
  const step = steps.findLast((one) => one['state'] === 'RUNNING') ?? steps.at(-1);
  if (!step) return 'waiting for its turn';
  const progress = step['progress'];
  const percent = typeof progress === 'number' && progress < 100 ? ` ${progress} %` : '';
  const remark = textOf(step, 'text');
  return `${textOf(step, 'name')}${percent}${remark && `: ${remark}`}`;
}
