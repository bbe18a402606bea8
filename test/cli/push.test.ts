import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rawRequest } from '../support/raw-request.js';
import { finished, openStage, type Served, type Stage } from '../support/stage.js';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLES = join(ROOT, 'examples');

let stage: Stage;
afterAll(() => stage.close());

function run(args: string[], served: Served) {
  return finished(stage.coaps(args, { env: served.env }));
}

/** Tomcat and a JDK, as build.sh looks for them. */
const hasTomcat = ['/usr/share/tomcat10', '/usr/share/tomcat11', process.env['CATALINA_HOME'] ?? ''].some(
  (folder) => folder !== '' && existsSync(join(folder, 'lib')),
);
const hasJdk = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'javac')));

describe('coaps push, on the embedded platform', () => {
  let served: Served;
  beforeAll(async () => {
    stage = await openStage();
    served = await stage.serve();
  });

  it('brings plain files to a URL; pushed again, a new version is there at the same URL', async () => {
    const site = join(stage.directory, 'site');
    cpSync(join(EXAMPLES, 'hello-static'), site, { recursive: true });
    const first = await run(['push', site], served);
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^http:\/\/\S+\n$/) });
    for (const step of [
      'Packed site',
      'Created environment',
      'Created application',
      'Created version 1',
      'Deployed',
      'Started',
    ])
      expect(first.stderr).toContain(step);
    const url = first.stdout.trim();
    expect((await rawRequest(url)).text).toContain('Hello from <em>plain files</em>');

    writeFileSync(join(site, 'index.html'), '<h1>The second version</h1>');
    const second = await run(['push', site, '--json'], served);
    expect(JSON.parse(second.stdout)).toMatchObject({ name: 'site', versionId: 2, url });
    expect((await rawRequest(url)).text).toBe('<h1>The second version</h1>');
    expect(second.stderr).not.toContain('Created environment');
  });

  it('brings a Node program to a URL, from a directory and from a zip', async () => {
    const { code, stdout, stderr } = await run(['push', join(EXAMPLES, 'hello-node'), '--name', 'hello'], served);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/Created application \d+ "hello"/) });
    const answer = await rawRequest(stdout.trim());
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('<h1>Hello from Node</h1>');
  });

  const war = hasTomcat && hasJdk ? it : it.skip;
  war(
    'brings a war to a URL',
    async () => {
      const file = join(stage.directory, 'greeting.war');
      execFileSync(join(EXAMPLES, 'hello-war/build.sh'), [file], { stdio: 'pipe' });
      const { code, stdout, stderr } = await run(['push', file], served);
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('Started') });
      expect((await rawRequest(stdout.trim())).text).toContain('Apache Tomcat/');
    },
    180_000,
  );

  it('tells why an application does not start, with its last words, and leaves the way open for the next push', async () => {
    const folder = join(stage.directory, 'broken');
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"name": "broken", "version": "1.0.0", "main": "server.js"}');
    writeFileSync(join(folder, 'server.js'), "console.error('the database is on holiday'); process.exit(3);");
    const failed = await run(['push', folder], served);
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toContain('the database is on holiday');
    expect(failed.stderr.trim().split('\n').at(-1)).toMatch(/^coaps: Task \d+ failed: /);

    writeFileSync(
      join(folder, 'server.js'),
      "require('node:http').createServer((q, a) => a.end('mended')).listen(process.env.PORT, process.env.HOST);",
    );
    const mended = await run(['push', folder], served);
    expect(mended).toMatchObject({ code: 0 });
    expect((await rawRequest(mended.stdout.trim())).text).toBe('mended');
  });
});

describe('coaps push, on a simulated platform', () => {
  let served: Served;
  beforeAll(async () => {
    await stage.close();
    stage = await openStage();
    served = await stage.serve({ COAPS_PLATFORM_MEM_ADAPTER: 'memory', COAPS_PLATFORM_OTHER_ADAPTER: 'memory' });
  });

  it('packs a directory without version control, and without node_modules where a lock lies beside', async () => {
    const folder = join(stage.directory, 'app');
    for (const inner of ['.git', 'node_modules/x', 'lib/node_modules/y'])
      mkdirSync(join(folder, inner), { recursive: true });
    for (const file of [
      '.git/config',
      'node_modules/x/index.js',
      'lib/node_modules/y/index.js',
      'package.json',
      'package-lock.json',
      '.env',
    ])
      writeFileSync(join(folder, file), '{}');
    symlinkSync('lib', join(folder, 'link'));
    const { code, stdout } = await run(['push', folder, '--json'], served);
    expect(code).toBe(0);
    const { appId } = JSON.parse(stdout) as { appId: number };
    const zip = await served.request(`/artefact/${appId}/1/app.zip`);
    const file = join(stage.directory, 'back.zip');
    writeFileSync(file, zip.body);
    const names = await entriesOf(file);
    expect(names).toEqual([
      '.env',
      'lib/',
      'lib/node_modules/',
      'lib/node_modules/y/',
      'lib/node_modules/y/index.js',
      'link',
      'package-lock.json',
      'package.json',
    ]);
  });

  it('takes the platform and the container that it is told', async () => {
    const site = join(EXAMPLES, 'hello-static');
    const pushed = await run(['push', site, '--platform', 'OTHER', '--env-container', 'node', '--json'], served);
    const { envId } = JSON.parse(pushed.stdout) as { envId: number };
    const environment = await served.request(`/environment/${envId}`);
    expect(environment.text).toMatch(/platform="OTHER"/);
    expect(environment.text).toContain('<entry key="container" value="node"/>');
    const unknown = await run(['push', site, '--name', 'x', '--env-container', 'cobol'], served);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringMatching(/coaps: InvalidValue: .*cobol/) });
  });

  it('asks which one when several applications have the name', async () => {
    const body = '<m><paas_application name="twin"/></m>';
    const ids: string[] = [];
    for (let count = 0; count < 2; count++) {
      const { text } = await served.request('/app', { method: 'POST', body });
      ids.push(/appId="(\d+)"/.exec(text)?.[1] ?? '');
    }
    const site = join(EXAMPLES, 'hello-static');
    const { code, stderr } = await run(['push', site, '--name', 'twin'], served);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `coaps: Several applications are named "twin" (${ids.join(', ')}): choose one with --app.\n`,
    });
    const chosen = await run(['push', site, '--name', 'twin', '--app', ids[1] ?? '', '--json'], served);
    expect(JSON.parse(chosen.stdout)).toMatchObject({ appId: Number(ids[1]) });
  });

  it('refuses what cannot be pushed, before anything is made', async () => {
    const before = (await served.request('/app')).text;
    const empty = join(stage.directory, 'empty');
    mkdirSync(empty);
    const leading = join(stage.directory, 'leading');
    mkdirSync(leading);
    symlinkSync('/etc/passwd', join(leading, 'index.html'));
    const cases: [string, RegExp][] = [
      ['nothing-here', /nothing-here cannot be read: there is no such file or directory/],
      [empty, /is empty: there is nothing to push/],
      [
        join(EXAMPLES, 'hello-static/index.html'),
        /index\.html is no archive: push a directory, or a zip, war, ear or jar/,
      ],
      [leading, /links to \/etc\/passwd, outside of the directory/],
    ];
    for (const [path, said] of cases) {
      const { code, stdout, stderr } = await run(['push', path], served);
      expect({ path, code, stdout }).toEqual({ path, code: 2, stdout: '' });
      expect(stderr).toMatch(said);
    }
    expect((await served.request('/app')).text).toBe(before);
  });
});

async function entriesOf(file: string): Promise<string[]> {
  const { default: yauzl } = await import('yauzl');
  const zip = await yauzl.openPromise(file);
  const names: string[] = [];
  for await (const entry of zip.eachEntry()) names.push(entry.fileName);
  return names.sort();
}
