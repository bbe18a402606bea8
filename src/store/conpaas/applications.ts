import type { ConpaasApplication, ConpaasStore } from '../../domain/conpaas.js';
import { timestamp } from '../columns.js';
import { next } from '../counters.js';
import type { Run } from '../run.js';

type Part = Pick<
  ConpaasStore,
  'createApplication' | 'application' | 'applications' | 'renameApplication' | 'deleteApplication'
>;

export function applicationRows(run: Run): Part {
  return {
    createApplication: (uid, name) =>
      run.write(async (db) => {
        const row: ConpaasApplication = {
          aid: await next(db, 'conpaasApplication'),
          uid,
          name,
          createdAt: timestamp(),
        };
        return await db
          .insertInto('conpaasApplications')
          .values(row)
          .onConflict((conflict) => conflict.columns(['uid', 'name']).doNothing())
          .returningAll()
          .executeTakeFirst();
      }),
    application: (aid) =>
      run.read((db) => db.selectFrom('conpaasApplications').selectAll().where('aid', '=', aid).executeTakeFirst()),
    applications: (uid) =>
      run.read((db) =>
        db.selectFrom('conpaasApplications').selectAll().where('uid', '=', uid).orderBy('aid').execute(),
      ),
    renameApplication: (aid, name) =>
      run.write(async (db) => {
        const { numUpdatedRows } = await db
          .updateTable('conpaasApplications as own')
          .set({ name })
          .where('own.aid', '=', aid)
          .where(({ not, exists, selectFrom }) =>
            not(
              exists(
                selectFrom('conpaasApplications as other')
                  .select('other.aid')
                  .whereRef('other.uid', '=', 'own.uid')
                  .where('other.name', '=', name)
                  .where('other.aid', '!=', aid),
              ),
            ),
          )
          .executeTakeFirst();
        return numUpdatedRows > 0n;
      }),
    deleteApplication: (aid) =>
      run.write(async (db) => {
        const service = await db
          .selectFrom('conpaasServices')
          .select('sid')
          .where('aid', '=', aid)
          .limit(1)
          .executeTakeFirst();
        if (service) return false;
        await db.deleteFrom('conpaasApplications').where('aid', '=', aid).execute();
        return true;
      }),
  };
}
