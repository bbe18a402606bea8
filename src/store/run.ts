import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { Database } from './dialect.js';
import type { Schema } from './schema.js';

const ATTEMPTS = 5;

/**
 * How an aggregate reaches the database. It has no other way, so inside of `Store.transaction` it cannot use anything but that
 * transaction: on SQLite, which is one connection, a query beside it would wait for ever for its end.
 */
export interface Run {
  /** Statements that see one state of the database. */
  read<T>(work: (db: Transaction<Schema>) => Promise<T>): Promise<T>;
  /** One write transaction. `work` awaits nothing but its statements, and may run again when another transaction had to win. */
  write<T>(work: (db: Transaction<Schema>) => Promise<T>): Promise<T>;
  /** Seconds since 1970 by the database's clock. */
  now: RawBuilder<number>;
  /** Ends a `select` that reads rows in order to change them. */
  lock: RawBuilder<unknown>;
  /** As `lock`, and passes over rows that another transaction has locked. */
  lockOrSkip: RawBuilder<unknown>;
}

/**
 * Each call a transaction of its own, on `readers` when it only reads. What it gives or throws is on the disk: nobody learns what a power
 * cut could take back.
 */
export function runOn(db: Kysely<Schema>, readers: Kysely<Schema>, database: Database): Run {
  const onDisk = database.commitEarly?.();
  const attempts = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt < ATTEMPTS && database.isRetryable(error)) continue;
        throw database.translate(error);
      }
    }
  };
  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await attempts(work);
    } finally {
      await onDisk?.();
    }
  };
  return {
    ...fragments(database),
    read: (work) =>
      translated(() =>
        readers.transaction().setAccessMode('read only').setIsolationLevel('repeatable read').execute(work),
      ),
    write: (work) => translated(() => db.transaction().execute(work)),
  };
}

/** Everything in the one transaction `trx`. */
export function runIn(trx: Transaction<Schema>, database: Database): Run {
  return { ...fragments(database), read: (work) => work(trx), write: (work) => work(trx) };
}

function fragments(database: Database): Pick<Run, 'now' | 'lock' | 'lockOrSkip'> {
  return {
    now: database.now,
    lock: database.rowLocks ? sql`for update` : sql``,
    lockOrSkip: database.rowLocks ? sql`for update skip locked` : sql``,
  };
}
