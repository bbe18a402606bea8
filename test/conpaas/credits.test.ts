import type { ConpaasClient, Row } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

const HOUR = 3600 * 1000;

let rig: SystemRig;

beforeAll(async () => {
  rig = await openSystem({ movable: true, interval: 3_600_000 });
}, 60_000);
afterAll(() => rig?.close(), 60_000);

const credit = async (user: ConpaasClient) => (await user.json('user_credit', { method: 'GET' })) as number;

function pass(hours: number): Promise<void> {
  rig.clock.now = new Date(rig.clock.now.getTime() + hours * HOUR);
  return rig.conpaas.tick();
}

async function running(user: ConpaasClient): Promise<{ row: Row; manager: ReturnType<ConpaasClient['manager']> }> {
  const row = await user.create('static');
  const manager = user.manager(row.manager);
  await manager.post('startup');
  await manager.until('RUNNING', 'STOPPED', 'ERROR');
  return { row, manager };
}

test('a manager costs one, each agent one at once and one for every hour that begins', async () => {
  const ann = await rig.user('ann', 20);
  const { row, manager } = await running(ann);
  expect(await credit(ann)).toBe(18);
  await pass(0.5);
  expect(await credit(ann)).toBe(18);
  await pass(0.5);
  expect(await credit(ann)).toBe(17);
  await rig.conpaas.tick();
  expect(await credit(ann)).toBe(17);
  await manager.post('add_nodes', { backend: 2 });
  await manager.until('RUNNING');
  expect(await credit(ann)).toBe(15);
  await pass(1);
  expect(await credit(ann)).toBe(12);
  await manager.post('shutdown');
  await manager.until('STOPPED');
  await pass(10);
  expect(await credit(ann)).toBe(12);
  expect(await ann.json(`stop/${row.sid}`)).toBe(true);
}, 60_000);

test('hours that passed while the gateway was away are paid, once', async () => {
  const bob = await rig.user('bob', 20);
  const { row } = await running(bob);
  expect(await credit(bob)).toBe(18);
  await rig.restart(async () => {
    rig.clock.now = new Date(rig.clock.now.getTime() + 3 * HOUR);
  });
  await rig.conpaas.tick();
  await rig.conpaas.tick();
  expect(await credit(bob)).toBe(15);
  expect(await bob.json(`stop/${row.sid}`)).toBe(true);
}, 60_000);

test('a refused hour stops the service, and says why', async () => {
  const poor = await rig.user('poor', 3);
  const { manager } = await running(poor);
  expect(await credit(poor)).toBe(1);
  await pass(1);
  expect(await credit(poor)).toBe(0);
  expect(await manager.until('RUNNING')).toBe('RUNNING');
  await pass(1);
  expect(await manager.until('STOPPED', 'ERROR')).toBe('STOPPED');
  const history = (await manager.get('get_service_history')).result as { state_log: { reason: string }[] };
  expect(history.state_log.at(-1)?.reason).toBe('Not enough credits.');
  expect(await credit(poor)).toBe(0);
}, 60_000);

test('without credit a service does not start, and nodes are not added', async () => {
  const poor = await rig.user('poorer', 1);
  const { manager } = await running(poor);
  expect(await manager.until('STOPPED')).toBe('STOPPED');
  expect(await credit(poor)).toBe(0);
  const rich = await rig.user('richer', 3);
  const other = await running(rich);
  await other.manager.post('add_nodes', { backend: 3 });
  expect(await other.manager.until('RUNNING')).toBe('RUNNING');
  const { result } = await other.manager.get('list_nodes');
  expect((result as { backend: string[] }).backend).toHaveLength(1);
  const history = (await other.manager.get('get_service_history')).result as { state_log: { reason: string }[] };
  expect(history.state_log.at(-1)?.reason).toBe('Could not add nodes. Not enough credits.');
}, 60_000);
