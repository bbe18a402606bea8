import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zip } from '../archives/pack.js';
import { eventually } from '../support/conditions.js';
import { rawRequest } from '../support/raw-request.js';
import { finished, openStage, type Served, type Stage } from '../support/stage.js';

/** What strangers send and deploy, against a whole gateway: each ends in an error that says why, and leaves nothing. */

let stage: Stage;
let served: Served;
beforeAll(async () => {
  stage = await openStage();
  served = await stage.serve({ COAPS_LOG_LEVEL: 'error' });
});
afterAll(() => stage.close());

const upload = (content: Buffer) => ({
  method: 'POST',
  headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
  body: Buffer.concat([
    Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'),
    content,
    Buffer.from('\r\n--b--\r\n'),
  ]),
});

/** Regular files below a folder. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('documents', () => {
  const LAUGHS = '<!DOCTYPE m [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><m><paas_application name="&b;"/></m>';
  test.each([
    ['malformed', '<m><paas_application name="A"></m>', 400, 'InvalidValue', /line 1/],
    ['of another root', '<html><body/></html>', 400, 'InvalidValue', /descriptor/],
    ['empty', '', 400, 'MissingParameter', /descriptor/],
    ['an entity bomb', LAUGHS, 400, 'InvalidValue', /DOCTYPE/],
    [
      'of twenty megabytes',
      `<m><paas_application name="${'A'.repeat(20 * 1024 ** 2)}"/></m>`,
      413,
      'PayloadTooLarge',
      /1048576/,
    ],
  ])('%s', async (_name, body, status, code, said) => {
    const answer = await served.request('/app', {
      method: 'POST',
      headers: { 'Content-Type': 'application/xml' },
      body,
    });
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(`code="${code}"`);
    expect(answer.text).toMatch(said);
    expect((await served.request('/app')).text).not.toContain('<application>');
  });

  test('an unknown container', async () => {
    const body =
      '<m><paas_environment name="E"><paas_environment_template name="T"><paas_environment_node content_type="container" name="cobol"/></paas_environment_template></paas_environment></m>';
    const answer = await served.request('/environment', { method: 'POST', body });
    expect(answer).toMatchObject({ status: 400, text: expect.stringMatching(/code="InvalidValue"/) });
    expect(answer.text).toMatch(/node/);
  });

  test('an unknown id', async () => {
    for (const path of ['/app/9', '/environment/9', '/task/999', '/app/9/version/1/instance/1'])
      expect(await served.request(path)).toMatchObject({
        status: 404,
        text: expect.stringContaining('code="NotFound"'),
      });
  });
});

describe('archives', () => {
  const index = { name: 'index.html', content: 'hello' };
  const zeros = [1, 2, 3].map((n) => ({ name: `zeros${n}`, content: Buffer.alloc(1024), announced: 2 ** 32 - 1 }));
  test.each([
    ['that leave upwards', zip([index, { name: '../x', content: 'x' }])],
    ['with absolute names', zip([index, { name: '/etc/x', content: 'x' }])],
    ['with a link that leaves', zip([index, { name: 'link', content: '../../../etc/passwd', mode: 0o120777 }])],
    ['that unpack to twelve gigabytes', zip(zeros)],
    ['that are none', Buffer.from('not an archive at all')],
  ])('%s', async (_name, content) => {
    const made = await served.request('/app', { method: 'POST', body: '<m><paas_application name="A"/></m>' });
    const appId = /appId="(\d+)"/.exec(made.text)?.[1];
    const answer = await served.request(`/app/${appId}/version`, upload(content));
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('code="InvalidValue"') });
    expect((await served.request(`/app/${appId}/version`)).text).not.toContain('<version>');
    expect(filesIn(join(stage.data, 'artefacts'))).toEqual([]);
    await served.request(`/app/${appId}`, { method: 'DELETE' });
  });
});

describe('applications', () => {
  const LISTEN =
    "require('node:http').createServer((q, a) => a.end('ready')).listen(process.env.PORT, process.env.HOST);";

  function application(name: string, server: string): string {
    const folder = join(stage.directory, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', main: 'server.js' }));
    writeFileSync(join(folder, 'server.js'), server);
    return folder;
  }
  const push = (folder: string) => finished(stage.coaps(['push', folder, '--json'], { env: served.env }));

  /** Its time is a minute: the other tests go on meanwhile. */
  let silent: ReturnType<typeof push>;
  beforeAll(() => {
    silent = push(application('silent', "console.log('I listen nowhere'); setInterval(() => {}, 1000);"));
  });

  it('that print a hundred megabytes run, and cost little disk', async () => {
    const { code, stdout } = await push(
      application('loud', `for (let n = 0; n < 100 * 1024; n++) console.log('x'.repeat(1023));\n${LISTEN}`),
    );
    expect(code).toBe(0);
    const { url } = JSON.parse(stdout) as { url: string };
    expect((await rawRequest(url)).text).toBe('ready');
    const bytes = filesIn(join(stage.data, 'conpaas')).reduce(
      (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
    expect(bytes).toBeLessThan(64 * 1024 ** 2);
  });

  const isolated = process.getuid?.() === 0 ? it : it.skip;
  isolated('read neither the store nor keys, the gateway’s environment or another application’s files', async () => {
    const other = await push(application('other', `const SECRET = 'of the other one';\n${LISTEN}`));
    expect(other.code).toBe(0);
    const spy = application(
      'spy',
      `const fs = require('node:fs');
       const path = require('node:path');
       const read = (file) => { try { return fs.readFileSync(file).length; } catch (error) { return error.code; } };
       const below = (folder) => { try { return fs.readdirSync(folder).flatMap((name) => { const inner = path.join(folder, name); return [inner, ...below(inner)]; }); } catch { return []; } };
       require('node:http').createServer((request, answer) => {
         const { data = '/nowhere', gateway } = Object.fromEntries(new URL(request.url, 'http://x').searchParams);
         if (!data) return answer.end();
         const mine = process.cwd();
         answer.end(JSON.stringify({
           environment: read('/proc/' + gateway + '/environ'),
           store: read(path.join(data, 'coaps.db')),
           key: read(path.join(data, 'secret.key')),
           ca: read(path.join(data, 'conpaas', 'ca_key.pem')),
           seen: below(data).filter((file) => !file.startsWith(mine.split('/code')[0])).filter((file) => typeof read(file) === 'number'),
           secrets: Object.entries(process.env).filter(([name, value]) => /COAPS_(?!MARK)/.test(name) || /admin-of-the-test/.test(value)),
         }));
       }).listen(process.env.PORT, process.env.HOST);`,
    );
    const pushed = await push(spy);
    expect(pushed).toMatchObject({ code: 0, stderr: expect.stringContaining('Started') });
    const { url } = JSON.parse(pushed.stdout) as { url: string };
    const { text } = await rawRequest(
      `${url}/?data=${encodeURIComponent(stage.data)}&gateway=${served.child.process.pid}`,
    );
    expect(JSON.parse(text)).toEqual({
      environment: 'EACCES',
      store: 'EACCES',
      key: 'EACCES',
      ca: 'EACCES',
      seen: [],
      secrets: [],
    });
    expect(filesIn(join(stage.data, 'conpaas')).some((file) => file.endsWith('ca_key.pem'))).toBe(true);
  });

  it('that never answer, or die at once, end in a FAILED task with the reason and their last lines, and can be removed', async () => {
    const dying = await push(application('dying', "console.error('no way'); process.exit(4);"));
    const mute = await silent;
    expect(mute).toMatchObject({ code: 1, stderr: expect.stringMatching(/did not answer HTTP within \d+ seconds/) });
    expect(mute.stderr).toContain('I listen nowhere');
    expect(dying).toMatchObject({ code: 1, stderr: expect.stringMatching(/exit code 4/) });
    expect(dying.stderr).toContain('no way');
    const starts = /<name>startApplicationVersionInstance<\/name><uri>[^<]*<\/uri><status>FAILED</g;
    expect((await served.request('/task')).text.match(starts)).toHaveLength(2);
    for (const [, id] of (await served.request('/app')).text.matchAll(/<application><id>(\d+)</g))
      expect((await served.request(`/app/${id}`, { method: 'DELETE' })).status).toBe(200);
    await eventually(() => expect(stage.processes()).toEqual([served.child.process.pid]));
    expect(filesIn(join(stage.data, 'conpaas', 'apps'))).toEqual([]);
  });
});
