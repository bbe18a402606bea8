import { zip } from '../archives/pack.js';
import type { ConpaasClient } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

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
