import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/conditions.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { visitor, wordpressIsMissing, wordpressZip } from '../support/wordpress.js';
import { deployPath, idIn, instancePath, openWorld, type World } from '../support/world.js';

const missing = await wordpressIsMissing();
if (missing) console.warn(`WordPress is not tried. ${missing}`);

const TITLE = 'Notes from the cellar';
const POST = 'What we found below the stairs';
const ACCOUNT = { name: 'cellarer', password: 'forty-two-casks' };

(missing ? describe.skip : describe)('WordPress, deployed through COAPS with a database', () => {
  let gateway: TestGateway;
  let world: World;
  beforeAll(async () => {
    gateway = await startGateway({ platforms: { CP: { adapter: 'conpaas', embedded: true } } });
    world = await openWorld(gateway);
  }, 120_000);
  afterAll(() => gateway?.close(), 120_000);

  /** A version with its artefact. */
  async function version(appId: number, footer: string): Promise<number> {
    const boundary = 'wordpress-of-the-test';
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="wordpress.zip"\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(head), await wordpressZip(footer), Buffer.from(`\r\n--${boundary}--\r\n`)]);
    const headers = { 'Content-Type': `multipart/form-data; boundary=${boundary}` };
    return idIn((await world.send('POST', `/app/${appId}/version`, { headers, body })).text, 'versionId');
  }

  async function instance(appId: number, versionId: number): Promise<number> {
    const body = '<m><paas_version_instance name="I"/></m>';
    return idIn((await world.send('POST', `/app/${appId}/version/${versionId}/instance`, { body })).text, 'instanceId');
  }

  test('is installed by its own page, and keeps what was written through a new version, a stop and a start', async () => {
    const information = (await world.send('GET', '/environment/info')).text;
    expect(information).toMatch(/mysql/);
    const described = await world.send('POST', '/environment', {
      body:
        '<m><paas_environment name="Blog"><paas_environment_template name="T" memory="256">' +
        '<paas_environment_node content_type="container" name="php"/>' +
        '<paas_environment_node content_type="database" name="MYSQL_51" version="5.1"/></paas_environment_template></paas_environment></m>',
    });
    const envId = idIn(described.text, 'envId');
    const appId = idIn(
      (await world.send('POST', '/app', { body: '<m><paas_application name="Blog"/></m>' })).text,
      'appId',
    );
    const versionId = await version(appId, 'first');
    const ids = { appId, versionId, instanceId: await instance(appId, versionId), envId };
    await world.send('POST', deployPath(ids));
    await world.send('POST', `${instancePath(ids)}/action/start`);
    const origin = /<uri>(http[^<]*)/.exec((await world.send('GET', instancePath(ids))).text)?.[1] ?? '';
    const { visit, submit } = visitor(() => origin);

    expect((await visit('/')).url).toContain('/wp-admin/install.php');
    const installed = await submit('/wp-admin/install.php?step=2', {
      weblog_title: TITLE,
      user_name: ACCOUNT.name,
      admin_password: ACCOUNT.password,
      admin_password2: ACCOUNT.password,
      pw_weak: 'on',
      admin_email: 'cellarer@example.org',
      blog_public: '0',
      language: '',
    });
    expect(installed.text).toContain('WordPress has been installed');
    expect((await visit('/')).text).toContain(`<title>${TITLE}</title>`);

    await submit('/wp-login.php', { log: ACCOUNT.name, pwd: ACCOUNT.password });
    const nonce = (await visit('/wp-admin/admin-ajax.php?action=rest-nonce')).text;
    const written = await visit('/?rest_route=/wp/v2/posts', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-WP-Nonce': nonce },
      body: JSON.stringify({ title: POST, content: 'Casks. Käse. 🧀', status: 'publish' }),
    });
    expect([written.status, written.text.slice(0, 300)]).toEqual([201, expect.any(String)]);
    const blog = async () => (await visit('/')).text;
    expect(await blog()).toContain(`<h2>${POST}</h2>`);
    expect(await blog()).toContain('Casks. Käse. 🧀');

    const next = { ...ids, versionId: await version(appId, 'second') };
    next.instanceId = await instance(appId, next.versionId);
    await world.send('POST', `${instancePath(ids)}/action/stop`);
    await world.send('POST', `${instancePath(ids)}/action/start`);
    expect(await blog()).toContain(`<h2>${POST}</h2>`);
    await world.send('POST', deployPath(next));
    expect(await blog()).toContain(`<h2>${POST}</h2>`);
    expect(await blog()).toContain('<footer>second</footer>');

    await world.send('POST', deployPath(ids, 'undeploy')).catch(() => undefined);
    await world.send('POST', deployPath(next, 'undeploy')).catch(() => undefined);
    await world.send('DELETE', `/app/${appId}/delete`);
    await world.send('DELETE', `/environment/${envId}`);
    for (const folder of ['agents', 'apps', 'services']) {
      // A service's row goes before its folder does.
      await eventually(() => expect(readdirSync(join(gateway.data, 'conpaas', folder))).toEqual([]));
    }
  }, 240_000);
});
