import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ConpaasApplication, ConpaasService } from '../../domain/conpaas.js';
import { Fault } from '../../domain/errors.js';
import type { Answer } from '../http/answer.js';
import { INITIAL_CODE } from '../manager/code-repository.js';
import { RpcError } from '../manager/method.js';
import { ownApplication } from './applications.js';
import { type Director, type Endpoint, FALSE, failure, parameter, TRUE, told, type UserCall } from './endpoint.js';
import { type Manifest, type ManifestService, readManifest } from './manifest.js';
import { createService, stopService } from './services.js';

/** A whole application as one JSON document. */
export const MANIFEST_ENDPOINTS: readonly Endpoint[] = [
  { methods: ['POST'], path: '/upload_manifest', who: 'user', run: uploadManifest },
  { methods: ['POST'], path: '/download_manifest/:aid', who: 'user', run: downloadManifest },
  { methods: ['GET'], path: '/download_data/:name', who: 'anyone', run: downloadData },
];

/** Without `thread` it answers when everything is as described, or nothing of it remains. */
async function uploadManifest(director: Director, call: UserCall): Promise<Answer> {
  let manifest: Manifest | undefined;
  try {
    manifest = readManifest(parameter(call, 'manifest') ?? '');
  } catch (error) {
    return told(error);
  }
  if (!manifest) return FALSE;
  const missing = manifest.services.map(({ type }) => director.missing(type)).find((text) => text !== undefined);
  if (missing !== undefined) return failure(missing);
  const application = await newApplication(director, call.user.uid, manifest.application);
  const making = makeServices(director, call, application, manifest.services);
  if (parameter(call, 'thread') === undefined) return await making;
  making.catch((error: unknown) => director.log.error({ err: error }, 'A manifest could not be carried out'));
  return TRUE;
}

/** `name`, `name (2)`, … */
async function newApplication({ store }: Director, uid: number, name: string): Promise<ConpaasApplication> {
  for (let number = 1; ; number++) {
    const made = await store.createApplication(uid, number === 1 ? name : `${name} (${number})`);
    if (made) return made;
  }
}

async function makeServices(
  director: Director,
  call: UserCall,
  application: ConpaasApplication,
  wanted: readonly ManifestService[],
): Promise<Answer> {
  try {
    // What starts after a database is told of it.
    const inOrder = [...wanted].sort((a, b) => Number(b.type === 'mysql') - Number(a.type === 'mysql'));
    for (const service of inOrder) await makeService(director, call, application, service);
    return TRUE;
  } catch (error) {
    const services = await director.store.services({ aid: application.aid });
    for (const service of services) await stopService(director, service);
    await director.managers.ended(services.map(({ sid }) => sid));
    await director.store.deleteApplication(application.aid);
    if (error instanceof RpcError) return failure(error.message);
    return told(error);
  }
}

async function makeService(
  director: Director,
  call: UserCall,
  application: ConpaasApplication,
  wanted: ManifestService,
): Promise<void> {
  const { managers, incoming } = director;
  const made = await createService(director, call.user, { type: wanted.type, application, name: wanted.name });
  if (typeof made === 'string') throw new RpcError(made);
  const { sid } = made;
  const ask = (name: string, parameters = {}) => managers.ask(sid, { kind: 'POST', name, parameters });
  const upload = async (name: string, field: string, url: string) => {
    const path = join(incoming, randomBytes(12).toString('hex'));
    try {
      const file = { field, path, name: await fetchTo(director, url, path), size: (await stat(path)).size };
      return await managers.ask(sid, { kind: 'UPLOAD', name, files: [file] });
    } finally {
      await rm(path, { force: true });
    }
  };
  if (wanted.startupScript !== undefined) await upload('upload_startup_script', 'script', wanted.startupScript);
  const settings: Record<string, unknown> = {};
  if (Object.keys(wanted.variables).length > 0) settings['variables'] = wanted.variables;
  if (wanted.memory !== undefined) settings['memory'] = wanted.memory;
  if (wanted.archive !== undefined) {
    const uploaded = await upload('upload_code_version', 'code', wanted.archive);
    settings['codeVersionId'] = (uploaded as { codeVersionId: string }).codeVersionId;
  }
  if (Object.keys(settings).length > 0) await ask('update_settings', settings);
  if (!wanted.start) return;
  await ask('startup');
  await resting(director, sid);
  if (wanted.password !== undefined) await ask('set_password', { user: 'mysqldb', password: wanted.password });
  if (wanted.dump !== undefined) await upload('load_dump', 'mysqldump_file', wanted.dump);
  const more = moreNodes(wanted.instances);
  if (Object.keys(more).length === 0) return;
  await ask('add_nodes', more);
  await resting(director, sid);
}

/** One of a role is what a started service has; two or more backends or webs get nodes of their own. */
function moreNodes(instances: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(instances).flatMap(([role, count]) =>
      count <= 1 ? [] : [[role, role === 'proxy' || role === 'node' ? count - 1 : count]],
    ),
  );
}

async function resting({ managers, store }: Director, sid: number): Promise<void> {
  await managers.settled(sid);
  const service = await store.service(sid);
  if (service?.state !== 'RUNNING') throw new RpcError(service?.reason || `Service ${sid} did not start`);
}

/** Returns the file's name. */
async function fetchTo(director: Director, url: string, path: string): Promise<string> {
  const own = /\/download_data\/([^/?#]+)$/.exec(url)?.[1];
  const kept = own === undefined ? undefined : await director.userData.find(own);
  if (kept !== undefined && own !== undefined) {
    await copyFile(kept, path);
    return own.slice(own.indexOf('-') + 1);
  }
  if (!director.fetchArchive) throw new RpcError(`This ConPaaS fetches nothing from elsewhere: ${url.slice(0, 200)}`);
  try {
    await pipeline(await director.fetchArchive(url), createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    await rm(path, { force: true });
    throw new Fault('InvalidValue', `${url.slice(0, 200)} cannot be fetched.`, { cause: error });
  }
  return new URL(url).pathname.split('/').at(-1) || 'archive';
}

async function downloadManifest(director: Director, call: UserCall): Promise<Answer> {
  const application = await ownApplication(director, call);
  if (!application) return FALSE;
  const services = await director.store.services({ aid: application.aid });
  const described = await Promise.all(services.map((service) => describe(director, service)));
  return { json: { Services: described, Application: application.name } };
}

async function describe(director: Director, service: ConpaasService): Promise<Record<string, unknown>> {
  const { settings, counts, codeVersionId } = service.current;
  const { startupScript, variables, memory } = settings;
  const url = (name: string) => `${director.url()}/download_data/${name}`;
  const version = (await director.store.codeVersions(service.sid)).find((one) => one.codeVersionId === codeVersionId);
  const archive =
    version && codeVersionId !== INITIAL_CODE
      ? await director.userData.keepFile(
          director.managers.codeFile(service.sid, codeVersionId),
          version.filename,
          version.sha256,
        )
      : undefined;
  return {
    Type: service.type,
    ServiceName: service.name,
    Cloud: service.cloud,
    Start: service.state === 'RUNNING' || service.state === 'ADAPTING' ? 1 : 0,
    StartupInstances: Object.fromEntries(Object.entries(counts).map(([role, count]) => [role, Math.max(1, count)])),
    ...(startupScript === undefined
      ? {}
      : { StartupScript: url(await director.userData.keepText(startupScript, 'startup.sh')) }),
    ...(archive === undefined ? {} : { Archive: url(archive) }),
    ...(Object.keys(variables).length === 0 ? {} : { Variables: variables }),
    ...(memory === undefined ? {} : { Memory: memory }),
  };
}

async function downloadData(
  { userData }: Director,
  { path }: { path: Readonly<Record<string, string>> },
): Promise<Answer> {
  const { name = '' } = path;
  const file = await userData.find(name);
  // The original answers so, and no client expects anything else.
  if (file === undefined) return { bytes: Buffer.alloc(0), type: 'application/octet-stream', name };
  return { file, name: name.slice(name.indexOf('-') + 1) };
}
