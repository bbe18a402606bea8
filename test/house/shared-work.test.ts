import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { makeZip } from '../contract/archive.js';
import { type FakeCloudFoundry, startCloudFoundry } from '../support/cloudfoundry.js';
import { eventually } from '../support/conditions.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';
import { rawRequest } from '../support/raw-request.js';
import { openStage, PASSWORD, type Served, type Stage } from '../support/stage.js';

const missing = postgresMissing();
if (missing) test.skip(`gateways that share their work: ${missing}`, () => {});

const GATEWAY = join(import.meta.dirname, '../support/killed-gateway.mjs');
/** Longer than any test has patience: what ends before was not waited for. */
const FOR_EVER = '3600';
const MANIFEST = `<paas_manifest name="M"><paas_application name="Shop" environement="E"><paas_application_version name="v1" label="1">
<paas_application_version_instance name="Instance1"/></paas_application_version></paas_application>
<paas_environment name="E" template="T"><paas_environment_template name="T"/></paas_environment></paas_manifest>`;
const ONE = ['app', 'droplet', 'package', 'route'];

(missing ? describe.skip : describe)('of two gateways on one PostgreSQL', () => {
  let server: PostgresServer;
  let fake: FakeCloudFoundry;
  let stage: Stage;
  let other: Served;
  let environment: Record<string, string>;
  const serve = (lease: string, data = stage.data) =>
    stage.serve({ ...environment, COAPS_DATA: data }, { path: GATEWAY, args: [join(stage.directory, 'never'), lease] });

  beforeAll(async () => {
    server = await startPostgres();
    fake = await startCloudFoundry({ pace: 0.0005 });
    stage = await openStage();
    const data = join(stage.directory, 'other');
    // Artefacts lie where both see them, as on a network's file system.
    mkdirSync(join(stage.data, 'artefacts'), { recursive: true });
    mkdirSync(data);
    symlinkSync(join(stage.data, 'artefacts'), join(data, 'artefacts'));
    const platforms = { CF: { adapter: 'cloudfoundry', ...fake.options({ pollInterval: 0.02 }) } };
    const config = { platforms, limits: { shutdown: 5 }, management: { port: 0 } };
    writeFileSync(join(stage.directory, 'coaps.yaml'), stringify(config));
    environment = {
      COAPS_DATABASE_URL: await server.createDatabase(),
      COAPS_SECRET_KEY: 'one for both, as README says, and long enough',
    };
    other = await serve(FOR_EVER, data);
  }, 120_000);
  afterAll(async () => {
    await stage?.close();
    await fake?.close();
    await server?.stop();
  }, 60_000);

  async function answered(served: Served, method: string, path: string, body?: string | FormData): Promise<string> {
    const content = new Response(body ?? null);
    const bytes = Buffer.from(await content.arrayBuffer());
    const type = typeof body === 'string' ? 'application/xml' : (content.headers.get('content-type') ?? '');
    const sent = body === undefined ? {} : { headers: { 'Content-Type': type }, body: bytes };
    const answer = await served.request(path, { method, ...sent });
    expect({ path, status: answer.status, text: answer.status === 200 ? '' : answer.text }).toMatchObject({
      status: 200,
    });
    return answer.text;
  }

  /** The deploy of a new application on a new environment, and the moment at which `served` waits for Cloud Foundry in the midst of it. */
  async function begin(served: Served) {
    const envId = Number(/envId="(\d+)"/.exec(await answered(served, 'POST', '/environment', MANIFEST))?.[1]);
    const appId = Number(/appId="(\d+)"/.exec(await answered(served, 'POST', '/app', MANIFEST))?.[1]);
    const form = new FormData();
    form.set('file', new Blob([new Uint8Array(await makeZip({ 'index.html': `shop ${appId}` }))]), 'site.zip');
    await answered(served, 'POST', `/app/${appId}/version`, form);
    const slow = 'slow at POST /v3/builds';
    const before = fake.trouble.happened.filter((one) => one === slow).length;
    fake.trouble.plan({ fault: { kind: 'slow', milliseconds: 600_000 }, on: /POST \/v3\/builds/ });
    const path = `/app/${appId}/action/deploy/env/${envId}`;
    const answer = served.request(path, { method: 'POST' }).catch(() => undefined);
    await eventually(() => {
      expect(fake.trouble.happened.filter((one) => one === slow)).toHaveLength(before + 1);
    });
    return { appId, answer, version: `/app/${appId}/version/2` };
  }

  const newest = async (served: Served) => (await answered(served, 'GET', '/task?page=1&pageSize=1')) ?? '';
  const succeeds = () => eventually(async () => expect(await newest(other)).toContain('<status>SUCCEEDED'), 60);
  const kinds = () => fake.inventory().map((line) => line.split(' ')[0]);
  const clear = async ({ appId }: { appId: number }) => {
    await answered(other, 'DELETE', `/app/${appId}`);
    expect(fake.inventory()).toEqual([]);
  };

  test('one that is paused loses its task to the other, and writes nothing any more when it wakes up', async () => {
    const paused = await serve('1.5');
    const begun = await begin(paused);
    paused.child.process.kill('SIGSTOP');
    fake.trouble.clear();
    await succeeds();
    const tasks = await answered(other, 'GET', '/task');
    const application = await answered(other, 'GET', `/app/${begun.appId}`);
    const inventory = fake.inventory();
    expect(kinds()).toEqual(ONE);
    paused.child.process.kill('SIGCONT');
    await eventually(() => expect(paused.child.stderr()).toContain('taken over by another gateway'));
    // It waited for the task as its client did, and tells how it ended.
    expect(await begun.answer).toMatchObject({ status: 200 });
    const seen = (document: string) => document.replaceAll(paused.origin, other.origin);
    expect(seen(await answered(paused, 'GET', '/task'))).toBe(tasks);
    expect(seen(await answered(paused, 'GET', `/app/${begun.appId}`))).toBe(application);
    expect(fake.inventory()).toEqual(inventory);
    expect(await paused.child.kill('SIGTERM')).toBe(0);
    await clear(begun);
  }, 300_000);

  test('one that is ended takes nothing new, and gives its task to the other and its address to who waits', async () => {
    const ended = await serve(FOR_EVER);
    const [, management = ''] = await ended.child.printed(/Management\s+(\S+)\n/);
    expect((await rawRequest(`${management}/health/ready`)).status).toBe(200);
    const begun = await begin(ended);
    expect((await rawRequest(`${management}/metrics`)).text).toContain(
      'coaps_upstream_request_duration_seconds_count{platform="CF",method="POST",status="201"}',
    );
    const { hostname, port } = new URL(ended.origin);
    const late = connect(Number(port), hostname).on('error', () => undefined);
    const head = `POST /CF-api/rest/environment HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${btoa(`admin:${PASSWORD}`)}\r\n`;
    late.write(`${head}Expect: 100-continue\r\nContent-Length: ${MANIFEST.length}\r\n\r\n`);
    // The gateway has begun with it, and waits for its body.
    await new Promise((resolve) => late.once('data', resolve));
    ended.child.process.kill('SIGTERM');
    await eventually(async () => expect((await rawRequest(`${management}/health/ready`)).status).toBe(503));
    expect((await rawRequest(`${management}/health/live`)).status).toBe(200);
    late.write(MANIFEST);
    expect(await text(late)).toMatch(/^HTTP\/1\.1 503 .*retry-after: 5.*shutting down/is);
    const answer = await begun.answer;
    expect(answer).toMatchObject({ status: 202, headers: { location: expect.stringMatching(/\/task\/\d+$/) } });
    expect(await ended.child.exited).toBe(0);
    fake.trouble.clear();
    await succeeds();
    expect(kinds()).toEqual(ONE);
    await clear(begun);
  }, 300_000);

  test('one that was killed takes up its own task at its next start, and nobody waits for the lease', async () => {
    const killed = await serve(FOR_EVER);
    const begun = await begin(killed);
    await killed.child.kill('SIGKILL');
    fake.trouble.clear();
    const next = await serve(FOR_EVER);
    await succeeds();
    expect(next.child.stderr()).toContain('its tasks go on now');
    expect(kinds()).toEqual(ONE);
    await clear(begun);
  }, 300_000);
});
