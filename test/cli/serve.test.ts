import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { rawRequest } from '../support/raw-request.js';
import { finished, openStage, PASSWORD, type Stage } from '../support/stage.js';

/** The platform that needs least: these tests are about the process. */
const MEMORY = { COAPS_PLATFORM_MEM_ADAPTER: 'memory' };

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

describe('coaps serve', () => {
  it('prints its addresses when it is ready, and ends with 0 on SIGTERM', async () => {
    const { child, base, request } = await stage.serve(MEMORY);
    expect(base).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/MEM-api\/rest$/);
    expect((await request('/')).status).toBe(200);
    expect(await child.kill('SIGTERM')).toBe(0);
    expect(child.stdout()).toBe(`COAPS API  ${base}\n`);
    expect(stage.processes()).toEqual([]);
  });

  it('prints each platform, the default one first, and the Director of the embedded one', async () => {
    const { child } = await stage.serve({
      ...MEMORY,
      COAPS_PLATFORM_CP_ADAPTER: 'conpaas',
      COAPS_PLATFORM_CP_EMBEDDED: 'true',
      COAPS_DEFAULT_PLATFORM: 'CP',
    });
    expect(child.stdout()).toMatch(
      /^COAPS API {2}\S+\/CP-api\/rest\nCOAPS API {2}\S+\/MEM-api\/rest\nDirector {3}https:\/\/127\.0\.0\.1:\d+\n$/,
    );
  });

  it("generates the admin's password at the first start and shows it once, on stdout alone", async () => {
    const { child, base } = await stage.serve({ ...MEMORY, COAPS_ADMIN_PASSWORD: '', COAPS_LOG_LEVEL: 'debug' });
    const [, password = ''] = await child.printed(/the user is admin, the password (\S+) \(shown this once\)/);
    expect((await rawRequest(`${base}/user`, { user: `admin:${password}` })).status).toBe(200);
    expect(child.stderr()).not.toContain(password);
    await child.kill('SIGTERM');
    const again = await stage.serve({ ...MEMORY, COAPS_ADMIN_PASSWORD: '' });
    expect(again.child.stdout()).not.toContain('password');
    expect((await rawRequest(again.base, { user: `admin:${password}` })).status).toBe(200);
  });

  it('takes COAPS_ADMIN_PASSWORD at the first start only', async () => {
    const first = await stage.serve(MEMORY);
    await first.child.kill('SIGTERM');
    const second = await stage.serve({ ...MEMORY, COAPS_ADMIN_PASSWORD: 'another-password' });
    expect((await rawRequest(second.base, { user: 'admin:another-password' })).status).toBe(401);
    expect((await rawRequest(second.base, { user: `admin:${PASSWORD}` })).status).toBe(200);
  });

  it('keeps its data for itself: the directory is private, and a second gateway on it is refused', async () => {
    const first = await stage.serve(MEMORY);
    expect(statSync(stage.data).mode & 0o777).toBe(0o700);
    const files = readdirSync(stage.data, { recursive: true, encoding: 'utf8' });
    const open = files.filter((name) => (statSync(join(stage.data, name)).mode & 0o077) !== 0);
    expect([open, files]).toEqual([[], expect.arrayContaining(['coaps.db', 'gateway.id', 'secret.key', 'artefacts'])]);
    const env = { ...MEMORY, COAPS_DATA: stage.data, COAPS_PORT: '0' };
    const second = await finished(stage.coaps(['serve'], { env }));
    expect(second).toEqual({
      code: 1,
      stdout: '',
      stderr: `coaps: ${stage.data} is in use by another gateway (process ${first.child.process.pid}): end that one, or set COAPS_DATA to another directory.\n`,
    });
    expect((await first.request('/')).status).toBe(200);
  });

  it('can be started again at once after SIGKILL', async () => {
    const first = await stage.serve(MEMORY);
    const created = await first.request('/app', { method: 'POST', body: '<m><paas_application name="A"/></m>' });
    expect(created.status).toBe(200);
    await first.child.kill('SIGKILL');
    const second = await stage.serve(MEMORY);
    expect((await second.request('/app/1')).status).toBe(200);
  });

  it('tells all faults of the configuration, and ends with 2', async () => {
    writeFileSync(join(stage.directory, 'coaps.yaml'), 'listen: {port: high}\nplatfroms: {}\n');
    const { code, stdout, stderr } = await finished(stage.coaps(['serve']));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('coaps.yaml:1:10 listen.port: expected a whole number');
    expect(stderr).toContain('coaps.yaml:2:1 platfroms: is no setting');
  });

  it('says in one line that a port is taken, leaves nothing, and ends with 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { port } = other.address() as { port: number };
      const env = { ...MEMORY, COAPS_DATA: stage.data, COAPS_PORT: String(port) };
      const { code, stdout, stderr } = await finished(stage.coaps(['serve'], { env }));
      const said = `coaps: Cannot listen on 127.0.0.1:${port}: another process listens there.\n`;
      expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: said });
    } finally {
      other.close();
    }
  });

  it('logs JSON lines on stderr', async () => {
    const { child, request } = await stage.serve({ ...MEMORY, COAPS_LOG_LEVEL: 'info' });
    const body = '<m><paas_environment name="E"/></m>';
    expect((await request('/environment', { method: 'POST', body })).status).toBe(200);
    await child.kill('SIGTERM');
    const lines = child.stderr().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toContainEqual(
      expect.objectContaining({ action: 'createEnvironment', level: 30 }),
    );
  });

  it('answers health and metrics on a port of their own', async () => {
    const { child, request } = await stage.serve({ ...MEMORY, COAPS_MANAGEMENT_PORT: '0' });
    const [, management = ''] = await child.printed(/Management\s+(\S+)\n/);
    await request('/app');
    expect(await rawRequest(`${management}/health`)).toMatchObject({ status: 200, text: '{"status":"ok"}\n' });
    const metrics = await rawRequest(`${management}/metrics`);
    expect(metrics.text).toMatch(
      /coaps_request_duration_seconds_count\{action="findApplications",method="GET",status="200"\} 1/,
    );
    expect((await rawRequest(`${management}/`)).status).toBe(404);
  });

  it('shows its version and, with --help, every setting', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await finished(stage.coaps(['--version']))).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const help = await finished(stage.coaps(['serve', '--help']));
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('listen.port (COAPS_PORT)');
    expect(help.stdout).toContain('COAPS_PLATFORM_NAME_API_URL');
    // The list of processes would show it.
    const argued = await finished(stage.coaps(['serve', '--admin.password', 'hunter22']));
    expect(argued).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('unknown option') });
    expect(argued.stderr).not.toContain('hunter22');
  });
});
