import { setTimeout as wait } from 'node:timers/promises';
import { zip } from '../archives/pack.js';
import type { ConpaasClient, ManagerClient, Row } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

let rig: SystemRig;
let ann: ConpaasClient;
let row: Row;
let manager: ManagerClient;

beforeAll(async () => {
  rig = await openSystem();
  ann = await rig.user('ann');
  row = await ann.create('static');
  manager = ann.manager(row.manager);
}, 60_000);
afterAll(() => rig?.close(), 60_000);

const site = (word: string) => zip([{ name: 'index.html', content: word }]);

async function upload(word: string): Promise<string> {
  const code = { name: `C:\\sites\\${word}.zip`, bytes: site(word) };
  const { result } = await manager.upload('upload_code_version', { code, description: word });
  return (result as { codeVersionId: string }).codeVersionId;
}

async function nodes(): Promise<Record<'proxy' | 'web' | 'backend', string[]>> {
  return (await manager.get('list_nodes')).result as Record<'proxy' | 'web' | 'backend', string[]>;
}

async function url(): Promise<string> {
  const [status] = (await ann.json('service_status')) as { url: string }[];
  return status?.url ?? '';
}

describe('states and nodes', () => {
  test('what needs running nodes is refused before there are any', async () => {
    for (const method of ['shutdown', 'add_nodes', 'remove_nodes', 'undo', 'reset']) {
      const parameters = method.endsWith('nodes') ? { backend: 1 } : {};
      expect((await manager.post(method, parameters)).error).toBe(
        'Cannot perform requested operation in current state',
      );
    }
    expect((await manager.get('list_nodes')).error).toBe('Cannot perform requested operation in current state');
  });

  test('a service starts with one node that carries all roles', async () => {
    const codeVersionId = await upload('one');
    await manager.post('enable_code', { codeVersionId });
    await manager.post('startup', { cloud: 'default' });
    expect((await manager.post('startup')).error).toBe('Cannot perform requested operation in current state');
    await manager.until('RUNNING');
    const { proxy, web, backend } = await nodes();
    expect([proxy, web, backend]).toEqual([proxy, proxy, proxy]);
    expect(proxy).toHaveLength(1);
    const { result } = await manager.get('get_node_info', { serviceNodeId: proxy[0] });
    const [status] = (await ann.json('service_status')) as { url: string }[];
    expect(result).toEqual({
      serviceNode: {
        id: proxy[0],
        ip: new URL(status?.url ?? '').hostname,
        vmid: proxy[0]?.replace('iaas', ''),
        cloud: 'iaas',
        isRunningProxy: true,
        isRunningWeb: true,
        isRunningBackend: true,
        weightWeb: 100,
        weightBackend: 100,
      },
    });
    expect((await manager.get('get_node_info', { serviceNodeId: 'iaas0' })).error).toMatch(/Invalid/);
    expect((await manager.get('get_service_performance')).result).toMatchObject({ request_rate: 0 });
  }, 60_000);

  test('nodes come and go by role while the service answers every request', async () => {
    const address = await url();
    const visiting = { done: false, requests: 0 };
    const visitor = (async () => {
      while (!visiting.done) {
        const response = await fetch(address);
        expect([response.status, await response.text()]).toEqual([200, 'one']);
        visiting.requests += 1;
        // A visitor who never rests takes the processor from the nodes that are to come.
        await wait(10);
      }
    })();
    const [first = ''] = (await nodes()).proxy;
    expect((await manager.post('add_nodes', { backend: 2, cloud: 'iaas' })).result).toEqual({});
    await manager.until('RUNNING');
    let now = await nodes();
    expect([now.proxy, now.web]).toEqual([[first], [first]]);
    expect(now.backend).toHaveLength(2);
    expect(now.backend).not.toContain(first);
    expect((await manager.post('remove_nodes', { backend: 3 })).error).toMatch(/Not enough backend nodes/);
    expect((await manager.post('add_nodes', { proxy: 1 })).error).toMatch(/web only/);
    await manager.post('add_nodes', { web: 1, proxy: 1 });
    await manager.until('RUNNING');
    now = await nodes();
    expect([now.proxy.length, now.web.length, now.backend.length]).toEqual([2, 1, 2]);
    await manager.post('remove_nodes', { web: 1, proxy: 1, backend: 2 });
    await manager.until('RUNNING');
    expect(await nodes()).toEqual({ proxy: [first], web: [first], backend: [first] });
    expect((await manager.post('remove_nodes', { proxy: 1 })).error).toMatch(/Not enough proxy nodes/);
    visiting.done = true;
    await visitor;
    expect(visiting.requests).toBeGreaterThan(10);
  }, 120_000);

  test('a node can be named by its address', async () => {
    await manager.post('add_nodes', { backend: 2 });
    await manager.until('RUNNING');
    const [named = '', other = ''] = (await nodes()).backend;
    const info = (await manager.get('get_node_info', { serviceNodeId: named })).result as {
      serviceNode: { ip: string };
    };
    await manager.post('remove_nodes', { node_ip: info.serviceNode.ip });
    await manager.until('RUNNING');
    expect((await nodes()).backend).toEqual([other]);
    expect((await manager.post('remove_nodes', { node_ip: '10.0.0.1' })).error).toMatch(/node_ip/);
    const [first = ''] = (await nodes()).proxy;
    const move = (id: string, to_cloud = 'iaas') => {
      const migration_plan = [{ from_cloud: 'iaas', vmid: id.replace('iaas', ''), to_cloud }];
      return manager.post('migrate_nodes', { migration_plan, delay: 0 });
    };
    expect((await move('iaas4711')).error).toBe('Unknown node from cloud iaas with VM identifier 4711');
    expect((await move(other, 'moon')).error).toBe("A cloud named 'moon' could not be found");
    expect((await move(first)).error).toMatch(/holds the address/);
    expect((await move(other)).result).toEqual({});
    await manager.until('RUNNING');
    const { backend } = await nodes();
    expect(backend).toHaveLength(1);
    expect(backend).not.toContain(other);
    expect(await (await fetch(await url())).text()).toBe('one');
    await manager.post('remove_nodes', { backend: 1 });
    await manager.until('RUNNING');
  }, 120_000);

  test('code that cannot run leaves the old one serving, and the history says why', async () => {
    const code = { name: 'bad.zip', bytes: zip([{ name: 'nothing.xyz', content: '?' }]) };
    const { result } = await manager.upload('upload_code_version', { code });
    const { codeVersionId } = result as { codeVersionId: string };
    await manager.post('enable_code', { codeVersionId });
    await manager.until('RUNNING');
    expect(await (await fetch(await url())).text()).toBe('one');
    const { codeVersionId: current } = (await manager.get('get_configuration')).result as { codeVersionId: string };
    expect(current).not.toBe(codeVersionId);
    const history = (await manager.get('get_service_history')).result as {
      state_log: { time: number; state: string; reason: string }[];
    };
    expect(history.state_log.slice(0, 3).map(({ state }) => state)).toEqual(['INIT', 'PROLOGUE', 'RUNNING']);
    expect(history.state_log.at(-1)).toMatchObject({ state: 'RUNNING', reason: expect.stringMatching(/archive/i) });
  }, 60_000);

  test('environment, memory and number of processes change in one transition', async () => {
    const wanted = { variables: { GREETING: 'hello' }, memory: 256, backends: 2 };
    expect((await manager.post('update_settings', wanted)).result).toEqual({});
    expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
    expect((await manager.get('get_settings')).result).toMatchObject(wanted);
    expect((await nodes()).backend).toHaveLength(2);
    for (const bad of [{ variables: { 'a b': 'x' } }, { variables: 'x' }, { backends: 0 }, { memory: -1 }]) {
      expect((await manager.post('update_settings', bad)).error).toMatch(/^Invalid arguments/);
    }
  }, 60_000);

  test('the log tells what the manager did and what the application said', async () => {
    const { log } = (await manager.get('getLog')).result as { log: string };
    expect(log).toMatch(/state PROLOGUE/);
  });

  test('a shut down service is resting without nodes and can be started again', async () => {
    const address = await url();
    await manager.post('shutdown');
    await manager.until('STOPPED');
    await expect(fetch(address)).rejects.toThrow();
    await manager.post('startup');
    expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
    expect(await url()).toBe(address);
    expect((await nodes()).backend).toHaveLength(2);
    expect(await ann.json(`stop/${row.sid}`)).toBe(true);
  }, 60_000);
});

test('a start that fails ends in ERROR with the reason and leaves nothing; reset leads out of it', async () => {
  const failing = await ann.create('nodejs');
  const other = ann.manager(failing.manager);
  const files = [
    { name: 'package.json', content: '{"name":"bad","version":"1.0.0","main":"x.js"}' },
    { name: 'x.js', content: 'console.log("about to fail"); process.exit(3);' },
  ];
  const { result } = await other.upload('upload_code_version', { code: { name: 'bad.zip', bytes: zip(files) } });
  await other.post('enable_code', result as { codeVersionId: string });
  await other.post('startup');
  expect(await other.until('RUNNING', 'ERROR', 'STOPPED')).toBe('ERROR');
  const history = (await other.get('get_service_history')).result as { state_log: { reason: string }[] };
  expect(history.state_log.at(-1)?.reason).toContain('about to fail');
  expect((await other.post('startup')).error).toBe('Cannot perform requested operation in current state');
  expect(await rig.store.conpaas.nodes({ sid: failing.sid })).toEqual([]);
  expect((await other.post('reset')).result).toEqual({ state: 'EPILOGUE' });
  expect(await other.until('STOPPED')).toBe('STOPPED');
}, 60_000);
