import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import pg from 'pg';
import { openDataDirectory } from '../../src/gateway/data-directory.js';
import { moveStore } from '../../src/gateway/store-move.js';
import { MIGRATIONS } from '../../src/store/migrations/index.js';
import { openStore } from '../../src/store/open.js';
import { openPortable, type PortableStore } from '../../src/store/portable/open.js';
import { tablesOf } from '../../src/store/portable/tables.js';
import { application } from '../contract/store/rows.js';
import { everythingIn, fillStore } from '../support/filled-store.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';

const missing = postgresMissing();
/** More than are read at a time. */
const ROWS = 503;

/** `migrations` has the times at which they ran. */
const without = ({ migrations, ...rows }: Record<string, unknown[]>) => rows;

(missing ? describe.skip : describe)(`a store that moves${missing ? ` (${missing})` : ''}`, () => {
  let server: PostgresServer;
  let data: string;
  let opened: PortableStore[];
  const file = () => join(data, 'coaps.db');
  const config = () => ({ data, database: undefined });
  const portable = async (url: string) => {
    const store = await openPortable(url);
    opened.push(store);
    return store;
  };
  const never = () => undefined;

  beforeAll(async () => {
    server = await startPostgres();
    data = mkdtempSync(join(tmpdir(), 'coaps-move-'));
    openDataDirectory(data).release();
    await fillStore(file(), ROWS);
  });
  beforeEach(() => {
    opened = [];
  });
  afterEach(() => Promise.all(opened.map((store) => store.close())));
  afterAll(async () => {
    rmSync(data, { recursive: true });
    await server.stop();
  });

  test('knows every table of the schema, with all columns, and those that are referred to first', async () => {
    const url = await server.createDatabase();
    await (await openStore({ url })).close();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const columns = await client.query(
      `select table_name as table, column_name as column from information_schema.columns where table_schema = 'public'`,
    );
    const foreign = await client.query(
      `select conrelid::regclass::text as from, confrelid::regclass::text as to from pg_constraint where contype = 'f'`,
    );
    await client.end();
    const tables = await tablesOf(MIGRATIONS);
    const ours = tables.flatMap(({ name, columns: all }) => all.map((column) => `${name}.${column}`));
    const theirs = (columns.rows as { table: string; column: string }[])
      .filter(({ table }) => table !== 'migrations')
      .map(({ table, column }) => `${table}.${column}`);
    expect(ours.sort()).toEqual(theirs.sort());
    expect(tables.length).toBeGreaterThan(20);
    const place = (name: string) => tables.findIndex((table) => table.name === name);
    expect(foreign.rows.length).toBeGreaterThan(8);
    for (const { from, to } of foreign.rows as { from: string; to: string }[])
      expect(place(to)).toBeLessThan(place(from));
  });

  test('is the same in PostgreSQL, row by row, and the same again when it comes back', async () => {
    const url = await server.createDatabase();
    // A gateway that was started there and had nobody to serve leaves nothing that could be lost.
    await (await openStore({ url })).close();
    const told: string[] = [];
    const moved = await moveStore(config(), url, (text) => told.push(text));
    const before = without(await everythingIn(`sqlite:${file()}`));
    expect(without(await everythingIn(url))).toEqual(before);
    expect(moved).toEqual({ rows: Object.values(before).flat().length, tables: Object.keys(before).length });
    expect(moved.rows).toBeGreaterThan(20 * ROWS);
    expect(told.length).toBeGreaterThan(40);

    // What replaces it does so at once, or not at all.
    const migrations = MIGRATIONS.map(({ name }) => name);
    const replacing = (await portable(url)).load({ migrations, replace: true }, async (put) => {
      await put('settings', [['installation', 'a1234567']]);
      throw new Error('on purpose');
    });
    await expect(replacing).rejects.toThrow('on purpose');
    expect(without(await everythingIn(url))).toEqual(before);

    const back = `sqlite:${join(data, 'back.db')}`;
    await moveStore({ data, database: url }, back, never);
    expect(without(await everythingIn(back))).toEqual(before);
    const store = await openStore({ url: back });
    expect(store.installation).toMatch(/^[a-z][a-z0-9]{7}$/);
    expect(JSON.stringify(before)).toContain(store.installation);
    await store.close();
    await (await portable(url)).load({ migrations, replace: true }, (put) =>
      put('settings', [['installation', 'a1234567']]),
    );
    expect(Object.values(without(await everythingIn(url))).flat()).toEqual([
      JSON.stringify([
        ['name', 'installation'],
        ['value', 'a1234567'],
      ]),
    ]);
  });

  test('leaves nothing in the other database when a row is refused there', async () => {
    const url = await server.createDatabase();
    const tooLarge = join(data, 'large.db');
    await (await openStore({ url: `sqlite:${tooLarge}` })).close();
    const connection = new BetterSqlite(tooLarge);
    connection.exec(`insert into counters values ('application', 1);
      insert into applications values (${2 ** 40}, 'n', null, null, 't', 0, 'u', 'at', 0)`);
    connection.close();
    await expect(moveStore({ data, database: `sqlite:${tooLarge}` }, url, never)).rejects.toThrow(/out of range/);
    expect(await everythingIn(url)).toEqual({});
    // What came must also stand there: a feed that says more than it gives is found out.
    const target = await portable(url);
    const migrations = MIGRATIONS.map(({ name }) => name);
    await expect(target.load({ migrations, replace: false }, async (put) => put('nothing', []))).rejects.toThrow(
      /no table nothing/,
    );
  });

  test('goes into an empty database only, and from one and into one that no gateway uses', async () => {
    const url = await server.createDatabase();
    const store = await openStore({ url });
    await expect(moveStore(config(), url, never)).rejects.toThrow(/gateways hold \d+ connections? to it/);
    await store.applications.create(application());
    await store.close();
    const before = await everythingIn(url);
    await expect(moveStore(config(), url, never)).rejects.toMatchObject({
      code: 'Conflict',
      message: expect.stringMatching(/not empty: it has rows in .*applications/),
    });
    await expect(moveStore(config(), `sqlite:${file()}`, never)).rejects.toMatchObject({ code: 'Conflict' });
    expect(await everythingIn(url)).toEqual(before);

    const held = openDataDirectory(data);
    const moving = moveStore(config(), await server.createDatabase(), never);
    await expect(moving.finally(() => held.release())).rejects.toMatchObject({ name: 'DirectoryHeld' });
    await expect(moveStore({ data: join(data, 'none'), database: undefined }, url, never)).rejects.toThrow(
      /nothing to move/,
    );
    const nowhere = { data, database: `sqlite:${join(data, 'none.db')}` };
    await expect(moveStore(nowhere, url, never)).rejects.toThrow(/none.db does not exist/);
  });

  test('of an older program arrives up to date; that of a newer one is refused', async () => {
    const old = `sqlite:${join(data, 'old.db')}`;
    const [first] = MIGRATIONS;
    const steps = first ? [first.name] : [];
    await (await portable(old)).load({ migrations: steps, replace: false }, async (put) =>
      put('settings', [['installation', 'abcdefgh']]),
    );
    const connection = new BetterSqlite(join(data, 'old.db'));
    connection.exec(`delete from migrations where name <> '${first?.name}'; drop table conpaas_leases`);
    const url = await server.createDatabase();
    await moveStore({ data, database: old }, url, never);
    expect(Object.keys(await everythingIn(url))).toContain('conpaas_leases');
    const store = await openStore({ url });
    expect(store.installation).toBe('abcdefgh');
    await store.close();

    connection.exec(`insert into migrations values ('9999-future', 'now')`);
    connection.close();
    await expect(moveStore({ data, database: old }, await server.createDatabase(), never)).rejects.toThrow(
      /newer version of this program \(9999-future\)/,
    );
  });
});
