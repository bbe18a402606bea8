import type { Dialect, RawBuilder } from 'kysely';
import { Fault } from '../domain/errors.js';
import type { Part } from '../domain/revisions.js';

/** What differs between the databases; sqlite.ts and postgres.ts are its two sides. */
export interface Database {
  kysely: Dialect;
  /** Opens connections for transactions that only read, which then wait for no other. Absent: `kysely` does as well. */
  readers?(): Dialect;
  /** Seconds since 1970 by the database's clock, as a double. */
  now: RawBuilder<number>;
  /** Readers may lock rows (`FOR UPDATE`); without it a write transaction has the whole database for itself. */
  rowLocks: boolean;
  /** The statement with which one of several processes that start together migrates and the others wait. */
  migrationLock?: RawBuilder<unknown>;
  /**
   * From now on a commit does not wait for the disk, which would hold up the event loop. Gives what resolves when everything that was
   * committed by then is on the disk (undefined: it is there): whoever is told what a transaction has written or read has to wait for
   * that. Absent: commits wait themselves.
   */
  commitEarly?(): () => Promise<void> | undefined;
  /** The transaction was sacrificed to another one and may be run again. */
  isRetryable(error: unknown): boolean;
  /** How this process and others tell each other of changes. `onChange` hears of those of others; without parts anything may have changed. */
  others(onChange: (parts?: readonly Part[]) => void): Others;
  /** A typed fault for what is no bug of ours (database away, disk full, unstorable text); anything else unchanged. */
  translate(error: unknown): unknown;
}

/** Other processes on the same database. */
export interface Others {
  /** Whether their changes that are older than a second have been heard of. */
  isInformed(): boolean;
  /** The statement that tells them, at the end of the transaction that makes the changes. */
  announcement?(parts: readonly Part[]): RawBuilder<unknown>;
  close(): Promise<void>;
}

/** PostgreSQL cannot store it; refused on both sides, so that they behave alike. */
export function unstorable(cause?: unknown): Fault {
  return new Fault('InvalidValue', 'A text holds the character U+0000, which cannot be stored; send it without.', {
    cause,
  });
}

/** A foreign key points at nothing: another request deleted what this one refers to. */
export function dangling(cause: unknown): Fault {
  return new Fault('Conflict', 'Something that this request refers to was deleted meanwhile; look again.', { cause });
}
