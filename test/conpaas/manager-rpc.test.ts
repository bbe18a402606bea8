import { Fault } from '../../src/domain/errors.js';
import { zip } from '../archives/pack.js';
import type { ConpaasClient, ManagerClient, Row } from './conpaas-client.js';
import { openSystem, type SystemRig } from './system-rig.js';

let rig: SystemRig;
let ann: ConpaasClient;
let row: Row;
let manager: ManagerClient;

beforeAll(async () => {
  rig = await openSystem({
    admitUpload: async (bytes) => {
      if (bytes > 100_000) throw new Fault('ServiceUnavailable', 'There is no room for it.');
    },
  });
  ann = await rig.user('ann');
  row = await ann.create('static');
  manager = ann.manager(row.manager);
}, 60_000);
afterAll(() => rig?.close(), 60_000);

const JSON_TYPE = { 'content-type': 'application/json' };
const site = (word: string) => zip([{ name: 'index.html', content: word }]);

async function upload(word: string): Promise<string> {
  const code = { name: `C:\\sites\\${word}.zip`, bytes: site(word) };
  const { result } = await manager.upload('upload_code_version', { code, description: word });
  return (result as { codeVersionId: string }).codeVersionId;
}

describe('the transport', () => {
  const ask = (query: Record<string, string>, headers: Record<string, string> = JSON_TYPE) =>
    manager.send({ query, headers });

  test('echoes the id as it was sent', async () => {
    expect(await manager.get('get_service_info')).toEqual({
      id: '1',
      result: { state: 'INIT', type: 'STATIC' },
      error: null,
    });
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'shutdown', params: {}, id: 7 });
    const { text } = await manager.send({ method: 'POST', body, headers: JSON_TYPE });
    expect(JSON.parse(text)).toEqual({ id: 7, error: 'Cannot perform requested operation in current state' });
    expect(await manager.upload('upload_code_version', {})).toEqual({ id: 1, error: 'Missing argument "code"' });
  });

  test('ends every connection', async () => {
    for (const answer of [await ask({ method: 'getLog', id: '1' }), await ask({})]) {
      expect(answer.headers.connection).toBe('close');
    }
  });

  test('answers 400 without a method, 404 to an unknown one or another path', async () => {
    expect(await ask({ id: '1' })).toMatchObject({ status: 400, text: 'Did not specify method' });
    expect(await ask({ method: 'nothing', id: '1' })).toMatchObject({ status: 404, text: 'method not found' });
    const elsewhere = ann.with({ director: `https://${row.manager}:${rig.conpaas.managerPort}` });
    expect((await elsewhere.send('other?method=getLog&id=1', { headers: JSON_TYPE })).status).toBe(404);
  });

  test('refuses an upload for which there is no room', async () => {
    const code = { name: 'a.zip', bytes: Buffer.alloc(200_000) };
    const refused = await manager.send({ method: 'POST', parts: { method: 'upload_code_version', code } });
    expect(refused).toMatchObject({ status: 503, text: 'There is no room for it.' });
  });

  test('takes each method in its one way only', async () => {
    expect((await ask({ method: 'startup', id: '1' })).status).toBe(404);
    const body = JSON.stringify({ method: 'getLog', params: {}, id: 1 });
    expect((await manager.send({ method: 'POST', body, headers: JSON_TYPE })).status).toBe(404);
    expect((await manager.send({ method: 'POST', parts: { method: 'startup' } })).status).toBe(404);
    expect((await manager.send({ method: 'DELETE', headers: JSON_TYPE })).status).toBe(405);
  });

  test.each([{}, { 'content-type': 'text/plain' }, { 'content-type': 'application/json; charset=utf-8' }])(
    'answers 415 to the headers %j',
    async (headers) => {
      expect((await ask({ method: 'getLog', id: '1' }, headers as Record<string, string>)).status).toBe(415);
    },
  );

  test.each(['application/json', 'application/json-rpc', 'application/jsonrequest'])('takes %s', async (type) => {
    expect((await ask({ method: 'getLog', id: '1' }, { 'content-type': type })).status).toBe(200);
  });

  test('hangs up on what is no JSON or has no id', async () => {
    const post = (body: string) => manager.send({ method: 'POST', body, headers: JSON_TYPE });
    await expect(post('{')).rejects.toThrow();
    await expect(post('[]')).rejects.toThrow();
    await expect(post(JSON.stringify({ method: 'startup' }))).rejects.toThrow();
    await expect(ask({ method: 'getLog' })).rejects.toThrow();
  });

  test('refuses arguments in the original words', async () => {
    expect((await manager.get('getLog', { x: 1 })).error).toBe("Unexpected arguments ['x']");
    expect((await manager.get('download_code_version')).error).toBe('Missing argument "codeVersionId"');
    expect((await manager.post('startup', { cloud: 'x' })).error).toBe("A cloud named 'x' could not be found");
    expect((await manager.post('enable_code', { codeVersionId: 'x' })).error).toBe(
      'Unknown code version identifier "x"',
    );
  });
});

describe('code versions', () => {
  test('begin with the initial one, newest first, and mark the active one alone', async () => {
    const first = await upload('first');
    const second = await upload('second');
    expect(first).toMatch(/^code-\w{6}$/);
    const { result } = await manager.get('list_code_versions');
    const { codeVersions } = result as { codeVersions: Record<string, unknown>[] };
    expect(codeVersions.map(({ codeVersionId }) => codeVersionId)).toEqual([second, first, 'code-default']);
    expect(codeVersions[2]).toEqual({
      codeVersionId: 'code-default',
      filename: 'code-default.tar',
      description: 'Initial version',
      time: expect.any(Number),
      current: true,
    });
    expect(codeVersions[1]).toMatchObject({ filename: 'first.zip', description: 'first' });
    expect(codeVersions[1]).not.toHaveProperty('current');
  });

  test('come back byte by byte, and can be deleted unless they are active', async () => {
    const id = await upload('third');
    const query = { method: 'download_code_version', id: '1', params: JSON.stringify({ codeVersionId: id }) };
    const { body, headers } = await manager.send({ query, headers: JSON_TYPE });
    expect(body).toEqual(site('third'));
    expect(headers['content-disposition']).toContain('third.zip');
    await manager.post('enable_code', { codeVersionId: id });
    expect((await manager.get('get_configuration')).result).toEqual({ codeVersionId: id });
    expect((await manager.post('delete_code_version', { codeVersionId: id })).error).toMatch(/active/);
    await manager.post('enable_code', { codeVersionId: 'code-default' });
    expect((await manager.post('delete_code_version', { codeVersionId: id })).result).toEqual({});
    expect((await manager.post('delete_code_version', { codeVersionId: id })).error).toMatch(/Invalid codeVersionId/);
  });
});

test('what this ConPaaS does not have is refused in words that clients print', async () => {
  expect((await manager.get('list_authorized_keys')).result).toEqual({ authorizedKeys: [] });
  const key = { name: 'id.pub', bytes: Buffer.from('ssh-ed25519 AAAA me\n') };
  expect((await manager.upload('upload_authorized_key', { key })).error).toMatch(/upload_code_version/);
  expect((await manager.post('git_push_hook')).error).toMatch(/upload_code_version/);
  expect((await manager.post('on_autoscaling', { cool_down: 5 })).error).toMatch(/add_nodes/);
  expect((await manager.post('off_autoscaling')).result).toEqual({});
  expect((await manager.post('cdn_enable', { enable: true, address: 'cdn.org' })).error).toMatch(/content delivery/);
  expect((await manager.post('cdn_enable', { enable: false })).result).toEqual({});
  expect((await manager.post('update_nodes_weight', { backend: { iaas1: 5 } })).error).toMatch(/same weight/);
  expect((await manager.post('migrate_nodes', { migration_plan: [] })).error).toBe(
    "Wrong service state: was expecting one of ['RUNNING'] but current state is 'INIT'",
  );
});

describe('startup scripts', () => {
  test('are kept', async () => {
    expect((await manager.get('get_startup_script')).error).toBe('No startup script');
    const script = { name: '/home/me/run.sh', bytes: Buffer.from('echo hello\n') };
    expect((await manager.upload('upload_startup_script', { script })).result).toEqual({ filename: 'run.sh' });
    expect((await manager.get('get_startup_script')).result).toBe('echo hello\n');
  });
});
