import { text } from 'node:stream/consumers';
import { createManagerClients, type ManagerApi } from '../../adapters/conpaas/client.js';
import { deploy } from '../../adapters/conpaas/deploy.js';
import { createDirectorApi } from '../../adapters/conpaas/director.js';
import { UnknownMethod } from '../../adapters/conpaas/errors.js';
import * as lifecycle from '../../adapters/conpaas/lifecycle.js';
import { logs } from '../../adapters/conpaas/logs.js';
import { createEnvironment, deleteEnvironment } from '../../adapters/conpaas/services.js';
import { readSettings } from '../../adapters/conpaas/settings.js';
import { allStatuses, type Work } from '../../adapters/conpaas/work.js';
import { openSystem, type SystemRig } from '../conpaas/system-rig.js';
import { application, call, environment, page, spec } from '../support/conpaas-specs.js';

let rig: SystemRig;

beforeAll(async () => {
  rig = await openSystem();
}, 60_000);
afterAll(() => rig?.close(), 60_000);

/** Methods and endpoints that a ConPaaS of 2015 does not have. */
const OURS = ['get_settings', 'update_settings', 'reset', 'undo', 'get_application_log'];

async function oldConpaas(): Promise<Work> {
  const settings = await readSettings({ options: { ...rig.conpaas.adapterOptions } });
  const director = createDirectorApi(settings);
  const managers = createManagerClients(settings);
  const without = (asking: ManagerApi['get']): ManagerApi['get'] => {
    return async (method, parameters) => {
      if (OURS.includes(method)) throw new UnknownMethod(method);
      return await asking(method, parameters);
    };
  };
  return {
    settings,
    installation: 'old12345',
    call: call(),
    director: { ...director, statuses: async () => undefined, runtimes: async () => undefined },
    managers: {
      ...managers,
      at(address, given) {
        const manager = managers.at(address, given);
        return { ...manager, get: without(manager.get), post: without(manager.post) };
      },
    },
  };
}

test('a ConPaaS that knows nothing of ours is driven by the methods of 2012 alone', async () => {
  const work = await oldConpaas();
  const env = environment({ installation: 'old12345', variables: { GREETING: 'hello' } });
  const key = { installation: 'old12345', appId: 1, envId: 1, instanceId: 1 };
  await createEnvironment(work, env);
  const { remarks, state } = await deploy(work, await spec({ key, environment: env }));
  expect(state).toBe('STOPPED');
  expect(remarks).toEqual([expect.stringContaining('GREETING')]);
  await expect(lifecycle.scale(work, key, 2)).rejects.toMatchObject({ kind: 'not-supported' });
  const started = await lifecycle.start(work, key);
  expect(started).toMatchObject({ state: 'STARTED', processes: 1, versionId: 1 });
  expect(await page(started.uri)).toBe('one undefined');
  expect(await lifecycle.scale(work, key, 2)).toMatchObject({ processes: 2 });
  const again = await deploy(
    work,
    await spec({ key, environment: env, versionId: 2, artefact: await application('two') }),
  );
  expect(again).toMatchObject({ state: 'STARTED', versionId: 2, uri: started.uri });
  expect(await page(again.uri)).toBe('two undefined');
  expect(await lifecycle.scale(work, key, 1)).toMatchObject({ processes: 1 });
  expect(await allStatuses(work, () => true)).toHaveLength(1);
  expect(await lifecycle.stop(work, key)).toMatchObject({ state: 'STOPPED' });
  expect(await text(await logs(work, key, { lines: 5, follow: false }))).toBeDefined();
  await lifecycle.undeploy(work, key);
  await deleteEnvironment(work, env);
  expect(await work.director.services(call().signal)).toEqual([]);
  work.director.close();
  work.managers.close();
}, 180_000);
