import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConpaasService, Endpoint, NewConpaasService, ServiceGoal } from '../../src/domain/conpaas.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';

const GOAL: ServiceGoal = {
  aim: 'stopped',
  counts: { proxy: 1, web: 0, backend: 0 },
  codeVersionId: 'code-default',
  settings: { variables: { A: '1' }, php: {} },
};
const addresses = (...last: number[]): Endpoint[] => last.map((byte) => ({ address: `127.77.0.${byte}`, port: 0 }));

interface Database {
  open(): Promise<Store>;
  close(): Promise<void>;
}

async function sqlite(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'conpaas-store-'));
  return {
    open: () => openStore({ url: `sqlite:${join(folder, 'store.db')}` }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function postgres(): Promise<Database> {
  const server: PostgresServer = await startPostgres();
  const url = await server.createDatabase();
  return { open: () => openStore({ url }), close: () => server.stop() };
}

const missing = postgresMissing();
if (missing) console.warn(`The ConPaaS store is tried on SQLite only: ${missing}`);

describe.each([['SQLite', sqlite] as const, ...(missing ? [] : [['PostgreSQL', postgres] as const])])(
  '%s',
  (_, make) => {
    let database: Database;
    let store: Store;
    let uid: number;
    let aid: number;

    beforeAll(async () => {
      database = await make();
      store = await database.open();
      const user = await store.users.create({
        name: 'ann',
        role: 'user',
        tenant: 'ann',
        credit: 10,
        passwordHash: 'x',
      });
      uid = user.uid;
      aid = (await store.conpaas.createApplication(uid, 'first'))?.aid ?? 0;
    }, 60_000);
    afterAll(async () => {
      await store?.close();
      await database?.close();
    }, 60_000);

    const credit = async () => (await store.users.byUid(uid))?.credit;
    const wanted = (changes: Partial<NewConpaasService> = {}): NewConpaasService => ({
      aid,
      uid,
      type: 'static',
      name: 'New static service',
      cloud: 'iaas',
      host: 'here',
      current: GOAL,
      managers: addresses(1, 2, 3, 4, 5, 6),
      endpoints: addresses(1, 2, 3, 4, 5, 6),
      price: 0,
      ...changes,
    });
    const created = async (changes: Partial<NewConpaasService> = {}): Promise<ConpaasService> => {
      const made = await store.conpaas.createService(wanted(changes));
      if (typeof made === 'string') throw new Error(made);
      return made;
    };

    test('application names are unique for each user, and ids are never given twice', async () => {
      const { conpaas } = store;
      const second = await conpaas.createApplication(uid, 'second');
      expect(await conpaas.createApplication(uid, 'second')).toBeUndefined();
      expect(await conpaas.createApplication(uid + 1, 'second')).toBeDefined();
      expect(await conpaas.renameApplication(aid, 'second')).toBe(false);
      expect(await conpaas.renameApplication(aid, 'first')).toBe(true);
      expect(await conpaas.deleteApplication(second?.aid ?? 0)).toBe(true);
      const third = await conpaas.createApplication(uid, 'second');
      expect(third?.aid).toBeGreaterThan(second?.aid ?? 0);
      expect((await conpaas.applications(uid)).map(({ name }) => name)).toEqual(['first', 'second']);
    });

    test('a service has addresses that nobody else of its host has, and gives them back', async () => {
      const one = await created();
      const two = await created();
      const elsewhere = await created({ host: 'there' });
      const held = [one.manager, one.endpoint, two.manager, two.endpoint].map(({ address }) => address);
      expect(new Set(held).size).toBe(4);
      expect(elsewhere.manager).toEqual(one.manager);
      expect(await store.conpaas.createService(wanted({ endpoints: addresses(1, 2) }))).toBe('no-address');
      expect(await store.conpaas.services({ host: 'here' })).toEqual([one, two]);
      expect(await store.conpaas.deleteApplication(aid)).toBe(false);
      for (const { sid } of [one, two, elsewhere]) expect(await store.conpaas.deleteService(sid)).toBe(true);
      expect(await store.conpaas.deleteService(one.sid)).toBe(false);
      const again = await created();
      expect(again.sid).toBeGreaterThan(elsewhere.sid);
      expect(again.manager).toEqual(one.manager);
      await store.conpaas.deleteService(again.sid);
    });

    test('a service that cannot be paid is not made; one that failed is refunded', async () => {
      const before = await credit();
      expect(await store.conpaas.createService(wanted({ price: 11 }))).toBe('no-credit');
      expect(await store.conpaas.createService(wanted({ price: 2, endpoints: [] }))).toBe('no-address');
      expect(await credit()).toBe(before);
      const { sid } = await created({ price: 2 });
      expect(await credit()).toBe((before ?? 0) - 2);
      await store.conpaas.deleteService(sid, { refund: true });
      expect(await credit()).toBe(before);
    });

    test('a charge of one key is taken once, also when it comes many times at once', async () => {
      const { sid } = await created();
      const before = (await credit()) ?? 0;
      const charge = { key: 'hour', uid, sid, amount: 1 };
      const answers = await Promise.all(Array.from({ length: 8 }, () => store.conpaas.charge(charge)));
      expect(answers).toEqual(Array(8).fill(true));
      expect(await credit()).toBe(before - 1);
      expect(await store.conpaas.charge({ ...charge, key: 'much', amount: 1000 })).toBe(false);
      expect(await credit()).toBe(before - 1);
      const race = await Promise.all(
        Array.from({ length: 20 }, (_value, index) => store.conpaas.charge({ ...charge, key: `race ${index}` })),
      );
      expect(race.filter(Boolean)).toHaveLength(before - 1);
      expect(await credit()).toBe(0);
      await store.conpaas.deleteService(sid);
    });

    test('goals, reasons and history are kept in order', async () => {
      const { sid } = await created();
      const goal: ServiceGoal = { ...GOAL, aim: 'running', remove: ['iaas1'] };
      await store.conpaas.updateService(sid, { state: 'PROLOGUE', reason: '', goal });
      expect(await store.conpaas.service(sid)).toMatchObject({ state: 'PROLOGUE', goal, current: GOAL });
      await store.conpaas.updateService(sid, { name: 'Mine' });
      await store.conpaas.updateService(sid, { state: 'ERROR', reason: 'no luck', goal: null });
      expect(await store.conpaas.service(sid)).toMatchObject({ name: 'Mine', goal: null, reason: 'no luck' });
      const history = await store.conpaas.history(sid);
      expect(history.map(({ state, reason }) => [state, reason])).toEqual([
        ['INIT', ''],
        ['PROLOGUE', ''],
        ['ERROR', 'no luck'],
      ]);
      await store.conpaas.deleteService(sid);
      expect(await store.conpaas.history(sid)).toEqual([]);
    });

    test("nodes have the service's own address, one of their own, or none", async () => {
      const service = await created();
      const { sid } = service;
      const node = { sid, cloud: 'iaas', host: 'here', roles: ['proxy'], paidUntil: new Date().toISOString() };
      const first = await store.conpaas.createNode({ ...node, endpoint: 'of the service' });
      const second = await store.conpaas.createNode({ ...node, roles: ['backend'], endpoint: addresses(1, 2, 3) });
      const third = await store.conpaas.createNode({ ...node, roles: ['backend'], endpoint: null });
      expect(await store.conpaas.createNode({ ...node, endpoint: addresses(1, 2, 3) })).toBe('no-address');
      if (typeof first === 'string' || typeof second === 'string' || typeof third === 'string') throw new Error('none');
      expect([first.endpoint, second.endpoint, third.endpoint]).toEqual([service.endpoint, ...addresses(3), null]);
      expect(first.nodeId).toBe(`iaas${first.vmid}`);
      await store.conpaas.updateNode(second.nodeId, { roles: ['web'] });
      await store.conpaas.deleteNode(first.nodeId);
      expect(await store.conpaas.nodes({ sid })).toMatchObject([{ nodeId: second.nodeId, roles: ['web'] }, third]);
      await store.conpaas.deleteNode(second.nodeId);
      expect(await store.conpaas.createNode({ ...node, endpoint: addresses(3) })).toMatchObject({
        endpoint: addresses(3)[0],
      });
      await store.conpaas.deleteService(sid);
      expect(await store.conpaas.nodes({ sid })).toEqual([]);
    });

    test('code versions come newest first', async () => {
      const { sid } = await created();
      const version = {
        sid,
        filename: 'a.zip',
        description: '',
        createdAt: new Date().toISOString(),
        format: 'zip' as const,
        size: 5_000_000_000,
        sha256: 'x',
      };
      for (const codeVersionId of ['code-b', 'code-a', 'code-c']) {
        await store.conpaas.addCodeVersion({ ...version, codeVersionId });
      }
      const versions = await store.conpaas.codeVersions(sid);
      expect(versions.map(({ codeVersionId }) => codeVersionId)).toEqual(['code-c', 'code-a', 'code-b']);
      expect(versions[0]).toEqual({ ...version, codeVersionId: 'code-c' });
      expect(await store.conpaas.deleteCodeVersion(sid, 'code-a')).toBe(true);
      expect(await store.conpaas.deleteCodeVersion(sid, 'code-a')).toBe(false);
      await store.conpaas.deleteService(sid);
    });

    test("a user's certificates are revoked without those of its services, and the other way round", async () => {
      const expiresAt = '2999-01-01T00:00:00.000Z';
      const at = new Date().toISOString();
      await store.conpaas.addCertificate({ fingerprint: 'u', role: 'user', uid, sid: 0, expiresAt });
      await store.conpaas.addCertificate({ fingerprint: 'm', role: 'manager', uid, sid: 77, expiresAt });
      await store.conpaas.addCertificate({ fingerprint: 'old', role: 'user', uid: 0, sid: 0, expiresAt: '2000-01-01' });
      const revoked = async (fingerprint: string) => (await store.conpaas.certificate(fingerprint))?.revokedAt ?? null;
      expect(await store.conpaas.revoke({ uid }, at)).toBe(1);
      expect([await revoked('u'), await revoked('m')]).toEqual([at, null]);
      expect(await store.conpaas.revoke({ sid: 77 }, at)).toBe(1);
      expect(await revoked('m')).toBe(at);
      await store.conpaas.forgetExpired(at);
      expect(await store.conpaas.certificate('old')).toBeUndefined();
      expect(await store.conpaas.certificate('u')).toBeDefined();
    });

    test('a lease has one holder, who may renew it and give it up', async () => {
      const { conpaas } = store;
      const winners = await Promise.all(['a', 'b', 'c'].map((owner) => conpaas.lease('test', owner, 60)));
      expect(winners.filter(Boolean)).toHaveLength(1);
      const holder = ['a', 'b', 'c'][winners.indexOf(true)] ?? '';
      expect(await conpaas.lease('test', holder, 60)).toBe(true);
      await conpaas.releaseLease('test', 'somebody else');
      expect(await conpaas.lease('test', 'd', 60)).toBe(false);
      await conpaas.releaseLease('test', holder);
      expect(await conpaas.lease('test', 'd', -1)).toBe(true);
      expect(await conpaas.lease('test', 'e', 60)).toBe(true);
    });
  },
);
