import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/conditions.js';
import { rawRequest } from '../support/raw-request.js';
import { finished, openStage, type Served, type Stage } from '../support/stage.js';

/** The gateway's process dies; the embedded platform and the store have to be in order afterwards. */

const EXAMPLE = join(import.meta.dirname, '../../examples/hello-node');
const KILLED = join(import.meta.dirname, '../support/killed-gateway.mjs');

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

interface Pushed {
  appId: number;
  versionId: number;
  instanceId: number;
  envId: number;
  url: string;
}

async function push(served: Served): Promise<Pushed> {
  const { code, stdout, stderr } = await finished(stage.coaps(['push', EXAMPLE, '--json'], { env: served.env }));
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout) as Pushed;
}

async function succeeds(served: Served, method: string, path: string): Promise<string> {
  const { status, text } = await served.request(path, { method });
  expect({ path, status, text: status === 200 ? '' : text }).toEqual({ path, status: 200, text: '' });
  return text;
}

/** 0: nobody listens. */
async function statusAt(url: string): Promise<number> {
  return await rawRequest(url).then(
    ({ status }) => status,
    () => 0,
  );
}

describe('a gateway that is killed while an application runs', () => {
  it('leaves it running, shows it STARTED when it is back, stops it, and leaves no process after undeploy', async () => {
    const first = await stage.serve();
    const { appId, versionId, instanceId, envId, url } = await push(first);
    await first.child.kill('SIGKILL');
    expect((await rawRequest(url)).text).toContain('Hello from Node');

    const second = await stage.serve();
    expect((await rawRequest(url)).text).toContain('Hello from Node');
    const instance = `/app/${appId}/version/${versionId}/instance/${instanceId}`;
    const seen = await second.request(instance, { headers: { 'Cache-Control': 'no-cache' } });
    expect(seen.text).toContain('state="STARTED"');
    expect(await succeeds(second, 'POST', `${instance}/action/stop`)).toContain('state="STOPPED"');
    expect(await statusAt(url)).not.toBe(200);
    await succeeds(second, 'POST', `/environment/${envId}/action/undeploy${instance}`);
    expect(stage.processes()).toEqual([second.child.process.pid]);
    await succeeds(second, 'DELETE', `/app/${appId}`);
    await succeeds(second, 'DELETE', `/environment/${envId}`);
  });
});

describe('a gateway that is killed in the middle of a deploy', () => {
  it('ends the deploy when it is back, at whatever moment it died, and the next deploy works', async () => {
    const order = join(stage.directory, 'order');
    const script = { path: KILLED, args: [order] };
    let served = await stage.serve({}, script);
    const { appId, versionId, instanceId, envId } = await push(served);
    const instance = `/app/${appId}/version/${versionId}/instance/${instanceId}`;
    const deploy = `/environment/${envId}/action/deploy${instance}`;
    const undeploy = `/environment/${envId}/action/undeploy${instance}`;
    await succeeds(served, 'POST', undeploy);
    const idle = stage.processes();

    writeFileSync(order, 'never');
    await succeeds(served, 'POST', deploy);
    rmSync(order);
    await succeeds(served, 'POST', undeploy);
    const moments = distinct(
      [...served.child.stdout().matchAll(/^moment (\S+) (\S+)$/gm)].map(([, step, moment]) => `${step} ${moment}`),
    );
    expect(moments.length).toBeGreaterThanOrEqual(4);

    for (const { at, moment } of moments) {
      writeFileSync(order, String(at));
      const asked = served
        .request(deploy, { method: 'POST', headers: { Prefer: 'respond-async' } })
        .catch(() => undefined);
      expect({ moment, ended: await served.child.exited }).toEqual({ moment, ended: 'SIGKILL' });
      await asked;
      rmSync(order);

      served = await stage.serve({}, script);
      const ended = await eventually(async () => {
        const { text } = await served.request('/task?pageSize=1&page=1');
        expect(text).toContain('<name>deployApplication</name>');
        expect(text).toMatch(/<status>(SUCCEEDED|FAILED)<\/status>/);
        return text.includes('SUCCEEDED') ? 'STOPPED' : 'CREATED';
      }, 90);
      expect({ moment, text: (await served.request(instance)).text }).toMatchObject({
        moment,
        text: expect.stringContaining(`state="${ended}"`),
      });
      await succeeds(served, 'POST', deploy);
      await succeeds(served, 'POST', `${instance}/action/start`);
      const address = /<uri>(http[^<]+)<\/uri>/.exec((await served.request(instance)).text)?.[1] ?? '';
      expect((await rawRequest(address)).text).toContain('Hello from Node');
      await succeeds(served, 'POST', undeploy);
      // One process: the gateway itself. Whatever a half-done deploy began is gone.
      expect({ moment, running: stage.processes() }).toEqual({ moment, running: [served.child.process.pid] });
    }
    expect(idle).toHaveLength(1);
  }, 900_000);
});

/** A step begins where the one before was recorded; of the many reports of one step the first and the last are enough. */
function distinct(moments: string[]): { at: number; moment: string }[] {
  return moments
    .map((moment, at) => ({ at, moment }))
    .filter(({ at, moment }) => {
      if (!moment.endsWith(' told')) return true;
      return !moments[at - 1]?.endsWith(' told') || !moments[at + 1]?.endsWith(' told');
    });
}
