import type { Selectable, Transaction } from 'kysely';
import type { ConpaasService, ConpaasStore, NewConpaasService, ServiceState } from '../../domain/conpaas.js';
import { fromJson, timestamp, toJson } from '../columns.js';
import { next } from '../counters.js';
import type { Run } from '../run.js';
import type { Schema } from '../schema.js';
import { reserve } from './addresses.js';
import { giveBack, takeCredit } from './credits.js';
import type { ConpaasSchema } from './schema.js';

type Part = Pick<
  ConpaasStore,
  'createService' | 'service' | 'services' | 'updateService' | 'deleteService' | 'history'
>;

export function serviceRows(run: Run): Part {
  return {
    createService: (service) => run.write((db) => create(db, service)),
    service: (sid) =>
      run.read(async (db) => {
        const row = await db.selectFrom('conpaasServices').selectAll().where('sid', '=', sid).executeTakeFirst();
        return row && toService(row);
      }),
    services: ({ uid, aid, host }) =>
      run.read(async (db) => {
        let query = db.selectFrom('conpaasServices').selectAll();
        if (uid !== undefined) query = query.where('uid', '=', uid);
        if (aid !== undefined) query = query.where('aid', '=', aid);
        if (host !== undefined) query = query.where('host', '=', host);
        return (await query.orderBy('sid').execute()).map(toService);
      }),
    updateService: (sid, { current, goal, ...changes }) =>
      run.write(async (db) => {
        const { numUpdatedRows } = await db
          .updateTable('conpaasServices')
          .set({
            ...changes,
            ...(current && { current: toJson(current) }),
            ...(goal !== undefined && { goal: goal === null ? null : toJson(goal) }),
          })
          .where('sid', '=', sid)
          .executeTakeFirst();
        if (changes.state !== undefined && numUpdatedRows > 0n) {
          await addHistory(db, sid, changes.state, changes.reason ?? '');
        }
      }),
    deleteService: (sid, options) =>
      run.write(async (db) => {
        const { numDeletedRows } = await db.deleteFrom('conpaasServices').where('sid', '=', sid).executeTakeFirst();
        if (options?.refund) await giveBack(db, sid);
        return numDeletedRows > 0n;
      }),
    history: (sid) =>
      run.read((db) =>
        db
          .selectFrom('conpaasHistory')
          .select(['at', 'state', 'reason'])
          .where('sid', '=', sid)
          .orderBy('position')
          .execute(),
      ),
  };
}

/** The row stands before its addresses, which refer to it. */
async function create(
  db: Transaction<Schema>,
  { managers, endpoints, price, current, ...service }: NewConpaasService,
): Promise<ConpaasService | 'no-credit' | 'no-address'> {
  if (price > 0 && !(await takeCredit(db, service.uid, price))) return 'no-credit';
  const made = {
    ...service,
    sid: await next(db, 'conpaasService'),
    vmid: await next(db, 'conpaasVm'),
    createdAt: timestamp(),
    state: 'INIT' as const,
    reason: '',
    goal: null,
  };
  const holder = { host: service.host, sid: made.sid, nodeId: null };
  await db
    .insertInto('conpaasServices')
    .values({ ...made, current: toJson(current), manager: '', endpoint: '' })
    .execute();
  const manager = await reserve(db, managers, holder);
  const endpoint = await reserve(db, endpoints, holder);
  if (!manager || !endpoint) {
    await db.deleteFrom('conpaasServices').where('sid', '=', made.sid).execute();
    await takeCredit(db, service.uid, -price);
    return 'no-address';
  }
  await db
    .updateTable('conpaasServices')
    .set({ manager: toJson(manager), endpoint: toJson(endpoint) })
    .where('sid', '=', made.sid)
    .execute();
  if (price > 0) {
    const key = `manager:${made.sid}`;
    const charge = { key, uid: made.uid, sid: made.sid, amount: price, at: made.createdAt };
    await db.insertInto('conpaasCharges').values(charge).execute();
  }
  await addHistory(db, made.sid, 'INIT', '');
  return { ...made, current, manager, endpoint };
}

async function addHistory(db: Transaction<Schema>, sid: number, state: ServiceState, reason: string): Promise<void> {
  const { last } = await db
    .selectFrom('conpaasHistory')
    .select(({ fn }) => fn.max<number | null>('position').as('last'))
    .where('sid', '=', sid)
    .executeTakeFirstOrThrow();
  await db
    .insertInto('conpaasHistory')
    .values({ sid, position: (last ?? 0) + 1, at: timestamp(), state, reason })
    .execute();
}

function toService({
  manager,
  endpoint,
  current,
  goal,
  ...row
}: Selectable<ConpaasSchema['conpaasServices']>): ConpaasService {
  return {
    ...row,
    manager: fromJson(manager),
    endpoint: fromJson(endpoint),
    current: fromJson(current),
    goal: goal === null ? null : fromJson(goal),
  };
}
