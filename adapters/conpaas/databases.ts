import type { EnvironmentNode, OfferedNode } from '../../src/domain/model.js';
import { chooseNode } from '../../src/domain/nodes.js';
import { AdapterError, type EnvironmentKey } from '../adapter.js';
import type { RuntimeRow } from './director.js';
import { bringUp, remove } from './lifecycle.js';
import { databaseName, isDatabaseOf } from './names.js';
import { CLEANING, findNamed, type Work } from './work.js';

/** The type of service that every database node becomes: a MariaDB server, which speaks MySQL. */
const TYPE = 'mysql';
const NAMES = ['mysql', 'mariadb'];

/** A ConPaaS that tells no runtimes gives applications no variables either, and so no database. */
export function offeredDatabases(runtimes: readonly RuntimeRow[]): OfferedNode[] {
  const versions = runtimes
    .filter(({ type, available }) => type === TYPE && available)
    .flatMap(({ version }) => (version === undefined ? [] : [version]));
  return versions.length === 0 ? [] : NAMES.map((name) => ({ name, versions }));
}

/** Whether a node asks for a database: as such, or as a service of a database's name. */
export function isDatabase(node: EnvironmentNode, offered: readonly OfferedNode[]): boolean {
  return node.contentType === 'database' || (node.contentType === 'service' && chooseNode(node, offered) !== undefined);
}

/** What is adapted for a database node. Throws `not-supported`; nothing was made yet. */
export function checkDatabase(
  node: EnvironmentNode,
  offered: readonly OfferedNode[],
  runtimes: readonly RuntimeRow[],
): string[] {
  const choice = chooseNode(node, offered);
  if (choice) return choice.remark === undefined ? [] : [`${choice.remark} It is a MariaDB server.`];
  const missing = runtimes.find(({ type, available }) => type === TYPE && !available)?.install;
  const has =
    offered.length > 0 ? `It has: ${offered.map(({ name }) => name).join(', ')}.` : (missing ?? 'It has none.');
  throw new AdapterError('not-supported', `This ConPaaS provides no database such as "${node.name}". ${has}`);
}

/** Makes what is missing and starts what does not run, one service for each node; one that is no longer described stays, with its data. */
export async function ensureDatabases(
  work: Work,
  environment: EnvironmentKey,
  aid: number,
  count: number,
): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => databaseName(environment, index + 1));
  const there = (await work.director.services(work.call.signal)).filter(({ name }) => isDatabaseOf(name, environment));
  try {
    for (const name of names) await ensureDatabase(work, aid, name);
  } catch (error) {
    const before = new Set(there.map(({ name }) => name));
    await takeBack(
      work,
      names.filter((name) => !before.has(name)),
    );
    throw error;
  }
  const left = there.map(({ name }) => name).filter((name) => !names.includes(name));
  return left.length === 0 ? [] : [`No longer described, but kept with their data: ${left.join(', ')}.`];
}

async function ensureDatabase(work: Work, aid: number, name: string): Promise<void> {
  const { director, call } = work;
  call.step('database', { text: `making the database ${name}` });
  if (!(await findNamed(work, name))) await director.startService(TYPE, aid, name, call.signal);
  const found = await findNamed(work, name);
  if (!found) throw new AdapterError('not-found', `ConPaaS has no service "${name}".`);
  await bringUp(work, found);
}

/** What this call made. The call's own signal may be aborted already. */
async function takeBack(work: Work, names: readonly string[]): Promise<void> {
  const limited = { ...work, call: { step: () => undefined, signal: AbortSignal.timeout(CLEANING) } };
  for (const name of names) {
    const found = await findNamed(limited, name).catch(() => undefined);
    if (found) await remove(limited, found.status.sid).catch(() => undefined);
  }
}
