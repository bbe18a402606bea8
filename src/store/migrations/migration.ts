import type { Transaction } from 'kysely';

/**
 * One step of the database's history. Once released it never changes; later needs get a later step. All pending steps run in one
 * transaction on both databases; a step is idempotent all the same (`ifNotExists`). Tables are named in camelCase, as in schema.ts.
 *
 * Portable column types: `text`, `integer`, `bigint`, `double precision`. Not portable: automatic increments, booleans, blobs.
 */
export interface Migration {
  /** Sorts after its predecessors, e.g. `0002-conpaas`. */
  name: string;
  up(db: Transaction<unknown>): Promise<void>;
}
