import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { idOf, readRows, readThing, recordsOf } from './answer.js';
import type { GatewayClient } from './client.js';
import { CommandFault } from './fault.js';
import { packDirectory } from './pack.js';
import { runStages, type Stage } from './progress.js';
import { createScenario, requestOf, type Target } from './scenario.js';
import { sizeText } from './show.js';
import type { Terminal } from './terminal.js';

export interface PushOptions {
  /** Of the application; without it the name of the directory or file. */
  name?: string | undefined;
  /** Which one, where several have this name. */
  app?: string | undefined;
  /** e.g. `tomcat`; without it the artefact tells. */
  envContainer?: string | undefined;
}

export type Pushed = Target & { name: string; url: string };

/**
 * Brings a directory, zip or war to a URL: the specification's usage scenario (§8) for a new application; for one that exists a new
 * version in the old one's place, at the same URL.
 */
export async function push(
  path: string,
  options: PushOptions,
  gateway: GatewayClient,
  terminal: Terminal,
): Promise<Pushed> {
  const source = resolve(terminal.directory, path);
  const stats = await stat(source).catch(() => undefined);
  if (!stats) throw new CommandFault(`${path} cannot be read: there is no such file or directory.`, 2);
  if (!stats.isDirectory()) await assertArchive(source, path);
  const name = options.name ?? basename(source, stats.isDirectory() ? '' : extname(source));
  const work = await mkdtemp(join(tmpdir(), 'coaps-push-'));
  try {
    const artefact = stats.isDirectory() ? join(work, `${name.replace(/[^\w.-]/g, '_')}.zip`) : source;
    const packing = stats.isDirectory() ? [pack(source, artefact)] : [];
    return await deliver(name, artefact, packing, options, gateway, terminal);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Before anything is made on a platform for it. */
async function assertArchive(file: string, shown: string): Promise<void> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4);
    if (buffer.toString('latin1') === 'PK\u0003\u0004') return;
  } finally {
    await handle.close();
  }
  throw new CommandFault(`${shown} is no archive: push a directory, or a zip, war, ear or jar.`, 2);
}

function pack(directory: string, artefact: string): Stage {
  return {
    title: `Pack ${basename(directory)}`,
    run: async () => {
      await packDirectory(directory, artefact);
      return `Packed ${basename(directory)}, ${sizeText((await stat(artefact)).size)}`;
    },
  };
}

async function deliver(
  name: string,
  artefact: string,
  packing: Stage[],
  options: PushOptions,
  gateway: GatewayClient,
  terminal: Terminal,
): Promise<Pushed> {
  const scenario = createScenario(gateway, terminal.interrupted);
  const known = await findApplication(gateway, name, options.app);
  const target: Target = { appId: known?.appId ?? 0, versionId: 0, instanceId: 0, envId: known?.envId ?? 0 };
  let url = '';
  const stages: Stage[] = [...packing];
  if (known?.envId === undefined)
    stages.push({
      title: 'Create the environment',
      run: async () => {
        target.envId = await scenario.createEnvironment(name, options.envContainer);
        return `Created environment ${target.envId}`;
      },
    });
  if (!known)
    stages.push({
      title: 'Create the application',
      run: async () => {
        target.appId = await scenario.createApplication(name);
        return `Created application ${target.appId} "${name}"`;
      },
    });
  stages.push(
    {
      title: 'Create a version and upload the artefact',
      run: async (report) => {
        target.versionId = await scenario.createApplicationVersion(target.appId, artefact, basename(artefact), report);
        return `Created version ${target.versionId} of application ${target.appId}`;
      },
    },
    {
      title: 'Create an instance',
      run: async () => {
        target.instanceId = await scenario.createApplicationVersionInstance(target.appId, target.versionId);
        return `Created instance ${target.instanceId}`;
      },
    },
    {
      title: 'Deploy',
      run: async (report) => {
        await scenario.deployApplication(target, report);
        return `Deployed on environment ${target.envId}`;
      },
    },
    {
      title: 'Start',
      run: async (report) => {
        await scenario.startApplicationVersionInstance(target, report);
        const described = await scenario.describe(target);
        if (described.state !== 'STARTED')
          throw new CommandFault(`The application is ${described.state} after its start.`);
        if (!described.url) throw new CommandFault('The application is STARTED, but the platform gave it no URL.');
        url = described.url;
        return 'Started';
      },
    },
  );
  await runStages(stages, terminal);
  return { name, ...target, url };
}

/** The application of this name, with the environment on which its first instance is deployed or for which it was pushed. */
async function findApplication(
  gateway: GatewayClient,
  name: string,
  chosen: string | undefined,
): Promise<{ appId: number; envId: number | undefined } | undefined> {
  const appIds = chosen === undefined ? await idsOf(gateway, 'applications', name) : [Number(chosen)];
  const [appId] = appIds;
  if (appId === undefined) return undefined;
  if (appIds.length > 1)
    throw new CommandFault(
      `Several applications are named "${name}" (${appIds.join(', ')}): choose one with --app.`,
      2,
    );
  const answer = await gateway.send(requestOf('describeApplication', { appId }));
  const versions = recordsOf(await readThing('application', answer.body), 'versions');
  const instances = versions.toReversed().flatMap((version) => recordsOf(version, 'instances'));
  const deployed = instances.find((instance) => instance['envId'] !== undefined);
  // After a failed first push nothing is deployed: its environment still waits for the next one.
  return { appId, envId: deployed ? idOf(deployed, 'envId') : (await idsOf(gateway, 'environments', name)).at(-1) };
}

async function idsOf(gateway: GatewayClient, kind: 'applications' | 'environments', name: string): Promise<number[]> {
  const action = kind === 'applications' ? 'findApplications' : 'findEnvironments';
  const answer = await gateway.send({ ...requestOf(action, {}), query: { name } });
  return (await readRows(kind, answer.body)).map((row) => idOf(row, 'id'));
}
