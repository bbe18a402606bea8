import type { Transaction } from 'kysely';
import type { Schema } from './schema.js';

export type Counter =
  | 'application'
  | 'environment'
  | 'task'
  | 'user'
  | 'auditEvent'
  | 'conpaasApplication'
  | 'conpaasService'
  | 'conpaasVm';

/**
 * The next number of a counter, from 1; the first of `count` ones. On PostgreSQL the counter's row stays locked until the transaction ends, so rows become
 * visible in the order of their numbers: who sees number 7 sees every smaller one that will ever be.
 */
export async function next(db: Transaction<Schema>, counter: Counter, count = 1): Promise<number> {
  const { value } = await db
    .insertInto('counters')
    .values({ name: counter, value: count })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((row) => ({ value: row('counters.value', '+', count) })),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  return value - count + 1;
}
