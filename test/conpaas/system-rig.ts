import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopAll } from '../../src/conpaas/cloud/local.js';
import { type Conpaas, type ConpaasOptions, openConpaas } from '../../src/conpaas/system.js';
import { conpaasUsers } from '../../src/services/conpaas-users.js';
import { createUsers } from '../../src/services/users.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { type ConpaasClient, createConpaasClient } from './conpaas-client.js';

/** A whole ConPaaS with a store and a data directory of its own; agents are real processes. */
export interface SystemRig {
  data: string;
  store: Store;
  readonly conpaas: Conpaas;
  /** What the clock says; it stands still unless it is moved. Absent options: the real time. */
  clock: { now: Date };
  /** A registered user with certificates, as a client has them. */
  user(name: string, credit?: number): Promise<ConpaasClient>;
  /** Without certificates. */
  stranger(): ConpaasClient;
  changePassword(name: string, password: string): Promise<void>;
  /** Closes the Director and opens it again on the same data: agents go on meanwhile. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export const ISOLATED = process.getuid?.() === 0;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export async function openSystem(
  options: Partial<ConpaasOptions> & { movable?: boolean; url?: string } = {},
): Promise<SystemRig> {
  const { movable = false, url, ...more } = options;
  const data = await mkdtemp(join(tmpdir(), 'coaps-conpaas-'));
  const clock = { now: new Date() };
  let port = 0;
  const open = async () => {
    const store = await openStore({ url: url ?? `sqlite:${join(data, 'store.db')}` });
    const users = createUsers({ store, secretKey: randomBytes(32), log: SILENT });
    const conpaas = await openConpaas({
      dataDir: data,
      host: '127.0.0.1',
      port,
      addresses: '127.77.0.0/16',
      registration: 'open',
      maxCredit: 50,
      installation: store.installation,
      store: store.conpaas,
      users: conpaasUsers(users, store),
      log: process.env['CONPAAS_TEST_LOG'] ? LOUD : SILENT,
      ...(movable ? { clock: () => clock.now } : {}),
      ...(ISOLATED ? { uids: { first: 200_000, last: 265_535 } } : {}),
      ...more,
    });
    port = Number(new URL(conpaas.directorUrl).port);
    return { store, conpaas, users };
  };
  let current = await open();
  const shut = async () => {
    await current.conpaas.close();
    await current.store.close();
  };
  const clientOptions = () => ({ director: current.conpaas.directorUrl, managerPort: current.conpaas.managerPort });
  return {
    data,
    clock,
    get store() {
      return current.store;
    },
    get conpaas() {
      return current.conpaas;
    },
    stranger: () => createConpaasClient({ ...clientOptions(), authority: current.conpaas.caCertificate }),
    async user(name, credit = 50) {
      const form = { username: name, email: `${name}@example.org`, password: `pw-${name}`, credit: String(credit) };
      const client = createConpaasClient({ ...clientOptions(), authority: current.conpaas.caCertificate });
      const made = (await client.json('new_user', { form })) as { uid?: number };
      if (made.uid === undefined) throw new Error(`no user: ${JSON.stringify(made)}`);
      return await client.withCertificates(name, `pw-${name}`);
    },
    changePassword: (name, password) =>
      current.users.changePassword({ name, role: 'user', tenant: name }, name, password),
    async restart(meanwhile = async () => {}) {
      await shut();
      await meanwhile();
      current = await open();
    },
    async close() {
      await shut();
      await stopAll(data);
      await rm(data, { recursive: true, force: true });
    },
  };
}

const say = (fields: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(plain(fields))}\n`);
const LOUD = { debug: say, info: say, warn: say, error: say };

function plain(fields: object): object {
  const { err, ...rest } = fields as { err?: Error };
  return err ? { ...rest, err: err.stack ?? err.message, cause: (err.cause as Error | undefined)?.message } : rest;
}
