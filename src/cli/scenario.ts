import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { childrenOf, readXml, type XmlElement } from './answer.js';
import type { GatewayAnswer, GatewayClient } from './client.js';
import { CommandFault } from './fault.js';
import { uploadBody } from './upload.js';
import { type Markup, xml } from './xml.js';

/** The actions of the specification's usage scenario (§8), as a client of the XML API does them. */

export interface Target {
  appId: string;
  versionId: string;
  instanceId: string;
  envId: string;
}

/** What a person reads while an action runs. */
export type Report = (text: string) => void;

export interface Scenario {
  createEnvironment(name: string, container: string | undefined): Promise<string>;
  createApplication(name: string): Promise<string>;
  createApplicationVersion(appId: string, file: string, fileName: string, report: Report): Promise<string>;
  createApplicationVersionInstance(appId: string, versionId: string): Promise<string>;
  deployApplication(target: Target, report: Report): Promise<void>;
  startApplicationVersionInstance(target: Target, report: Report): Promise<void>;
  /** State and address of an instance. */
  describe(target: Target): Promise<{ state: string; url: string | undefined }>;
}

export function createScenario(gateway: GatewayClient, signal: AbortSignal): Scenario {
  return {
    async createEnvironment(name, container) {
      const node = container === undefined ? [] : [xml`<paas_node content_type="container" name="${container}"/>`];
      const manifest = xml`<paas_manifest name="${name}"><paas_application><paas_environment name="${name}"><paas_configuration_template name="${name}">${node}</paas_configuration_template></paas_environment></paas_application></paas_manifest>`;
      const environment = await post('/environment', manifest, 'environment');
      return attribute(environment, 'envId');
    },
    async createApplication(name) {
      const manifest = xml`<paas_manifest name="${name}"><paas_application name="${name}" environment="${name}"/></paas_manifest>`;
      return attribute(await post('/app', manifest, 'application'), 'appId');
    },
    async createApplicationVersion(appId, file, fileName, report) {
      const manifest = xml`<paas_manifest name="${fileName}"><paas_application><paas_version><paas_deployable name="${fileName}" content_type="artifact"/></paas_version></paas_application></paas_manifest>`;
      const body = await uploadBody(file, fileName, String(manifest), (sent, total) =>
        report(`${megabytes(sent)} of ${megabytes(total)}`),
      );
      const answer = await gateway.send({ method: 'POST', path: `/app/${appId}/version`, body, signal });
      return attribute(readXml(await text(answer.body), 'version'), 'versionId');
    },
    async createApplicationVersionInstance(appId, versionId) {
      const manifest = xml`<paas_manifest><paas_application><paas_version><paas_version_instance name="Instance1" default_instance="true"/></paas_version></paas_application></paas_manifest>`;
      return attribute(await post(`/app/${appId}/version/${versionId}/instance`, manifest, 'instance'), 'instanceId');
    },
    async deployApplication(target, report) {
      await act(`/environment/${target.envId}/action/deploy${instancePath(target)}`, report);
    },
    async startApplicationVersionInstance(target, report) {
      await act(`${instancePath(target)}/action/start`, report);
    },
    async describe(target) {
      const instance = await get(instancePath(target), 'instance');
      const url = childrenOf(instance, 'uri')[0]?.text || undefined;
      return { state: (instance.attributes['state'] ?? instance.attributes['status'] ?? '').toUpperCase(), url };
    },
  };

  async function post(path: string, manifest: Markup, root: string): Promise<XmlElement> {
    const body = { type: 'application/xml', content: `<?xml version="1.0" encoding="UTF-8"?>\n${manifest}` };
    const answer = await gateway.send({ method: 'POST', path, body, signal });
    return readXml(await text(answer.body), root);
  }

  async function get(path: string, root: string): Promise<XmlElement> {
    return readXml(await text((await gateway.send({ method: 'GET', path, signal })).body), root);
  }

  /** A durable action, followed by its task so that each step is seen. */
  async function act(path: string, report: Report): Promise<void> {
    const answer = await gateway.send({ method: 'POST', path, headers: { Prefer: 'respond-async' }, signal });
    if (answer.status === 202) await followTask(gateway, answer, report, signal);
    else answer.body.resume();
  }
}

/** Waits until the task of a 202 answer has ended; a FAILED or CANCELLED one is a fault with the task's own words. */
export async function followTask(
  gateway: GatewayClient,
  accepted: GatewayAnswer,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  let task = readXml(await text(accepted.body), 'task');
  const taskId = attribute(task, 'taskId');
  for (let pause = 100; ; pause = Math.min(pause * 1.3, 1000)) {
    const status = attribute(task, 'status');
    if (status === 'SUCCEEDED') return;
    if (status === 'FAILED' || status === 'CANCELLED') {
      const error = childrenOf(task, 'error')[0];
      const reason = error?.attributes['value'] ?? error?.text ?? '';
      throw new CommandFault(
        `Task ${taskId} ${status === 'FAILED' ? 'failed' : 'was cancelled'}${reason && `: ${reason}`}`,
      );
    }
    report(progressOf(task));
    await delay(pause, undefined, { signal }).catch(() => {
      throw new CommandFault(`Interrupted; the gateway goes on with task ${taskId}.`);
    });
    const answer = await gateway.send({ method: 'GET', path: `/task/${taskId}`, signal });
    task = readXml(await text(answer.body), 'task');
  }
}

function progressOf(task: XmlElement): string {
  const step = childrenOf(task, 'step').at(-1)?.attributes;
  if (!step) return 'waiting for its turn';
  const remark = step['text'] ?? '';
  const progress = step['progress'] && step['progress'] !== '100' ? ` ${step['progress']} %` : '';
  return `${step['name'] ?? ''}${progress}${remark && `: ${remark}`}`;
}

function instancePath({ appId, versionId, instanceId }: Target): string {
  return `/app/${appId}/version/${versionId}/instance/${instanceId}`;
}

function attribute(element: XmlElement, name: string): string {
  const value = element.attributes[name];
  if (value === undefined) throw new CommandFault(`The gateway's <${element.name}> has no ${name}.`);
  return value;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
