import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHandlers } from '../../src/api/handlers.js';
import { createListener } from '../../src/http/front.js';
import type { RequestEvent } from '../../src/http/options.js';
import { type RawRequest, rawRequest } from '../support/raw-request.js';
import { openTestServices, type TestServices } from '../support/services.js';
import { siteForm } from '../support/world.js';

const PASSWORD = 'a-password-of-the-test';
export const ROOT = `root:${PASSWORD}`;
export const ADA = `ada:${PASSWORD}`;
export const BOB = `bob:${PASSWORD}`;

export interface Api {
  server: Server;
  events: RequestEvent[];
  request(path: string, request: RawRequest): Promise<{ status: number; text: string; headers: object }>;
}

/** The API over some services; with memory for callers and answers, or without. */
async function serve(services: TestServices, remembers: boolean): Promise<Api> {
  const events: RequestEvent[] = [];
  const silent = () => {};
  const server = createServer(
    createListener({
      handlers: createHandlers(services),
      authentication: services.users,
      artefacts: services.artefacts,
      bases: [{ path: '/rest' }],
      publicUrl: 'http://paas.example',
      patience: 30,
      version: '1',
      platforms: ['MEM'],
      capabilities: () => services.adapter.capabilities,
      ...(remembers && { revisions: services.store.revisions, keep: 1_000_000 }),
      log: { debug: silent, info: silent, warn: silent, error: silent },
      onRequest: (event) => void events.push(event),
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server,
    events,
    async request(path, request) {
      const { status, text, headers } = await rawRequest(`http://127.0.0.1:${port}/rest${path}`, request);
      const { 'x-request-id': _, date: __, ...lasting } = headers;
      return { status, text: text.replace(/requestId\W+[\w-]{36}/, ''), headers: lasting };
    },
  };
}

export interface Stage {
  /** Two gateways on one database, which remember. */
  one: Api;
  two: Api;
  /** The same store as the first one's; nothing is remembered. */
  plain: Api;
  services: TestServices;
}

export async function open(url: string | undefined): Promise<Stage & { close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'kept-'));
  const database = url === undefined ? {} : { url };
  const services = await openTestServices({ folder, ...database });
  const others = await openTestServices({ folder, ...database, platform: services.platform });
  for (const [name, role, tenant] of [
    ['root', 'admin', 'house'],
    ['ada', 'user', 'red'],
    ['bob', 'user', 'blue'],
  ] as const) {
    await services.users.create({ name, password: PASSWORD, role, tenant });
  }
  const [one, two, plain] = [await serve(services, true), await serve(others, true), await serve(services, false)];
  return {
    ...{ one, two, plain, services },
    async close() {
      for (const { server } of [one, two, plain]) await new Promise((resolve) => server.close(resolve));
      await others.close();
      await services.close();
      await rm(folder, { recursive: true });
    },
  };
}

export const xml = (body: string, method = 'POST', user = ADA): RawRequest => ({
  ...{ method, user, body },
  headers: { 'Content-Type': 'application/xml' },
});

/** What is there when the random work begins: number 1 of everything, ready to be deployed. */
export async function found({ one }: Stage): Promise<void> {
  await one.request('/environment', xml('<m><paas_environment name="E"/></m>'));
  await one.request('/app', xml('<m><paas_application name="A"/></m>'));
  await one.request('/app/1/version', { method: 'POST', user: ADA, ...siteForm() });
  const made = await one.request('/app/1/version/1/instance', xml('<m><paas_version_instance name="I"/></m>'));
  if (made.status !== 200) throw new Error(made.text);
}
