import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { markedProcesses } from '../../src/conpaas/agent/processes.js';
import { eventually } from '../support/conditions.js';
import { insertUntil, type Login, mariadbIsMissing, query } from '../support/mariadb.js';
import type { ConpaasClient, ManagerClient, Row } from './conpaas-client.js';
import { type KillableSystem, openKillableSystem } from './killable-system.js';

const missing = await mariadbIsMissing();
if (missing) console.warn(`Databases of ConPaaS are not tried. ${missing}`);

(missing ? describe.skip : describe)('a mysql service', () => {
  let system: KillableSystem;
  let owner: ConpaasClient;
  let row: Row;
  let manager: ManagerClient;
  let login: Login & { database: string; url: string };
  const master = (): Login => ({ ...login, user: 'mysqldb', password: PASSWORD });
  const PASSWORD = `it's a "secret" \\ `;

  beforeAll(async () => {
    system = await openKillableSystem();
    owner = await system.user('ann');
    row = await owner.create('mysql');
    manager = owner.manager(row.manager);
    login = (await manager.get('get_credentials')).result as typeof login;
  }, 120_000);
  afterAll(() => system?.close(), 120_000);

  const node = async () => ((await manager.get('list_nodes')).result as { nodes: string[] }).nodes[0] ?? '';
  const rows = async () => await query(login, 'SELECT word FROM conpaas.kept ORDER BY word');
  const comesBack = (words: string[]) => eventually(async () => expect(await rows()).toEqual(words), 60);

  /** The server's own process. */
  async function server(): Promise<number> {
    const { spec } = await system.agent(await node());
    for (const pid of await markedProcesses(`${spec.mark}.run`, spec.owner)) {
      if ((await readFile(`/proc/${pid}/comm`, 'utf8')).trim() === 'mariadbd') return pid;
    }
    throw new Error('no server');
  }

  test('is offered under both of its names, and speaks the words of the original', async () => {
    expect(JSON.parse((await owner.send('available_services')).text)).toEqual(
      expect.arrayContaining(['mysql', 'galera']),
    );
    const galera = await owner.create('galera');
    expect(galera).toMatchObject({ type: 'galera', name: 'New MySQL service', state: 'INIT' });
    expect((await owner.manager(galera.manager).get('get_service_info')).result).toEqual({
      state: 'INIT',
      type: 'galera',
    });
    expect(await owner.json(`stop/${galera.sid}`)).toBe(true);

    const wrong = "Wrong service state: was expecting one of ['RUNNING'] but current state is 'INIT'";
    expect((await manager.post('set_password', { user: 'mysqldb', password: 'x' })).error).toBe(
      `Cannot set new password: ${wrong}.`,
    );
    expect((await manager.get('sqldump')).error).toBe(wrong);
    expect((await manager.post('add_nodes', { nodes: 1 })).error).toBe(wrong);
    const dump = { mysqldump_file: { name: 'a.sql', bytes: Buffer.from('SELECT 1;') } };
    expect((await manager.upload('load_dump', dump)).error).toBe(wrong);
    expect((await manager.get('list_nodes')).result).toEqual({ nodes: [], glb_nodes: [] });

    expect((await manager.post('startup', { cloud: 'default' })).result).toEqual({ state: 'PROLOGUE' });
    expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
    expect((await manager.get('get_service_info')).result).toEqual({ state: 'RUNNING', type: 'mysql' });
    const id = await node();
    expect((await manager.get('get_node_info', { serviceNodeId: id })).result).toEqual({
      serviceNode: {
        id,
        ip: login.host,
        vmid: id.replace('iaas', ''),
        cloud: 'iaas',
        isNode: true,
        isGlb_node: false,
      },
    });
    expect((await manager.get('get_node_info', { serviceNodeId: 'x' })).error).toBe(
      `Unknown "serviceNodeId" x, should be one of ['${id}'].`,
    );
    expect((await manager.post('add_nodes', {})).error).toBe('Both arguments "nodes" and "glb_nodes" are null.');
    expect((await manager.post('add_nodes', { nodes: 1, cloud: 'default' })).error).toMatch(
      /^Could not add nodes: .* without replication/,
    );
    expect((await manager.post('remove_nodes', { nodes: 1 })).error).toBe('Cannot remove 1 nodes: 0 nodes at most.');
    expect((await manager.post('set_password', { user: 'mysqldb' })).error).toBe(
      'Cannot set new password: Missing the mandatory parameter password.',
    );
    expect((await manager.post('set_password', { user: 'root', password: 'x' })).error).toMatch(
      /^Cannot set new password: "root"/,
    );
  }, 120_000);

  test('is a server of its own user, whose passwords no process list, log or stranger sees', async () => {
    const pid = await server();
    const { spec } = await system.agent(await node());
    const data = join(spec.room, 'database', 'data');
    const { mode, uid } = await stat(data);
    expect(mode & 0o777).toBe(0o700);
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(String(spec.owner?.uid ?? process.getuid?.()));
    expect(uid).toBe(spec.owner?.uid ?? process.getuid?.());
    for (const name of ['mariadb-init.sql', 'mariadb-client.cnf']) {
      const file = join(spec.room, 'tools', name);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect((await readFile(file, 'utf8')).includes(login.password)).toBe(false);
    }
    expect((await manager.post('set_password', { user: 'mysqldb', password: PASSWORD })).result).toEqual({});
    const said = [
      await readFile(`/proc/${pid}/cmdline`, 'utf8'),
      await readFile(join(system.data, 'conpaas', 'agents', spec.agentId, 'agent.log'), 'utf8'),
      JSON.stringify((await manager.get('getLog')).result),
      JSON.stringify((await manager.get('get_service_history')).result),
      JSON.stringify(await owner.json('service_status')),
    ].join();
    expect(said).toContain('MariaDB');
    const { password } = JSON.parse(JSON.stringify(login)) as Login;
    for (const secret of [password, PASSWORD, JSON.stringify(PASSWORD).slice(1, -1)])
      expect(said).not.toContain(secret);

    // The applications' account has its database, the owner's everything; nobody comes in without a password.
    await query(
      login,
      "CREATE TABLE conpaas.kept (word VARCHAR(20) PRIMARY KEY); INSERT INTO conpaas.kept VALUES ('first')",
    );
    await expect(query(login, 'CREATE DATABASE other')).rejects.toThrow(/Access denied/);
    await query(master(), 'CREATE DATABASE shop');
    for (const user of ['root', 'conpaas', 'mysqldb', 'anybody']) {
      await expect(query({ ...login, user, password: '' }, 'SELECT 1')).rejects.toThrow(/Access denied/);
    }
  }, 120_000);

  test('gives its whole content away and takes it again', async () => {
    await query(
      master(),
      "CREATE TABLE shop.goods (id INT, name TEXT, bits BLOB); INSERT INTO shop.goods VALUES (1, 'Käse \\'\"\\\\ 🧀', x'00ff80')",
    );
    const look = () => query(master(), 'SELECT id, name, HEX(bits) FROM shop.goods');
    const before = await look();
    const { result } = await manager.get('sqldump');
    expect(result).toMatch(/^(?:\/\*M.*\n)?-- MariaDB dump[\s\S]*-- Dump completed/);
    const headers = { 'content-type': 'application/json' };
    const params = JSON.stringify({ file: true });
    const attachment = await manager.send({ query: { method: 'sqldump', id: '1', params }, headers });
    expect(attachment.headers['content-disposition']).toContain('dump.sql');
    expect(attachment.text.replace(/completed on.*/, '')).toBe(String(result).replace(/completed on.*/, ''));

    await query(master(), 'DROP DATABASE shop; DROP TABLE conpaas.kept');
    const load = async (text: string) =>
      await manager.upload('load_dump', { mysqldump_file: { name: '/home/ann/all.sql', bytes: Buffer.from(text) } });
    expect(await load(String(result))).toEqual({ id: 1, result: {}, error: null });
    expect(await look()).toEqual(before);
    expect(await rows()).toEqual(['first']);

    expect((await load('SELECT 1;\nNONSENSE;\n')).error).toMatch(/^Could not upload mysqldump_file: [\s\S]*ERROR 1064/);
    expect((await load('USE `mysql`;\nDROP TABLE user;\n')).error).toMatch(/holds "mysql"/);
    const file = join(system.data, 'escaped');
    expect((await load(`\\! touch ${file}\nsystem touch ${file}\n`)).error).toMatch(/Unknown command|ERROR 1064/);
    expect(existsSync(file)).toBe(false);
  }, 120_000);

  test('keeps its data, its address and its passwords when it is stopped and started', async () => {
    const id = await node();
    const info = join((await system.agent(id)).spec.room, 'database', 'data', 'mysql_upgrade_info');
    await manager.post('shutdown');
    expect(await manager.until('STOPPED', 'ERROR')).toBe('STOPPED');
    expect((await manager.get('list_nodes')).result).toEqual({ nodes: [], glb_nodes: [] });
    await expect(query(login, 'SELECT 1')).rejects.toThrow(/connect/);
    const printed = join(system.data, 'conpaas', 'agents', id, 'output', 'output.log');
    expect(await readFile(printed, 'utf8')).toContain('Shutdown complete');
    // As if the machine had had another version until now.
    await writeFile(info, '10.5.1-MariaDB');
    await manager.post('startup', { cloud: 'default' });
    // The gateway dies while it starts.
    await system.kill();
    await system.start();
    expect(await manager.until('RUNNING', 'ERROR')).toBe('RUNNING');
    expect(await node()).toBe(id);
    await eventually(async () => expect(await readFile(info, 'utf8')).not.toContain('10.5.1'));
    expect(await rows()).toEqual(['first']);
    expect(await query(master(), 'SELECT COUNT(*) FROM shop.goods')).toEqual(['1']);
  }, 120_000);

  test('loses nothing that was committed when server, agent and gateway are killed', async () => {
    await query(login, 'CREATE TABLE conpaas.counted (n INT PRIMARY KEY) ENGINE=InnoDB');
    const committed = await insertUntil(login, 50, async () => process.kill(await server(), 'SIGKILL'));
    expect(committed).toBeGreaterThanOrEqual(50);
    await comesBack(['first']);
    const [count] = await query(login, 'SELECT COUNT(*) FROM conpaas.counted');
    expect(Number(count)).toBeGreaterThanOrEqual(committed);
    expect((await manager.get('get_service_info')).result).toMatchObject({ state: 'RUNNING' });

    const { pid } = await system.agent(await node());
    process.kill(pid, 'SIGKILL');
    await eventually(async () => expect((await system.agent(await node())).pid).not.toBe(pid), 60);
    await comesBack(['first']);

    const before = await server();
    await system.kill();
    await query(login, "INSERT INTO conpaas.kept VALUES ('second')");
    await system.start();
    expect(await server()).toBe(before);
    expect(await rows()).toEqual(['first', 'second']);
    expect((await manager.post('set_password', { user: 'conpaas', password: 'short' })).result).toEqual({});
    login = (await manager.get('get_credentials')).result as typeof login;
    expect(login.password).toBe('short');
    expect(await rows()).toEqual(['first', 'second']);
  }, 120_000);

  test('leaves nothing when it is terminated', async () => {
    const { spec } = await system.agent(await node());
    expect(await owner.json(`stop/${row.sid}`)).toBe(true);
    // The gateway dies while it ends.
    await system.kill();
    await system.start();
    await eventually(async () => expect(await owner.json('list')).toEqual([]), 60);
    await eventually(async () => expect(await readdir(join(system.data, 'conpaas', 'services'))).toEqual([]));
    expect(await system.agents()).toEqual([]);
    expect(existsSync(spec.room)).toBe(false);
    expect(await markedProcesses(spec.mark, spec.owner)).toEqual([]);
  }, 120_000);
});
