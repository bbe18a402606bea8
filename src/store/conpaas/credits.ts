import { sql, type Transaction } from 'kysely';
import type { ConpaasStore } from '../../domain/conpaas.js';
import { timestamp } from '../columns.js';
import type { Run } from '../run.js';
import type { Schema } from '../schema.js';

export function creditRows(run: Run): Pick<ConpaasStore, 'charge' | 'lease' | 'releaseLease'> {
  return {
    charge: (charge) =>
      run.write(async (db) => {
        const { numInsertedOrUpdatedRows } = await db
          .insertInto('conpaasCharges')
          .values({ ...charge, at: timestamp() })
          .onConflict((conflict) => conflict.column('key').doNothing())
          .executeTakeFirst();
        if (!numInsertedOrUpdatedRows) return true;
        if (await takeCredit(db, charge.uid, charge.amount)) return true;
        await db.deleteFrom('conpaasCharges').where('key', '=', charge.key).execute();
        return false;
      }),
    lease: (name, owner, seconds) =>
      run.write(async (db) => {
        const until = sql<number>`${run.now} + ${seconds}`;
        const { numInsertedOrUpdatedRows } = await db
          .insertInto('conpaasLeases')
          .values({ name, owner, until })
          .onConflict((conflict) =>
            conflict
              .column('name')
              .doUpdateSet({ owner, until })
              .where(({ or, eb }) =>
                or([eb('conpaasLeases.owner', '=', owner), eb('conpaasLeases.until', '<', run.now)]),
              ),
          )
          .executeTakeFirst();
        return Boolean(numInsertedOrUpdatedRows);
      }),
    releaseLease: (name, owner) =>
      run.write(async (db) => {
        await db.deleteFrom('conpaasLeases').where('name', '=', name).where('owner', '=', owner).execute();
      }),
  };
}

/** Takes the amount from a user's balance (gives, when negative); false, and unchanged, when it would go below 0. */
export async function takeCredit(db: Transaction<Schema>, uid: number, amount: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set(({ eb }) => ({ credit: eb('credit', '-', amount) }))
    .where('uid', '=', uid)
    .where('credit', '>=', amount)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Undoes every charge of a service. */
export async function giveBack(db: Transaction<Schema>, sid: number): Promise<void> {
  const charges = await db.deleteFrom('conpaasCharges').where('sid', '=', sid).returning(['uid', 'amount']).execute();
  for (const { uid, amount } of charges) await takeCredit(db, uid, -amount);
}
