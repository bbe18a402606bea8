import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import BetterSqlite from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
  type SqliteStatement,
  sql,
  type TransactionSettings,
} from 'kysely';
import { Fault } from '../domain/errors.js';
import { type Database, dangling, type Others, unstorable } from './dialect.js';
import { type Sync, synchroniseBeside } from './sqlite-sync.js';

/** Milliseconds. */
const BUSY_TIMEOUT = 5_000;
const WRITE_LOCK_PATIENCE = 30_000;
const STATEMENTS_KEPT = 300;
/** Milliseconds. */
const LONGEST_BREATH = 5;
/** How often another process's changes are looked for. */
const LOOK_INTERVAL = 100;

/** Opens or creates the file, readable by its owner alone: it holds password hashes and sealed keys. */
export function sqliteDatabase(file: string): Database {
  if (file !== ':memory:') {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
  }
  const connection = new BetterSqlite(file, { timeout: BUSY_TIMEOUT });
  const hasLog = connection.pragma('journal_mode = WAL', { simple: true }) === 'wal';
  connection.pragma('synchronous = FULL');
  connection.pragma('foreign_keys = ON');
  const dialect = new ImmediateDialect(connection);
  return {
    kysely: dialect,
    ...(hasLog && {
      commitEarly: () => dialect.commitEarly(`${file}-wal`),
      readers: () => new ImmediateDialect(openReader(file)),
    }),
    now: sql<number>`unixepoch('subsec')`,
    rowLocks: false,
    isRetryable: () => false,
    others: (onChange) => otherProcesses(connection, onChange),
    translate,
  };
}

/** Beside a log, readers see what was committed last, and wait for no writer. */
function openReader(file: string): BetterSqlite.Database {
  const connection = new BetterSqlite(file, { timeout: BUSY_TIMEOUT });
  connection.pragma('query_only = ON');
  return connection;
}

/** SQLite counts the commits of all connections but one's own. */
function otherProcesses(connection: BetterSqlite.Database, onChange: () => void): Others {
  const look = connection.prepare('pragma data_version').pluck();
  let version = look.get();
  let lookedAt = performance.now();
  return {
    isInformed() {
      const now = performance.now();
      if (now - lookedAt < LOOK_INTERVAL) return true;
      if (!connection.open) return false;
      lookedAt = now;
      const seen = look.get();
      if (seen !== version) onChange();
      version = seen;
      return true;
    },
    close: async () => {},
  };
}

/** What is known of writing: whether the open transaction has written, and who synchronises, when SQLite does not. */
interface Writing {
  dirty: boolean;
  sync?: Sync;
}

class ImmediateDialect extends SqliteDialect {
  readonly #connection: BetterSqlite.Database;
  readonly #config: SqliteDialectConfig;
  readonly #writing: Writing;

  constructor(connection: BetterSqlite.Database) {
    const writing: Writing = { dirty: false };
    const config = { database: preparedOnce(connection, writing) };
    super(config);
    this.#connection = connection;
    this.#config = config;
    this.#writing = writing;
  }

  override createDriver(): Driver {
    return new ImmediateDriver(this.#connection, this.#config, this.#writing);
  }

  commitEarly(log: string): () => Promise<void> | undefined {
    this.#connection.pragma('synchronous = NORMAL');
    const sync = synchroniseBeside(log);
    this.#writing.sync = sync;
    return sync.onDisk;
  }
}

/**
 * Write transactions take the write lock at once: one that reads first and writes later fails with SQLITE_BUSY, however long the
 * timeout, when another process wrote in between. The wait for the lock is ours and not SQLite's, which would hold up the event loop
 * and with it the very transaction that has the lock, when both are in this process.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #connection: BetterSqlite.Database;
  readonly #writing: Writing;
  /** When the first transaction of this turn of the event loop began. */
  #since: number | undefined;

  constructor(connection: BetterSqlite.Database, config: SqliteDialectConfig, writing: Writing) {
    super(config);
    this.#connection = connection;
    this.#writing = writing;
  }

  override async beginTransaction(connection: DatabaseConnection, settings?: TransactionSettings): Promise<void> {
    await this.#breathe();
    if (settings?.accessMode === 'read only') {
      await connection.executeQuery(CompiledQuery.raw('begin'));
      return;
    }
    const deadline = Date.now() + WRITE_LOCK_PATIENCE;
    while (!this.#tryBegin()) {
      if (Date.now() > deadline) throw busy();
      await wait(1 + Math.random() * 10);
    }
  }

  override async commitTransaction(): Promise<void> {
    // In one go: whoever reads beside it sees the commit from now on, and waits for the disk when it is counted.
    this.#connection.exec('commit');
    if (this.#writing.dirty) this.#writing.sync?.committed();
    this.#writing.dirty = false;
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    this.#writing.dirty = false;
    await super.rollbackTransaction(connection);
  }

  override async destroy(): Promise<void> {
    await super.destroy();
    await this.#writing.sync?.close();
  }

  /**
   * SQLite answers at once, so that one transaction follows the other without the event loop ever coming to its sockets, as long as there
   * is work. It gets its turn now and then. Time that others took between two turns does not count: else a busy loop would come to one
   * transaction a turn.
   */
  async #breathe(): Promise<void> {
    if (this.#since !== undefined && performance.now() - this.#since >= LONGEST_BREATH) await turn();
    if (this.#since !== undefined) return;
    this.#since = performance.now();
    setImmediate(() => {
      this.#since = undefined;
    });
  }

  #tryBegin(): boolean {
    this.#connection.pragma('busy_timeout = 0');
    try {
      this.#connection.exec('begin immediate');
      return true;
    } catch (error) {
      if (codeOf(error).startsWith('SQLITE_BUSY')) return false;
      throw error;
    } finally {
      this.#connection.pragma(`busy_timeout = ${BUSY_TIMEOUT}`);
    }
  }
}

/** Keeps compiled statements, and refuses the character that PostgreSQL cannot store, so that both databases behave alike. */
function preparedOnce(
  connection: BetterSqlite.Database,
  writing: Writing,
): { prepare(sql: string): SqliteStatement; close(): void } {
  const kept = new Map<string, SqliteStatement>();
  const prepare = (text: string): SqliteStatement => {
    const known = kept.get(text);
    if (known) return known;
    if (kept.size >= STATEMENTS_KEPT) kept.clear();
    const statement = connection.prepare(text);
    const { reader, readonly } = statement;
    const note = () => {
      if (!readonly) writing.dirty = true;
    };
    const prepared: SqliteStatement = {
      reader,
      all: (parameters) => {
        note();
        return statement.all(storable(parameters));
      },
      run: (parameters) => {
        note();
        return statement.run(storable(parameters));
      },
      iterate: (parameters) => statement.iterate(storable(parameters)),
    };
    kept.set(text, prepared);
    return prepared;
  };
  return { prepare, close: () => connection.close() };
}

function storable(parameters: readonly unknown[]): readonly unknown[] {
  if (parameters.some((value) => typeof value === 'string' && value.includes('\0'))) {
    throw unstorable();
  }
  return parameters;
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

function busy(cause?: unknown): Fault {
  return new Fault('ServiceUnavailable', 'The database is held by another process; try again.', {
    retryAfter: 5,
    cause,
  });
}

function translate(error: unknown): unknown {
  const code = codeOf(error);
  if (code.startsWith('SQLITE_BUSY')) return busy(error);
  if (code === 'SQLITE_FULL') {
    const text = 'The database cannot grow: the disk of the gateway is full. Free some space and try again.';
    return new Fault('ServiceUnavailable', text, { retryAfter: 60, cause: error });
  }
  if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY') return dangling(error);
  return error;
}
