import type { Transaction } from 'kysely';
import type { Endpoint } from '../../domain/conpaas.js';
import type { Schema } from '../schema.js';

/** Candidates are looked up in groups: the first is nearly always free. */
const GROUP = 64;

/** Reserves the first candidate that nobody on `host` holds. Undefined: all are held. */
export async function reserve(
  db: Transaction<Schema>,
  candidates: Iterable<Endpoint>,
  holder: { host: string; sid: number; nodeId: string | null },
): Promise<Endpoint | undefined> {
  for (const group of groups(candidates)) {
    const held = await db
      .selectFrom('conpaasAddresses')
      .select(['address', 'port'])
      .where('host', '=', holder.host)
      .where(
        'address',
        'in',
        group.map(({ address }) => address),
      )
      .execute();
    const taken = new Set(held.map(({ address, port }) => `${address} ${port}`));
    for (const { address, port } of group) {
      if (taken.has(`${address} ${port}`)) continue;
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('conpaasAddresses')
        .values({ ...holder, address, port })
        .onConflict((conflict) => conflict.columns(['host', 'address', 'port']).doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows) return { address, port };
    }
  }
  return undefined;
}

function* groups(candidates: Iterable<Endpoint>): Generator<Endpoint[]> {
  let group: Endpoint[] = [];
  for (const candidate of candidates) {
    group.push(candidate);
    if (group.length < GROUP) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
