import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tar } from '../archives/pack.js';
import type { ConpaasClient, ManagerClient, Row } from './conpaas-client.js';
import { ISOLATED, openSystem, type SystemRig } from './system-rig.js';

let rig: SystemRig;
let ann: ConpaasClient;
let row: Row;
let manager: ManagerClient;

beforeAll(async () => {
  rig = await openSystem();
  ann = await rig.user('ann');
  row = await ann.create('generic');
  manager = ann.manager(row.manager);
}, 60_000);
afterAll(() => rig?.close(), 60_000);

type Statuses = Record<string, Record<string, string>>;

/** Each prints who and where it is; `run` leaves one process of its own in the background and another one in a session of its own. */
function scripts(word: string, more: Record<string, string> = {}): Buffer {
  const hello = 'echo "$(basename "$0") on $MY_ROLE with [$@]"';
  const files = {
    'init.sh': `${hello}; id -u; echo ${word} > kept; echo trouble >&2`,
    'notify.sh': `${hello}; grep -o '"id"' "$AGENTS_FILE" | wc -l | sed 's/^/peers /'`,
    'run.sh': `${hello}; cat kept; sleep 1000 & setsid sleep 1000 & wait`,
    'interrupt.sh': hello,
    'cleanup.sh': `${hello}; exit 3`,
    ...more,
  };
  return tar(Object.entries(files).map(([name, content]) => ({ name, content })));
}

async function upload(code: Buffer): Promise<string> {
  const { result } = await manager.upload('upload_code_version', { code: { name: 'scripts.tar', bytes: code } });
  return (result as { codeVersionId: string }).codeVersionId;
}

async function statuses(): Promise<Statuses> {
  const { result } = await manager.get('get_script_status');
  // Not while an agent is away.
  return (result as { agents: Statuses } | undefined)?.agents ?? {};
}

async function until(isSo: (all: Record<string, string>[]) => boolean): Promise<Statuses> {
  for (let tries = 0; tries < 300; tries += 1) {
    const now = await statuses();
    if (Object.keys(now).length > 0 && isSo(Object.values(now))) return now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`It did not come about: ${JSON.stringify(await statuses())}`);
}

const resting = () => until((all) => all.every((scripts) => !Object.values(scripts).includes('RUNNING')));

async function enable(codeVersionId: string): Promise<void> {
  expect((await manager.post('enable_code', { codeVersionId })).result).toEqual({});
  expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
  await resting();
}

/** To its end. */
async function execute(command: string): Promise<Statuses> {
  expect((await manager.post('execute_script', { command })).result).toEqual({ state: 'RUNNING' });
  return await resting();
}

async function log(agentId: string, filename?: string): Promise<string> {
  const { result } = await manager.get('get_agent_log', { agentId, ...(filename && { filename }) });
  return (result as { log: string }).log;
}

async function nodes(): Promise<{ master: string[]; node: string[] }> {
  return (await manager.get('list_nodes')).result as { master: string[]; node: string[] };
}

/** Processes of the machine that run this command line. */
async function processes(command: string, mark: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
      return (await read('cmdline')).replaceAll('\0', ' ').trim() === command && (await read('environ')).includes(mark);
    }),
  );
  return pids.filter((_pid, index) => found[index]);
}

async function markOf(agentId: string): Promise<string> {
  const spec = await readFile(join(rig.data, 'conpaas', 'agents', agentId, 'spec.json'), 'utf8');
  return (JSON.parse(spec) as { mark: string }).mark;
}

let first: string;

test('a service that does not run says so in the original words', async () => {
  for (const [kind, method] of [
    ['get', 'list_nodes'],
    ['post', 'execute_script'],
    ['get', 'get_script_status'],
  ] as const) {
    const parameters = method === 'execute_script' ? { command: 'run' } : {};
    expect((await manager[kind](method, parameters)).error).toBe(`ERROR: cannot perform ${method} in state INIT`);
  }
  expect((await manager.get('get_service_info')).result).toEqual({ state: 'INIT', type: 'generic' });
});

test('startup runs init.sh on the master, as the Unix id of the service', async () => {
  await manager.post('enable_code', { codeVersionId: await upload(scripts('one')) });
  expect((await manager.post('startup', { cloud: 'default' })).result).toEqual({ state: 'PROLOGUE' });
  expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
  const { master, node } = await nodes();
  first = master[0] ?? '';
  expect([master.length, node]).toEqual([1, []]);
  expect(await resting()).toEqual({
    [first]: {
      'init.sh': 'STOPPED (return code 0)',
      'notify.sh': 'NEVER STARTED',
      'run.sh': 'NEVER STARTED',
      'interrupt.sh': 'NEVER STARTED',
      'cleanup.sh': 'NEVER STARTED',
    },
  });
  const [hello, uid] = (await log(first, 'agent.out')).split('\n');
  expect(hello).toBe('init.sh on master with []');
  expect(Number(uid)).toBe(ISOLATED ? 200_000 + row.sid : process.getuid?.());
  expect(await log(first, 'agent.err')).toBe('trouble\n');
  expect(await log(first)).toMatch(/init\.sh begins[\s\S]*trouble[\s\S]*init\.sh ended \(exit code 0\)/);
  expect((await manager.get('get_agent_log', { agentId: first, filename: '/etc/passwd' })).error).toMatch(
    /Invalid log/,
  );
  expect((await manager.get('get_agent_log', { agentId: 'iaas0' })).error).toMatch(/Invalid agentId/);
  const info = await manager.get('get_node_info', { serviceNodeId: first });
  expect(info.result).toEqual({ serviceNode: { id: first, ip: expect.stringMatching(/^127\./), is_master: true } });
}, 60_000);

test('nodes that come run init.sh, those that are there notify.sh, and all know each other', async () => {
  expect((await manager.post('add_nodes', {})).error).toBe('ERROR: count is a required argument');
  expect((await manager.post('add_nodes', { count: 2, cloud: 'default' })).result).toEqual({ state: 'ADAPTING' });
  await manager.until('RUNNING');
  const { master, node } = await nodes();
  expect([master, node.length]).toEqual([[first], 2]);
  const now = await resting();
  expect(node.map((id) => now[id]?.['init.sh'])).toEqual(['STOPPED (return code 0)', 'STOPPED (return code 0)']);
  expect(now[first]?.['notify.sh']).toBe('STOPPED (return code 0)');
  expect(await log(first, 'agent.out')).toContain('notify.sh on master with []\npeers 3\n');
  expect(await log(node[0] ?? '', 'agent.out')).toMatch(/^init\.sh on node with/);
  expect((await manager.post('remove_nodes', { count: 3 })).error).toBe('ERROR: Cannot remove so many nodes');
  await manager.post('remove_nodes', { node: 1 });
  await manager.until('RUNNING');
  expect(await nodes()).toEqual({ master: [first], node: [node[0]] });
  await resting();
  expect(await log(first, 'agent.out')).toMatch(/peers 3\n[\s\S]*peers 2\n/);
}, 60_000);

test('scripts run when they are asked for, one at a time, and an interrupt leaves nothing of them', async () => {
  const interrupt = { command: 'interrupt' };
  expect((await manager.post('execute_script', interrupt)).error).toBe(
    'ERROR: No scripts are currently running inside agents. Nothing to interrupt.',
  );
  expect((await manager.post('execute_script', { command: 'init' })).error).toMatch(/invalid command/);
  const run = { command: 'run', parameters: 'two words; touch /tmp/never' };
  expect((await manager.post('execute_script', run)).result).toEqual({ state: 'RUNNING' });
  const marks = await Promise.all((await nodes()).node.concat(first).map(markOf));
  const sleeping = async () => (await Promise.all(marks.map((mark) => processes('sleep 1000', mark)))).flat().length;
  await until((all) => all.every((scripts) => scripts['run.sh'] === 'RUNNING'));
  while ((await sleeping()) < 4) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await log(first, 'agent.out')).toContain('run.sh on master with [two words; touch /tmp/never]\none\n');
  for (const [method, parameters] of [
    ['execute_script', { command: 'cleanup' }],
    ['enable_code', { codeVersionId: 'code-default' }],
    ['generic_create_volume', { volumeName: 'data', volumeSize: 5, agentId: first }],
  ] as const) {
    expect((await manager.post(method, parameters)).error).toMatch(/^ERROR: Scripts are still running inside at least/);
  }
  await manager.post('execute_script', interrupt);
  const now = await resting();
  expect(Object.values(now).map((scripts) => [scripts['run.sh'], scripts['interrupt.sh']])).toEqual([
    ['STOPPED (return code -15)', 'STOPPED (return code 0)'],
    ['STOPPED (return code -15)', 'STOPPED (return code 0)'],
  ]);
  expect(await sleeping()).toBe(0);
  expect((await execute('cleanup'))[first]?.['cleanup.sh']).toBe('STOPPED (return code 3)');
}, 60_000);

test('volumes are folders of a node that outlive its code', async () => {
  const volume = { volumeName: 'data', volumeSize: 5, agentId: first };
  expect((await manager.get('list_volumes')).result).toEqual({ volumes: [] });
  expect((await manager.post('generic_create_volume', { ...volume, volumeName: '../x' })).error).toMatch(
    /invalid char/,
  );
  expect((await manager.post('generic_create_volume', volume)).result).toEqual({ state: 'ADAPTING' });
  await manager.until('RUNNING');
  expect((await manager.get('list_volumes')).result).toEqual({ volumes: [volume] });
  expect((await manager.post('generic_create_volume', volume)).error).toMatch(/volumeName already exists/);
  const run = 'echo "run $(cat "$VOLUMES/data/note" 2>&1)"; echo kept > "$VOLUMES/data/note"';
  const codeVersionId = await upload(scripts('two', { 'run.sh': run }));
  await enable(codeVersionId);
  await execute('run');
  await enable('code-default');
  await enable(codeVersionId);
  await execute('run');
  expect(await log(first, 'agent.out')).toMatch(/No such file[\s\S]*run kept/);
  await manager.post('generic_delete_volume', { volumeName: 'data' });
  await manager.until('RUNNING');
  expect((await manager.get('list_volumes')).result).toEqual({ volumes: [] });
  await execute('run');
  expect((await log(first, 'agent.out')).match(/No such file/g)).toHaveLength(2);
}, 60_000);

test('an agent that is killed comes back, says what happened and begins with init.sh', async () => {
  await enable(await upload(scripts('three')));
  await manager.post('execute_script', { command: 'run' });
  await until((all) => all.every((scripts) => scripts['run.sh'] === 'RUNNING'));
  const mark = await markOf(first);
  const { pid } = JSON.parse(await readFile(join(rig.data, 'conpaas', 'agents', first, 'endpoint.json'), 'utf8')) as {
    pid: number;
  };
  process.kill(pid, 'SIGKILL');
  await rig.conpaas.tick();
  await manager.until('RUNNING');
  const now = await until((all) => all.some((scripts) => scripts['run.sh'] === 'STOPPED (return code -9)'));
  expect(now[first]?.['run.sh']).toBe('STOPPED (return code -9)');
  expect(await processes('sleep 1000', mark)).toEqual([]);
  await until((all) => all.some((scripts) => scripts['init.sh'] === 'STOPPED (return code 0)'));
}, 60_000);

test('shutdown ends what runs, and the service goes', async () => {
  const marks = await Promise.all((await nodes()).node.concat(first).map(markOf));
  expect((await manager.post('shutdown')).result).toEqual({ state: 'EPILOGUE' });
  expect(await manager.until('STOPPED', 'ERROR')).toBe('STOPPED');
  expect((await Promise.all(marks.map((mark) => processes('sleep 1000', mark)))).flat()).toEqual([]);
  expect(await ann.json(`stop/${row.sid}`)).toBe(true);
  expect(await readdir(join(rig.data, 'conpaas', 'agents'))).toEqual([]);
}, 60_000);
