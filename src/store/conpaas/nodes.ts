import type { Selectable, Transaction } from 'kysely';
import type { ConpaasNode, ConpaasStore, Endpoint, NewConpaasNode } from '../../domain/conpaas.js';
import { fromJson, timestamp, toJson } from '../columns.js';
import { next } from '../counters.js';
import type { Run } from '../run.js';
import type { Schema } from '../schema.js';
import { reserve } from './addresses.js';
import type { ConpaasSchema } from './schema.js';

export function nodeRows(run: Run): Pick<ConpaasStore, 'createNode' | 'nodes' | 'updateNode' | 'deleteNode'> {
  return {
    createNode: (node) => run.write((db) => create(db, node)),
    nodes: ({ sid, host }) =>
      run.read(async (db) => {
        let query = db.selectFrom('conpaasNodes').selectAll();
        if (sid !== undefined) query = query.where('sid', '=', sid);
        if (host !== undefined) query = query.where('host', '=', host);
        return (await query.orderBy('vmid').execute()).map(toNode);
      }),
    updateNode: (nodeId, { roles, ...changes }) =>
      run.write(async (db) => {
        await db
          .updateTable('conpaasNodes')
          .set({ ...changes, ...(roles && { roles: toJson(roles) }) })
          .where('nodeId', '=', nodeId)
          .execute();
      }),
    deleteNode: (nodeId) =>
      run.write(async (db) => {
        await db.deleteFrom('conpaasNodes').where('nodeId', '=', nodeId).execute();
      }),
  };
}

async function create(
  db: Transaction<Schema>,
  { endpoint: wanted, roles, ...node }: NewConpaasNode,
): Promise<ConpaasNode | 'no-address'> {
  const vmid = await next(db, 'conpaasVm');
  const made = { ...node, vmid, nodeId: `${node.cloud}${vmid}`, createdAt: timestamp() };
  await db
    .insertInto('conpaasNodes')
    .values({ ...made, roles: toJson(roles), endpoint: null })
    .execute();
  const endpoint = await endpointFor(db, wanted, made);
  if (endpoint === undefined) {
    await db.deleteFrom('conpaasNodes').where('nodeId', '=', made.nodeId).execute();
    return 'no-address';
  }
  await db
    .updateTable('conpaasNodes')
    .set({ endpoint: endpoint && toJson(endpoint) })
    .where('nodeId', '=', made.nodeId)
    .execute();
  return { ...made, roles, endpoint };
}

async function endpointFor(
  db: Transaction<Schema>,
  wanted: NewConpaasNode['endpoint'],
  { host, sid, nodeId }: { host: string; sid: number; nodeId: string },
): Promise<Endpoint | null | undefined> {
  if (wanted === null) return null;
  if (wanted !== 'of the service') return await reserve(db, wanted, { host, sid, nodeId });
  const service = await db
    .selectFrom('conpaasServices')
    .select('endpoint')
    .where('sid', '=', sid)
    .executeTakeFirstOrThrow();
  return fromJson(service.endpoint);
}

function toNode({ endpoint, roles, ...row }: Selectable<ConpaasSchema['conpaasNodes']>): ConpaasNode {
  return { ...row, roles: fromJson(roles), endpoint: endpoint === null ? null : fromJson(endpoint) };
}
