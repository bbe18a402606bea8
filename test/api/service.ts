import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import type { Handlers } from '../../src/api/table.js';
import { Fault } from '../../src/domain/errors.js';
import type { ArtefactReceiver, Authentication } from '../../src/domain/ports.js';
import type { Principal } from '../../src/domain/principal.js';
import { createApp } from '../../src/http/app.js';
import type { AppOptions, RequestEvent } from '../../src/http/options.js';
import { type RawAnswer, type RawRequest, rawRequest } from '../support/raw-request.js';

import { AT, application, artefact, BYTES, environment, instance, task, user, version } from './values.js';

/** What the HTTP layer stands on, as values: its ports answered in this file, so that the form on the wire is all that is tested. */
export interface Listening {
  base: string;
  origin: string;
  port: number;
  server: Server;
  events: RequestEvent[];
  /** What the log was told. */
  logged: unknown[];
  /** Bytes that arrived, by SHA-256. */
  received: Map<string, Buffer>;
  request(path: string, request?: RawRequest): Promise<RawAnswer>;
  close(): Promise<void>;
}

export const USERS: Record<string, { password: string; principal: Principal }> = {
  ada: { password: 'se:cr:et', principal: { name: 'ada', role: 'user', tenant: 'red' } },
  bob: { password: 'bob', principal: { name: 'bob', role: 'user', tenant: 'blue' } },
  root: { password: 'toor', principal: { name: 'root', role: 'admin', tenant: 'admin' } },
  zoë: { password: 'größe', principal: { name: 'zoë', role: 'user', tenant: 'red' } },
  empty: { password: '', principal: { name: 'empty', role: 'user', tenant: 'red' } },
  anon: { password: 'x', principal: { name: 'anon', role: 'user', tenant: 'public' } },
};
export const KEYS: Record<string, { user: string; secret: string }> = { k1: { user: 'ada', secret: 'the-secret' } };

export const authentication: Authentication = {
  async byPassword(name, password) {
    const user = Object.hasOwn(USERS, name) ? USERS[name] : undefined;
    if (!user) return 'unknown';
    return user.password === password ? user.principal : undefined;
  },
  async bySignature(id, verify) {
    const keys = Object.entries(KEYS).filter(([keyId, { user }]) => keyId === id || user === id);
    if (keys.length === 0) return 'unknown';
    const found = keys.find(([, { secret }]) => verify(secret));
    return found && USERS[found[1].user]?.principal;
  },
  byName: async (name) => USERS[name]?.principal,
};

const only = <T>(wanted: number, given: number, value: T): T => {
  if (wanted !== given) throw new Fault('NotFound', `There is nothing with the ID ${given}.`);
  return value;
};

/** One application, one environment, one of everything; an unknown id is `NotFound`. */
export function plainHandlers(): Handlers {
  const app = ({ params }: { params: { appId: number } }) => only(21, params.appId, application);
  const env = ({ params }: { params: { envId: number } }) => only(1, params.envId, environment);
  const inst = ({ params }: { params: { appId: number; versionId: number; instanceId: number } }) =>
    only(21, params.appId, only(1, params.versionId, only(1, params.instanceId, instance)));
  const vers = ({ params }: { params: { appId: number; versionId: number } }) =>
    only(21, params.appId, only(1, params.versionId, version));
  const done = (value: string) => ({ value });
  const list = <T>(...items: T[]) => ({ items });
  const uploaded = async (call: {
    params: { appId: number };
    body: { present: boolean; read(): Promise<unknown> };
  }) => {
    const found = app(call);
    if (call.body.present) await call.body.read();
    return found;
  };
  return {
    createApplication: ({ body, principal }) => ({
      ...application,
      name: body.application?.name ?? 'unnamed',
      tenant: principal.tenant,
    }),
    findApplications: () => list({ appId: 21, name: 'PetClinic', state: 'STARTED' as const, tenant: 'red' }),
    deleteApplications: () => done('All applications were deleted.'),
    describeApplication: app,
    updateApplication: app,
    deleteApplication: (call) => done(`The application with ID ${app(call).appId} was deleted.`),
    startApplication: app,
    stopApplication: app,
    restartApplication: app,
    deployApplicationOnEnvironment: uploaded,
    undeployApplicationFromEnvironment: app,
    scaleApplication: app,
    createApplicationVersion: async (call) => {
      const found = app(call);
      const { manifest, artefact: given } = await call.body.read();
      const described = manifest?.application?.versions[0];
      return {
        ...version,
        appId: found.appId,
        ...(described?.label && { label: described.label }),
        deployables: given ? [{ name: given.name, contentType: 'artifact' as const, artefact: given }] : [],
      };
    },
    findApplicationVersions: (call) => list(...app(call).versions),
    describeApplicationVersion: vers,
    deleteApplicationVersion: (call) => done(`The version with ID ${vers(call).versionId} was deleted.`),
    findApplicationVersionArtefacts: (call) => list(vers(call).deployables[0]?.artefact ?? artefact),
    downloadArtefact: (call) => {
      vers(call);
      if (call.params.name !== artefact.name) throw new Fault('NotFound', 'There is no such artefact.');
      return { artefact, open: (range) => Readable.from([BYTES.subarray(range?.start ?? 0, (range?.end ?? 9) + 1)]) };
    },
    createApplicationVersionInstance: (call) => {
      vers(call);
      return instance;
    },
    findApplicationVersionInstances: (call) => list(...vers(call).instances),
    describeApplicationVersionInstance: inst,
    deleteApplicationVersionInstance: (call) => done(`The instance with ID ${inst(call).instanceId} was deleted.`),
    startApplicationVersionInstance: (call) => (call.wait === 0 ? { accepted: task } : inst(call)),
    stopApplicationVersionInstance: inst,
    restartApplicationVersionInstance: inst,
    getInstanceLogs: (call) => {
      inst(call);
      return Readable.from(['one\n', `\u001b[31mlines=${call.query.lines ?? 100}\u001b[0m\n`]);
    },
    createEnvironment: ({ body }) => ({ ...environment, name: body.environment?.name ?? 'unnamed' }),
    findEnvironments: () => list(environment),
    getInformation: ({ platform }) => ({
      platform: platform ?? 'CF',
      adapter: 'plain',
      containers: [{ name: 'tomcat', versions: ['9', '10'] }],
      databases: [],
      services: [],
      remarks: [],
    }),
    getEnvironment: env,
    updateEnvironment: env,
    deleteEnvironment: (call) => {
      env(call);
      throw new Fault('Conflict', 'An instance is deployed on it.');
    },
    startEnvironment: env,
    stopEnvironment: env,
    restartEnvironment: env,
    deployApplication: uploaded,
    undeployApplication: app,
    getDeployedApplicationVersionInstance: (call) => {
      env(call);
      return list(instance);
    },
    findTasks: () => list(task),
    getTask: ({ params }) => only(7, params.taskId, task),
    cancelTask: ({ params }) => only(7, params.taskId, task),
    findUsers: () => list(user),
    createUser: ({ body }) => ({ ...user, name: body.name ?? '' }),
    describeUser: () => user,
    updateUser: () => user,
    deleteUser: () => done('The user was deleted.'),
    changePassword: () => done('The password was changed.'),
    createKey: ({ body }) => ({ keyId: 'k1', user: 'ada', createdAt: AT, secret: 's', ...body }),
    findKeys: () => list({ keyId: 'k1', user: 'ada', createdAt: AT }),
    deleteKey: () => done('The key was revoked.'),
    findAuditEvents: () => list(),
  };
}

/** Keeps what arrives, byte for byte; refuses what begins with `BAD`. */
export function keepingReceiver(received: Map<string, Buffer>): ArtefactReceiver {
  return {
    admit: async () => undefined,
    async receive(source, name) {
      const chunks: Buffer[] = [];
      for await (const chunk of source) chunks.push(chunk as Buffer);
      const bytes = Buffer.concat(chunks);
      if (bytes.subarray(0, 3).equals(Buffer.from('BAD'))) throw new Fault('InvalidValue', 'The file is no archive.');
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      received.set(sha256, bytes);
      return { name: name ?? 'artefact', type: 'zip', size: bytes.length, sha256 };
    },
  };
}

export async function listen(changes: Partial<AppOptions> = {}): Promise<Listening> {
  const received = new Map<string, Buffer>();
  const events: RequestEvent[] = [];
  const logged: unknown[] = [];
  const note = (fields: object) => void logged.push(fields);
  const app = createApp({
    handlers: plainHandlers(),
    authentication,
    artefacts: keepingReceiver(received),
    bases: [{ path: '/CF-api/rest', platform: 'CF' }, { path: '/OS-api/rest', platform: 'OS' }, { path: '/rest' }],
    patience: 600,
    version: '0.1.0',
    platforms: ['CF', 'OS'],
    capabilities: () => ({ scale: true, logs: true }),
    log: { debug: note, info: note, warn: note, error: note },
    onRequest: (event) => void events.push(event),
    ...changes,
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const base = `${origin}/CF-api/rest`;
  return {
    base,
    origin,
    port,
    server,
    events,
    logged,
    received,
    request: (path, { user: caller = 'ada:se:cr:et', ...rest } = {}) =>
      rawRequest(path.startsWith('http') ? path : base + path, { user: caller === '' ? undefined : caller, ...rest }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A document without its links, which have their own tests, and without the declaration. */
export function plain(text: string): string {
  return text.replace(/<Link .*?\/>/g, '').replace('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', '');
}

/** The code of an error document. */
export function code(text: string): string | undefined {
  return /code="([^"]+)"/.exec(text)?.[1];
}

/** As ada, in a request that is written by hand. */
export const BASIC = `Authorization: Basic ${Buffer.from('ada:se:cr:et').toString('base64')}`;
