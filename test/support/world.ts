import { zip } from '../archives/pack.js';
import type { TestGateway } from './gateway.js';
import type { RawAnswer, RawRequest } from './raw-request.js';

/** Users of two tenants, beside the admin of the gateway. */
export const ADA = 'ada:password-of-ada';
export const BOB = 'bob:password-of-bob';

/** The smallest application: a page. */
export const SITE = zip([{ name: 'index.html', content: '<h1>Hello</h1>' }]);

export interface Ids {
  appId: number;
  versionId: number;
  instanceId: number;
  envId: number;
}

/** What is made through the API, as ada, for a test that wants something else. */
export interface World {
  environment(): Promise<number>;
  /** With a version that has an artefact and an instance, and an environment; nothing deployed. */
  application(): Promise<Ids>;
  deployed(): Promise<Ids>;
  started(): Promise<Ids>;
  /** Sends XML, or what it is told; throws when the answer is an error. */
  send(method: string, path: string, request?: RawRequest): Promise<RawAnswer>;
}

/** Makes the users. */
export async function openWorld(gateway: Pick<TestGateway, 'request'>): Promise<World> {
  for (const [user, tenant] of [
    [ADA, 'red'],
    [BOB, 'blue'],
  ] as const) {
    const [name, password] = user.split(':');
    const body = `<user name="${name}" password="${password}" tenant="${tenant}"/>`;
    await sendAs(gateway, undefined, 'POST', '/user', { body });
  }
  const send: World['send'] = (method, path, request) => sendAs(gateway, ADA, method, path, request);
  const world: World = {
    send,
    async environment() {
      const body =
        '<m><paas_environment name="E"><paas_environment_template name="T" memory="256">' +
        '<paas_environment_node content_type="container" name="static"/></paas_environment_template></paas_environment></m>';
      return idIn((await send('POST', '/environment', { body })).text, 'envId');
    },
    async application() {
      const envId = await world.environment();
      const created = await send('POST', '/app', { body: '<m><paas_application name="A"/></m>' });
      const appId = idIn(created.text, 'appId');
      const versioned = await send('POST', `/app/${appId}/version`, siteForm());
      const versionId = idIn(versioned.text, 'versionId');
      const body = '<m><paas_version_instance name="I"/></m>';
      const instance = await send('POST', `/app/${appId}/version/${versionId}/instance`, { body });
      return { appId, versionId, instanceId: idIn(instance.text, 'instanceId'), envId };
    },
    async deployed() {
      const ids = await world.application();
      await send('POST', deployPath(ids));
      return ids;
    },
    async started() {
      const ids = await world.deployed();
      await send('POST', `${instancePath(ids)}/action/start`);
      return ids;
    },
  };
  return world;
}

export function instancePath({ appId, versionId, instanceId }: Ids): string {
  return `/app/${appId}/version/${versionId}/instance/${instanceId}`;
}

export function deployPath({ envId, ...ids }: Ids, verb = 'deploy'): string {
  return `/environment/${envId}/action/${verb}${instancePath({ envId, ...ids })}`;
}

/** The site as a form with one file. */
export function siteForm(file = SITE, name = 'site.zip'): RawRequest {
  const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n`;
  return {
    headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
    body: Buffer.concat([Buffer.from(head), file, Buffer.from('\r\n--b--\r\n')]),
  };
}

/** The first id of that name. */
export function idIn(text: string, name: string): number {
  const found = new RegExp(`${name}="(\\d+)"`).exec(text)?.[1];
  if (found === undefined) throw new Error(`There is no ${name} in ${text}`);
  return Number(found);
}

async function sendAs(
  { request }: Pick<TestGateway, 'request'>,
  user: string | undefined,
  method: string,
  path: string,
  more: RawRequest = {},
): Promise<RawAnswer> {
  const headers = more.body === undefined ? {} : { 'Content-Type': 'application/xml' };
  const answer = await request(path, {
    method,
    headers,
    ...(user !== undefined && { user }),
    ...more,
  });
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer;
}
