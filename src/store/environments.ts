import type { Selectable, Transaction } from 'kysely';
import { Fault } from '../domain/errors.js';
import type { Environment } from '../domain/model.js';
import { applicationState, type InstanceState } from '../domain/states.js';
import { fromJson, present, timestamp, toJson } from './columns.js';
import { next } from './counters.js';
import { chunks } from './keyset.js';
import type { Run } from './run.js';
import type { EnvironmentsTable, Schema } from './schema.js';
import type { EnvironmentStore, NewEnvironment, Paging, Scope } from './store.js';

type Row = Selectable<EnvironmentsTable>;

export function environmentStore(run: Run): EnvironmentStore {
  return {
    create: (environment) => run.write((db) => create(db, environment)),
    get: (envId) =>
      run.read(async (db) => {
        const row = await db.selectFrom('environments').selectAll().where('envId', '=', envId).executeTakeFirst();
        return row && (await withStates(db, [row]))[0];
      }),
    list: (scope, paging) =>
      chunks(
        (chunk) => run.read(async (db) => withStates(db, await rows(db, scope, paging, chunk))),
        (environment) => environment.envId,
        paging,
      ),
    update: (envId, { nodes, variables, remarks, ...changes }) =>
      run.write(async (db) => {
        const values = {
          ...changes,
          ...(nodes && { nodes: toJson(nodes) }),
          ...(variables && { variables: toJson(variables) }),
          ...(remarks && { remarks: toJson(remarks) }),
        };
        if (Object.keys(values).length === 0) return;
        await db.updateTable('environments').set(values).where('envId', '=', envId).execute();
      }),
    delete: (envId) => run.write((db) => remove(db, envId)),
  };
}

async function create(db: Transaction<Schema>, environment: NewEnvironment): Promise<Environment> {
  const { nodes, variables, ...plain } = environment;
  const made = { ...plain, envId: await next(db, 'environment'), createdAt: timestamp() };
  await db
    .insertInto('environments')
    .values({ ...made, nodes: toJson(nodes), variables: toJson(variables), remarks: toJson([]) })
    .execute();
  return { ...made, nodes, variables, remarks: [], state: 'CREATED' };
}

function rows(
  db: Transaction<Schema>,
  scope: Scope,
  paging: Paging | undefined,
  chunk: { after: number | undefined; offset: number; limit: number },
): Promise<Row[]> {
  let query = db.selectFrom('environments').selectAll();
  if (scope.tenant !== undefined) query = query.where('tenant', '=', scope.tenant);
  if (paging?.name !== undefined) query = query.where('name', '=', paging.name);
  if (chunk.after !== undefined) query = query.where('envId', '>', chunk.after);
  return query.orderBy('envId').limit(chunk.limit).offset(chunk.offset).execute();
}

async function withStates(db: Transaction<Schema>, found: Row[]): Promise<Environment[]> {
  if (found.length === 0) return [];
  const deployed = await db
    .selectFrom('instances')
    .select(['envId', 'state'])
    .distinct()
    .where(
      'envId',
      'in',
      found.map((row) => row.envId),
    )
    .execute();
  const states = new Map<number | null, InstanceState[]>();
  for (const { envId, state } of deployed) states.set(envId, [...(states.get(envId) ?? []), state]);
  return found.map((row) => toEnvironment(row, applicationState(states.get(row.envId) ?? [])));
}

function toEnvironment({ nodes, variables, remarks, ...row }: Row, state: InstanceState): Environment {
  return {
    ...present(row),
    nodes: fromJson(nodes),
    variables: fromJson(variables),
    remarks: fromJson(remarks),
    state,
  };
}

/** Services ask before; this closes the gap between their question and the deletion. */
async function remove(db: Transaction<Schema>, envId: number): Promise<void> {
  const occupant = await db
    .selectFrom('instances')
    .select('appId')
    .where('envId', '=', envId)
    .limit(1)
    .executeTakeFirst();
  if (occupant) {
    throw new Fault(
      'Conflict',
      `Application ${occupant.appId} is deployed on environment ${envId}; undeploy it first.`,
    );
  }
  await db.deleteFrom('environments').where('envId', '=', envId).execute();
}
