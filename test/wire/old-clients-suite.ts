import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readXmlTree } from '../../src/representations/xml-tree.js';
import { GENERATION_16_APPLICATION, SERVLET_SAMPLE } from '../api/samples.js';
import { zip } from '../archives/pack.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { rawRequest } from '../support/raw-request.js';
import type { SocketAnswer } from '../support/raw-socket.js';
import { accords, coredOfJanuary, coredOfMarch, jersey, reading, type Target } from './old-clients.js';

/** A war: its bytes hold what a multipart boundary is made of. */
const WAR = zip([
  { name: 'WEB-INF/web.xml', content: '<web-app/>' },
  { name: 'index.html', content: '<h1>Sample</h1>\r\n--Boundary_1_\r\n--\r\n' },
]);

/** What every one of these clients takes for success, and the form that all their readers need. */
function good(answer: SocketAnswer): SocketAnswer {
  expect([answer.status, answer.status === 200 ? '' : answer.text]).toEqual([200, '']);
  // The C client compares the whole string; Jersey's form runs every body through an XML transformer.
  expect(answer.headers['content-type']).toBe('application/xml');
  expect(answer.text.startsWith('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><')).toBe(true);
  expect(readXmlTree(answer.body).name).toMatch(/^[a-zA-Z]+$/);
  return answer;
}

const attribute = (answer: SocketAnswer, name: string) => readXmlTree(answer.body).attributes.get(name);

/** The application answers under the address that the client read. */
async function answers(uri: string): Promise<void> {
  expect(uri).toMatch(/^(http:\/\/)?[^\s/]+$/);
  const { status } = await rawRequest(uri.startsWith('http') ? uri : `http://${uri}`);
  expect(status).toBe(200);
}

const named = (name: string) => SERVLET_SAMPLE.replaceAll('ServletSampleApplication"', `${name}"`);

/** Milliseconds; a Tomcat may start slowly. */
const PATIENCE = 240_000;

const ARTEFACTS = [
  ['with the artefact in a multipart deploy', true],
  ['with an empty deploy and the drop folder', false],
] as const;

/**
 * What the clients of 2012 to 2014 do, in turn, against one gateway whose base /CF-api/rest is a platform of the given configuration:
 * each ends in a running application that answers. `briefly`: without repetitions in which the platform does nothing else; `observe`:
 * seconds between two looks at the platform, which no client here waits for.
 */
export function oldClientsSuite(platform: Record<string, unknown>, { briefly = false, observe = 0.2 } = {}): void {
  let gateway: TestGateway;
  let target: Target;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coaps-drop-'));
    gateway = await startGateway({
      platforms: { CF: platform },
      config: { auth: { anonymous: 'admin' }, artefacts: { dropFolder: folder }, observe: { interval: observe } },
    });
    target = { port: Number(new URL(gateway.origin).port), base: '/CF-api/rest' };
  });
  afterAll(async () => {
    await gateway.close();
    await rm(folder, { recursive: true, force: true });
  });

  afterEach(async () => {
    const { status } = await gateway.request('/app/delete', { method: 'DELETE' });
    expect(status).toBe(200);
  });

  test(
    'Accords: environment, application, deploy without filename, start, stop, undeploy, "delete" by GET',
    async () => {
      const client = accords(target);
      const description = named('Accords1')
        .replace('environement', 'environment')
        .replace('initial_state', 'initial_stat');
      const environment = good(await client.post('/environment', description));
      const envId = attribute(environment, 'envId');
      const application = good(await client.post('/app', description));
      const appId = attribute(application, 'appId');
      expect([envId, appId]).toEqual([expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+$/)]);
      expect(application.text).toContain(`href="http://127.0.0.1:${target.port}/CF-api/rest/app/${appId}`);

      const deployed = good(await client.upload(`/app/${appId}/action/deploy/env/${envId}`, WAR));
      expect(deployed.text).toContain(`size="${WAR.length}"`);
      const started = good(await client.empty(`/app/${appId}/start`));
      expect(attribute(started, 'status')).toBe('STARTED');
      await answers(reading.uris(started));
      expect(attribute(good(await client.empty(`/app/${appId}/stop`)), 'status')).toBe('STOPPED');
      expect(attribute(good(await client.empty(`/app/${appId}/action/undeploy/env/${envId}`)), 'status')).toBe(
        'CREATED',
      );

      // It means to delete, and sends GET: nothing goes.
      expect(attribute(good(await client.get(`/app/${appId}`)), 'appId')).toBe(appId);
      expect(attribute(good(await client.get(`/environment/${envId}`)), 'envId')).toBe(envId);
      expect((await client.get('/app/delete')).status).toBe(405);
      expect(attribute(good(await client.get(`/app/${appId}`)), 'appId')).toBe(appId);
    },
    PATIENCE,
  );

  const uploaders = [
    ['Accords', accords],
    ['Jersey', jersey],
    ['CoRED of March', coredOfMarch],
  ] as const;
  test.each(briefly ? uploaders.slice(0, 1) : uploaders)(
    'what %s uploads is stored and given back byte for byte',
    async (name, open) => {
      const client = open(target);
      const text = named(`Bytes${name.replaceAll(' ', '')}`);
      const envId = attribute(good(await client.post('/environment', text)), 'envId');
      const appId = attribute(good(await client.post('/app', text)), 'appId');
      good(await client.upload(`/app/${appId}/action/deploy/env/${envId}`, WAR));
      const list = await gateway.request(`/artefact/${appId}/1`);
      const uri = readXmlTree(list.body).children[0]?.children.find((child) => child.name === 'uri')?.text ?? '';
      const stored = await gateway.request(uri);
      expect(stored.body.equals(WAR)).toBe(true);
      expect(list.text).toContain(createHash('sha256').update(WAR).digest('hex'));
    },
    PATIENCE,
  );

  test(
    'Accords with empty credentials is the same caller',
    async () => {
      good(await accords(target, ':').get('/app'));
    },
    PATIENCE,
  );

  test(
    'Jersey, the web form of 2014: nested part, Java 8’s Accept, a type with GET and DELETE',
    async () => {
      const client = jersey(target);
      const envId = attribute(good(await client.post('/environment', named('Jersey'))), 'envId');
      const appId = attribute(good(await client.post('/app/', named('Jersey'))), 'appId');
      const deployed = good(await client.upload(`/app/${appId}/action/deploy/env/${envId}`, WAR));
      expect(deployed.text).toContain(`size="${WAR.length}"`);
      const started = good(await client.empty(`/app/${appId}/start`));
      expect(attribute(started, 'status')).toBe('STARTED');
      await answers(reading.between(started, 'uri'));
      good(await client.get('/environment/info'));
      good(await client.get(`/environment/${envId}/app/`));
      good(await client.empty(`/app/${appId}/restart`));
      expect(good(await client.empty(`/app/${appId}/stop`)).text).not.toContain('STARTED');
      const redeployed = good(await client.upload(`/app/${appId}/action/deploy/env/${envId}`, Buffer.alloc(0)));
      expect(attribute(redeployed, 'envId')).toBe(envId);
      expect(readXmlTree(good(await client.delete(`/app/${appId}/delete`)).body).name).toBe('operationResponse');
      expect((await client.get(`/app/${appId}`)).status).toBe(404);
      expect(readXmlTree(good(await client.delete(`/environment/${envId}`)).body).name).toBe('operationResponse');
    },
    PATIENCE,
  );

  test.each(briefly ? ARTEFACTS.slice(1) : ARTEFACTS)(
    'CoRED of January 2013 (1.6), %s',
    async (_, uploads) => {
      const client = coredOfJanuary(target);
      const file = uploads ? 'NotDropped.war' : 'SampleServlet.war';
      if (!uploads) await writeFile(join(folder, file), WAR);
      const skeleton = (inner: string) =>
        `<?xml version="1.0" encoding="UTF8"?><paas_manifest name="CoredManifest" xmlns=""><paas_description></paas_description>   ${inner}</paas_manifest>`;
      const environment = good(
        await client.post(
          '/environment',
          skeleton(
            '<paas_application><paas_environment name="JavaWebEnv" date_created="2013-01-31" date_uptaded="2013-01-31" description="JavaWebApplicationsEnv" config_template="TomcatEnvTemp" provider="CF"/><paas_configuration_template name="TomcatEnvTemp" date_created="2013-01-31" date_uptaded="2013-01-31" description="TomcatServerEnvironmentTemplate"><paas_node content_type="container" name="tomcat" version="6.0.35" provider="CF"/><paas_relation></paas_relation></paas_configuration_template></paas_application>',
          ),
        ),
      );
      const envId = reading.id(environment, 'envId');
      const created = good(
        await client.post(
          '/app',
          skeleton(
            '<paas_application name="Cored" date_created="2013-01-31" description="Cored" environement="JavaWebEnv"></paas_application>',
          ),
        ),
      );
      const appId = reading.id(created, 'appId');
      good(
        await client.post(
          `/app/${appId}/version/create`,
          skeleton(
            `<paas_application><paas_version label="1.0" date_uptaded="2013-01-31" description="Version1.0"><paas_deployable name="${file}" content_type="artifact" location="/home/ubuntu/cored" multitenancy_level="SharedInstance"/><paas_version_instance/></paas_version></paas_application>`,
          ),
        ),
      );
      // It never reads these ids: both are 1.
      good(
        await client.post(
          `/app/${appId}/version/1/instance`,
          skeleton(
            '<paas_application><paas_version><paas_version_instance name="Instance1" date_instantiated="2013-01-31" description="instance1Version1.0" state="RUNNING" default_instance="true"/></paas_version></paas_application>',
          ),
        ),
      );
      const deploy = `/environment/${envId}/action/deploy/app/${appId}/version/1/instance/1`;
      good(uploads ? await jersey(target).upload(deploy, WAR) : await client.empty(deploy));
      const started = good(await client.empty(`/app/${appId}/version/1/instance/1/action/start`));
      await answers(reading.uris(started));
    },
    PATIENCE,
  );

  test.each(briefly ? ARTEFACTS.slice(0, 1) : ARTEFACTS)(
    'The web form of 2012 (1.6), %s',
    async (_, uploads) => {
      const client = jersey(target);
      await writeFile(join(folder, 'SampleServlet.war'), WAR);
      const environment = good(
        await client.post(
          '/environment',
          '<?xml version="1.0" encoding="UTF8"?><paas_manifest name="M" xmlns=""><paas_description></paas_description><paas_application><paas_environment name="JavaWebEnv" date_created="2012-10-10" date_uptaded="2012-10-10" description="JavaWebApplicationsEnv" config_template="TomcatEnvTemp" provider="CF"/><paas_configuration_template name="TomcatEnvTemp" description="TomcatServerEnvironmentTemplate"><paas_node content_type="container" name="tomcat" version="6.0.35" provider="CF"/></paas_configuration_template></paas_application></paas_manifest>',
        ),
      );
      const envId = reading.id(environment, 'envId');
      // The person pastes the shipped file, its licence comment before the declaration.
      const appId = reading.id(
        good(await client.post('/app', `<!--\nLicence\n-->\n${GENERATION_16_APPLICATION}`)),
        'appId',
      );
      good(
        await client.post(
          `/app/${appId}/version/1/instance`,
          '<paas_manifest name="M" xmlns=""><paas_application><paas_version><paas_version_instance name="Instance1" state="STOP"/></paas_version></paas_application></paas_manifest>',
        ),
      );
      const deploy = `/environment/${envId}/action/deploy/app/${appId}/version/1/instance/1`;
      good(uploads ? await client.upload(deploy, WAR) : await client.empty(deploy));
      const started = good(await client.empty(`/app/${appId}/version/1/instance/1/action/start`));
      await answers(reading.uris(started));
      expect(attribute(good(await client.get(`/app/${appId}`)), 'status')).toBe('STARTED');
    },
    PATIENCE,
  );

  test(
    'CoRED of March 2013 (1.5): exactly 200 at each step',
    async () => {
      const client = coredOfMarch(target);
      const text = named('CoredMarch');
      const envId = reading.id(good(await client.post('/environment', text)), 'envId');
      const appId = reading.id(good(await client.post('/app', text)), 'appId');
      good(await client.upload(`/app/${appId}/action/deploy/env/${envId}`, WAR));
      const started = good(await client.empty(`/app/${appId}/start`));
      await answers(reading.uris(started));
    },
    PATIENCE,
  );

  test(
    'MIDEaaS: find by name in the list, delete, environment, application, deploy, start; twice',
    async () => {
      const client = jersey(target);
      const ids: string[] = [];
      for (let round = 0; round < 2; round++) {
        const list = good(await client.get('/app'));
        const found = findByName(list, 'Mideaas');
        expect(found).toEqual(round === 0 ? undefined : ids[0]);
        if (found !== undefined) good(await client.delete(`/app/${found}/delete`));
        const envId = reading.id(good(await client.post('/environment', named('Mideaas'))), 'envId');
        const appId = reading.id(good(await client.post('/app', named('Mideaas'))), 'appId');
        const deployed = good(await client.upload(`/app/${appId}/action/deploy/env/${envId}`, WAR));
        expect(reading.between(deployed, 'uri')).not.toContain('<');
        const started = good(await client.empty(`/app/${appId}/start`));
        // It looks for the bare word in the whole document, and puts http:// before an address that has none.
        expect(started.text).toContain('STARTED');
        await answers(`http://${reading.between(started, 'uri')}`);
        ids.push(appId);
      }
      expect(ids[0]).not.toBe(ids[1]);
    },
    PATIENCE,
  );
}

/** As MIDEaaS does: each `<application>` block of the list, its `<id>` and its `<name>` by text, the name as a pattern. */
function findByName(list: SocketAnswer, name: string): string | undefined {
  for (const block of list.text.split('<application>').slice(1)) {
    const answer = { ...list, text: block };
    if (new RegExp(`^${name}$`).test(reading.between(answer, 'name'))) return reading.between(answer, 'id');
  }
  return undefined;
}
