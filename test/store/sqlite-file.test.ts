import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import BetterSqlite from 'better-sqlite3';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { application } from '../contract/store/rows.js';
import { builtProgram } from '../support/built.js';

describe('the store in a SQLite file', () => {
  let folder: string;
  let file: string;
  let stores: Store[];
  const open = async () => {
    const store = await openStore({ url: `sqlite:${file}` });
    stores.push(store);
    return store;
  };
  const raw = <T>(work: (connection: BetterSqlite.Database) => T): T => {
    const connection = new BetterSqlite(file);
    try {
      return work(connection);
    } finally {
      connection.close();
    }
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coaps-sqlite-'));
    file = join(folder, 'deep', 'coaps.db');
    stores = [];
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    rmSync(folder, { recursive: true });
  });

  test('belongs to its owner alone, journal included', async () => {
    const store = await open();
    await store.applications.create(application());
    for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(name).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700);
    expect(raw((connection) => connection.pragma('journal_mode', { simple: true }))).toBe('wal');
  });

  test('that several open at once when it is new becomes one installation', async () => {
    const opened = await Promise.all([open(), open(), open()]);
    expect(new Set(opened.map(({ installation }) => installation)).size).toBe(1);
  });

  test('has every row that was acknowledged before the process was killed', async () => {
    await (await open()).close();
    for (let round = 0; round < 3; round++) {
      const acknowledged = await writeUntilKilled(`sqlite:${file}`, 25 + round * 10);
      const store = await open();
      for (const [appId, taskId] of acknowledged) {
        expect(await store.applications.get(appId)).toMatchObject({ appId });
        expect(await store.operations.get(taskId)).toMatchObject({ appId });
      }
      await store.close();
    }
    expect(raw((connection) => connection.pragma('integrity_check', { simple: true }))).toBe('ok');
  });

  test('is waited for without holding up the process, when another one writes', async () => {
    const store = await open();
    const other = new BetterSqlite(file);
    other.exec('begin immediate');
    let turns = 0;
    const creating = store.applications.create(application());
    while (turns < 50) {
      await new Promise(setImmediate);
      turns += 1;
    }
    other.exec('commit');
    other.close();
    expect((await creating).appId).toBe(1);
  });

  test('of a newer program is not touched', async () => {
    await (await open()).close();
    raw((connection) => connection.exec(`insert into migrations values ('9999-future', 'now')`));
    await expect(open()).rejects.toThrow(/newer version of this program \(9999-future\)/);
  });

  test('that an interrupted program left half-migrated is completed', async () => {
    await (await open()).close();
    const steps = raw((connection) => connection.prepare('select name from migrations').all());
    raw((connection) => connection.exec('delete from migrations'));
    const store = await open();
    expect((await store.applications.create(application())).appId).toBe(1);
    expect(raw((connection) => connection.prepare('select name from migrations').all())).toEqual(steps);
  });

  test.each(['', 'coaps.db', 'mysql://u:geheim@host/db', 'sqlite:'])('cannot be named %j', async (url) => {
    await expect(openStore({ url })).rejects.toThrow(/A database URL begins with sqlite:/);
    await expect(openStore({ url })).rejects.not.toThrow(/geheim/);
  });
});

/** Starts a writer and kills it after `count` acknowledgements; returns them all, also those that arrive later. */
async function writeUntilKilled(url: string, count: number): Promise<[appId: number, taskId: number][]> {
  const writer: ChildProcess = spawn(process.execPath, [builtProgram('store/acknowledging-writer'), url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(writer, 'exit');
  const acknowledged: [number, number][] = [];
  if (!writer.stdout) throw new Error('The writer has no output');
  for await (const line of createInterface({ input: writer.stdout })) {
    const [appId, taskId] = line.split(' ').map(Number);
    if (appId !== undefined && taskId !== undefined) acknowledged.push([appId, taskId]);
    if (acknowledged.length === count) writer.kill('SIGKILL');
  }
  await exited;
  expect(acknowledged.length).toBeGreaterThanOrEqual(count);
  return acknowledged;
}
