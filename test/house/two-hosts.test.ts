import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { stopAll } from '../../src/conpaas/cloud/local.js';
import { eventually } from '../support/conditions.js';
import { speaker } from '../support/gateway.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';
import { rawRequest } from '../support/raw-request.js';
import { finished, openStage, type Served, type Stage } from '../support/stage.js';

const missing = postgresMissing();
if (missing) test.skip(`two gateway hosts with an embedded platform on one PostgreSQL: ${missing}`, () => {});

const EXAMPLE = join(import.meta.dirname, '../../examples/hello-static');

(missing ? describe.skip : describe)('two gateway hosts with an embedded platform on one PostgreSQL', () => {
  let server: PostgresServer;
  let stage: Stage;
  let other: string;
  let environment: Record<string, string>;
  const serveOther = () => stage.serve({ ...environment, COAPS_DATA: other });

  beforeAll(async () => {
    server = await startPostgres();
    stage = await openStage();
    other = join(stage.directory, 'other');
    // Artefacts lie where both see them, as on a network's file system.
    const artefacts = join(stage.data, 'artefacts');
    mkdirSync(artefacts, { recursive: true });
    mkdirSync(other);
    symlinkSync(artefacts, join(other, 'artefacts'));
    environment = {
      COAPS_DATABASE_URL: await server.createDatabase(),
      COAPS_SECRET_KEY: 'one for both, as README says, and long enough',
      COAPS_PLATFORM_CP_ADAPTER: 'conpaas',
      COAPS_PLATFORM_CP_EMBEDDED: 'true',
      COAPS_PLATFORM_MEM_ADAPTER: 'memory',
      COAPS_DEFAULT_PLATFORM: 'CP',
    };
  }, 60_000);
  afterAll(async () => {
    await stage?.close();
    await stopAll(other);
    await server?.stop();
  }, 60_000);

  interface Pushed {
    appId: number;
    versionId: number;
    instanceId: number;
    envId: number;
    url: string;
  }

  async function push(served: Served): Promise<Pushed> {
    const { code, stdout, stderr } = await finished(stage.coaps(['push', EXAMPLE, '--json'], { env: served.env }));
    expect({ code, stderr: code === 0 ? '' : stderr + served.child.stderr() }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Pushed;
  }

  const agentsOf = (data: string) => {
    const folder = join(data, 'conpaas', 'agents');
    return existsSync(folder) ? readdirSync(folder) : [];
  };
  const pathOf = ({ appId, versionId, instanceId }: Pushed) =>
    `/app/${appId}/version/${versionId}/instance/${instanceId}`;

  async function succeeds(served: Served, method: string, path: string): Promise<string> {
    const { status, text } = await served.request(path, { method });
    expect({ path, status, text: status === 200 ? '' : text }).toEqual({ path, status: 200, text: '' });
    return text;
  }

  test('one runs it for both, keeps what it made while it is away, and leaves it to the other when nothing is left', async () => {
    let one = await stage.serve(environment);
    const two = await serveOther();
    expect(two.child.stdout()).not.toContain('Director');

    const pushed = await push(two);
    expect([agentsOf(stage.data).length, agentsOf(other)]).toEqual([1, []]);
    expect((await rawRequest(pushed.url)).status).toBe(200);
    expect(await succeeds(two, 'GET', pathOf(pushed))).toContain('state="STARTED"');
    expect((await two.request('/environment/info')).text).toContain('static');

    expect(await one.child.kill('SIGTERM')).toBe(0);
    const stop = { method: 'POST', headers: { Prefer: 'respond-async' } };
    const asked = await two.request(`${pathOf(pushed)}/action/stop`, stop);
    expect(asked.status).toBe(202);
    const memory = { ...two, ...speaker(two.base.replace('/CP-api', '/MEM-api')) };
    const create = {
      method: 'POST',
      headers: { 'Content-Type': 'application/xml' },
      body: '<paas_environment_manifest><paas_environment name="later"/></paas_environment_manifest>',
    };
    const made = await memory.request('/environment', create);
    expect({ status: made.status, text: made.text }).toMatchObject({ status: 200 });
    expect((await two.request('/task?pageSize=2&page=1')).text).toContain('<status>PENDING</status>');
    expect((await rawRequest(pushed.url)).status).toBe(200);

    one = await stage.serve(environment);
    await eventually(async () => {
      expect((await two.request(pathOf(pushed))).text).toContain('state="STOPPED"');
    }, 60);

    await succeeds(one, 'DELETE', `/app/${pushed.appId}`);
    expect(agentsOf(stage.data)).toEqual([]);
    expect(await one.child.kill('SIGTERM')).toBe(0);
    const ours = await eventually(async () => {
      const made = await two.request('/environment', create);
      expect({ status: made.status, text: made.text }).toMatchObject({ status: 200 });
      return made.text;
    }, 60);
    expect(ours).toContain('later');
  }, 300_000);
});
