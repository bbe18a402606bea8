import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zip } from '../archives/pack.js';
import type { ConpaasClient } from './conpaas-client.js';
import { ISOLATED, openSystem, type SystemRig } from './system-rig.js';

let rig: SystemRig;
let owner: ConpaasClient;

beforeAll(async () => {
  rig = await openSystem();
  owner = await rig.user('owner');
}, 60_000);
afterAll(() => rig?.close(), 60_000);

const site = (word: string) => zip([{ name: 'index.html', content: `<h1>${word}</h1>` }]);

test('a service lives as cpsclient leads it', async () => {
  const { sid, manager: address } = await owner.create('static');
  const manager = owner.manager(address);
  expect(await manager.until('INIT')).toBe('INIT');
  expect(await manager.post('startup', { cloud: 'default' })).toEqual({
    id: '1',
    result: { state: 'PROLOGUE' },
    error: null,
  });
  expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
  const { result } = await manager.get('list_nodes');
  const { proxy } = result as { proxy: string[] };
  const info = (await manager.get('get_node_info', { serviceNodeId: proxy[0] })).result as {
    serviceNode: { ip: string };
  };
  const url = `http://${info.serviceNode.ip}:${rig.conpaas.appPort}/`;
  expect(await (await fetch(url)).text()).toContain('Welcome to ConPaaS');
  const uploaded = await manager.upload('upload_code_version', {
    description: 'first',
    code: { name: '/home/me/site.zip', bytes: await site('first') },
  });
  const { codeVersionId } = uploaded.result as { codeVersionId: string };
  await manager.post('enable_code', { codeVersionId });
  await manager.until('RUNNING');
  expect(await (await fetch(url)).text()).toBe('<h1>first</h1>');
  expect((await manager.post('shutdown')).result).toEqual({ state: 'EPILOGUE' });
  await manager.until('STOPPED');
  await expect(fetch(url)).rejects.toThrow();
  expect(await owner.json(`stop/${sid}`)).toBe(true);
  expect(await owner.json('list')).toEqual([]);
}, 60_000);

test('a helloworld service says hello from each of its nodes', async () => {
  const { sid, manager: address } = await owner.create('helloworld');
  const manager = owner.manager(address);
  expect((await manager.get('list_nodes')).error).toBe('ERROR: Wrong state to list_nodes');
  await manager.post('startup', { cloud: 'default' });
  expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
  expect((await manager.get('get_service_info')).result).toEqual({ state: 'RUNNING', type: 'helloworld' });
  expect((await manager.post('add_nodes', { count: 1, cloud: 'default' })).result).toEqual({});
  await manager.until('RUNNING');
  const { helloworld } = (await manager.get('list_nodes')).result as { helloworld: string[] };
  expect(helloworld).toHaveLength(2);
  expect((await manager.get('get_helloworld')).result).toEqual({
    helloworld: helloworld.map((id) => `Received helloworld from ${id}`).join('\n'),
  });
  const info = await manager.get('get_node_info', { serviceNodeId: helloworld[1] });
  expect(info.result).toEqual({ serviceNode: { id: helloworld[1], ip: expect.stringMatching(/^127\./) } });
  expect((await manager.post('remove_nodes', { count: 2 })).error).toMatch(/Not enough nodes/);
  expect((await manager.post('add_nodes', {})).error).toBe("ERROR: Required argument doesn't exist");
  await manager.post('remove_nodes', { node: 1 });
  await manager.until('RUNNING');
  expect((await manager.get('list_nodes')).result).toEqual({ helloworld: [helloworld[0]] });
  expect(await owner.json(`stop/${sid}`)).toBe(true);
}, 60_000);

/** Tomcat takes its time on a busy machine. */
test('the initial version of every offered type says welcome', async () => {
  const types = rig.conpaas.offeredTypes.filter((type) => !['helloworld', 'generic', 'mysql'].includes(type));
  expect(types).toEqual(expect.arrayContaining(['nodejs', 'static']));
  for (const type of types) {
    const { sid, manager: address } = await owner.create(type);
    const manager = owner.manager(address);
    await manager.post('startup', { cloud: 'default' });
    expect([type, await manager.until('RUNNING', 'ERROR')]).toEqual([type, 'RUNNING']);
    const statuses = (await owner.json('service_status')) as { sid: number; url: string }[];
    const url = statuses.find((status) => status.sid === sid)?.url ?? '';
    expect([type, await (await fetch(url)).text()]).toEqual([type, expect.stringContaining('Welcome to ConPaaS')]);
    expect((await manager.get('get_service_info')).result).toEqual({ state: 'RUNNING', type: type.toUpperCase() });
    expect(await owner.json(`stop/${sid}`)).toBe(true);
  }
}, 300_000);

test('php is configured and enabled by update_php_configuration', async () => {
  if (!rig.conpaas.offeredTypes.includes('php')) return console.warn('PHP is not installed: not tried');
  const { sid, manager: address } = await owner.create('php');
  const manager = owner.manager(address);
  const code = { name: 'a.zip', bytes: zip([{ name: 'index.php', content: '<?= ini_get("max_execution_time") ?>' }]) };
  const { codeVersionId } = (await manager.upload('upload_code_version', { code })).result as { codeVersionId: string };
  const phpconf = { max_execution_time: '77', memory_limit: '64M' };
  expect((await manager.post('update_php_configuration', { codeVersionId, phpconf })).result).toEqual({});
  expect((await manager.get('get_configuration')).result).toMatchObject({
    codeVersionId,
    phpconf: { ...phpconf, display_errors: 'Off' },
    cdn: false,
    autoscaling: false,
  });
  for (const bad of [{ extension: 'x.so' }, { memory_limit: '1M\nextension=x' }]) {
    expect((await manager.post('update_php_configuration', { phpconf: bad })).error).toMatch(/^Invalid arguments/);
  }
  await manager.post('startup', { cloud: 'default' });
  expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
  const statuses = (await owner.json('service_status')) as { sid: number; url: string }[];
  const url = statuses.find((status) => status.sid === sid)?.url ?? '';
  expect(await (await fetch(url)).text()).toBe('77');
  expect(await owner.json(`stop/${sid}`)).toBe(true);
}, 120_000);

test('code of two services of one user runs under two Unix ids', async () => {
  if (!ISOLATED) return console.warn('Not root: Unix ids are not given');
  const owners: number[] = [];
  for (const _service of ['one', 'other']) {
    const { manager: address } = await owner.create('static');
    const manager = owner.manager(address);
    await manager.post('startup');
    await manager.until('RUNNING');
    const { proxy } = (await manager.get('list_nodes')).result as { proxy: string[] };
    const spec = await readFile(join(rig.data, 'conpaas', 'agents', proxy[0] ?? '', 'spec.json'), 'utf8');
    owners.push((JSON.parse(spec) as { owner: { uid: number } }).owner.uid);
  }
  expect(new Set(owners).size).toBe(2);
  for (const uid of owners) expect(uid).toBeGreaterThanOrEqual(200_000);
}, 60_000);
