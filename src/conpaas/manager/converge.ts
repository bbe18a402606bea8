import type { ConpaasNode, ConpaasService, ConpaasStore, ServiceGoal } from '../../domain/conpaas.js';
import { Fault } from '../../domain/errors.js';
import type { AddressBook } from '../addresses.js';
import type { AgentClient } from '../agent/client.js';
import type { CodeRepository } from './code-repository.js';
import type { Credits } from './credits.js';
import { withDatabases } from './database.js';
import type { Fleet } from './fleet.js';
import { isResting, keepsData, layoutOf, planNodes, runsApplication } from './plan.js';
import { activateScripts } from './scripts.js';

/** What bringing a service to a goal needs. */
export interface Workshop {
  store: ConpaasStore;
  fleet: Fleet;
  code: CodeRepository;
  credits: Credits;
  addresses: AddressBook;
  host: string;
  clock(): Date;
  /** A line for getLog. */
  note(text: string): void;
  /** Keeps the last lines that a node's application printed, before it goes. */
  keepOutput(node: ConpaasNode): Promise<void>;
}

interface Member {
  node: ConpaasNode;
  agent: AgentClient;
}

/**
 * Brings nodes, applications and proxies of a service to a goal and resolves when they are there. It looks at what is, so that it may
 * be repeated after a crash at any point; carried out again it changes nothing. What serves goes on serving: new processes answer
 * before a proxy sends requests to them, and old ones end after it has stopped.
 */
export async function converge(
  shop: Workshop,
  service: ConpaasService,
  goal: ServiceGoal,
  signal: AbortSignal,
): Promise<void> {
  const nodes = await shop.store.nodes({ sid: service.sid });
  if (goal.aim === 'stopped' && keepsData(service.type)) return await restNodes(shop, nodes);
  if (goal.aim !== 'running') return await endNodes(shop, nodes);
  const plan = planNodes(layoutOf(service.type), goal.counts, nodes, goal.remove);
  const members: Member[] = [];
  for (const { node, roles } of plan.keep) {
    if (isResting(node)) await wake(shop, node, roles);
    members.push({ node: { ...node, roles }, agent: await shop.fleet.ensure(node) });
  }
  signal.throwIfAborted();
  members.push(...(await makeNodes(shop, service, plan.create, signal)));
  if (service.type === 'generic') {
    // Those that stay hear of it when the others are gone.
    await endNodes(shop, plan.remove);
    return await activateScripts(shop, members, await withDatabases(shop, service, goal), signal);
  }
  if (service.type === 'mysql') await applyDatabase(shop, members, goal, signal);
  else await applyAll(shop, members, await withDatabases(shop, service, goal), signal);
  for (const { node } of members) await shop.store.updateNode(node.nodeId, { roles: node.roles });
  await endNodes(shop, plan.remove);
}

async function applyAll(
  shop: Workshop,
  members: readonly Member[],
  goal: ServiceGoal,
  signal: AbortSignal,
): Promise<void> {
  await applyCode(shop, members, goal, signal);
  await pointProxies(shop, members);
  await restOthers(members);
}

async function applyDatabase(
  shop: Workshop,
  members: readonly Member[],
  { codeVersionId, settings }: ServiceGoal,
  signal: AbortSignal,
): Promise<void> {
  for (const { node, agent } of members) {
    if (!node.endpoint) throw new Fault('ServiceUnavailable', `The node ${node.nodeId} has no address.`);
    const listen = shop.addresses.databaseAt(node.endpoint);
    shop.note(`MariaDB on ${node.nodeId}`);
    await agent.apply({ codeVersionId, running: true, settings, listen }, signal);
  }
}

/** All at once: an agent takes a second to come up. */
async function makeNodes(
  shop: Workshop,
  service: ConpaasService,
  missing: readonly string[][],
  signal: AbortSignal,
): Promise<Member[]> {
  const rows: ConpaasNode[] = [];
  for (const roles of missing) {
    const node = await reserveNode(shop, service, roles);
    rows.push(node);
    await shop.credits.payFirstHour(node);
    signal.throwIfAborted();
  }
  return await Promise.all(
    rows.map(async (node) => {
      shop.note(`starting an agent for ${node.nodeId} (${node.roles.join(', ')})`);
      return { node, agent: await shop.fleet.ensure(node) };
    }),
  );
}

const TRIES = 20;

async function reserveNode(shop: Workshop, service: ConpaasService, roles: string[]): Promise<ConpaasNode> {
  const { sid, cloud } = service;
  const holders = await shop.store.nodes({ sid });
  const first = !holders.some(({ endpoint }) => isSame(endpoint, service.endpoint));
  const common = { sid, cloud, host: shop.host, roles, paidUntil: shop.clock().toISOString() };
  const listens = roles.includes('proxy') || service.type === 'mysql' || shop.addresses.everyNode;
  for (let tried = 0; tried < TRIES; tried++) {
    const others = listens ? await shop.addresses.endpointCandidates() : null;
    const node = await shop.store.createNode({
      ...common,
      endpoint: first && listens ? 'of the service' : others,
    });
    if (node !== 'no-address') return node;
  }
  throw new Fault('ServiceUnavailable', 'No free address is left in conpaas.addresses.');
}

function isSame(a: ConpaasNode['endpoint'], b: ConpaasNode['endpoint']): boolean {
  return a?.address === b?.address && a?.port === b?.port;
}

/** New nodes at once, nodes that serve one after the other, so that some always serve. */
async function applyCode(
  shop: Workshop,
  members: readonly Member[],
  goal: ServiceGoal,
  signal: AbortSignal,
): Promise<void> {
  const { codeVersionId, settings } = goal;
  const runners = members.filter(({ node }) => runsApplication(node.roles));
  const states = await Promise.all(runners.map(async (member) => ({ member, ...(await member.agent.status(signal)) })));
  const apply = async ({ node, agent }: Member) => {
    shop.note(`${codeVersionId} on ${node.nodeId}`);
    await agent.sendCode(codeVersionId, () => shop.code.open(codeVersionId), signal);
    await agent.apply({ codeVersionId, running: true, settings }, signal);
  };
  const serving = states.filter(({ application }) => application.phase === 'running');
  const fresh = states.filter(({ application }) => application.phase !== 'running');
  await Promise.all(fresh.map(({ member }) => apply(member)));
  for (const { member } of serving) {
    signal.throwIfAborted();
    await apply(member);
  }
}

/** Each proxy balances over every node that runs the application. */
async function pointProxies(shop: Workshop, members: readonly Member[]): Promise<void> {
  const backends = await Promise.all(
    members
      .filter(({ node }) => runsApplication(node.roles))
      .map(async ({ node, agent }) => ({ nodeId: node.nodeId, address: (await agent.status()).backend })),
  );
  for (const { node, agent } of members) {
    if (!node.roles.includes('proxy') || !node.endpoint) continue;
    await agent.proxy({
      listen: shop.addresses.listenAt(node.endpoint),
      own: runsApplication(node.roles),
      backends: backends.filter(({ nodeId }) => nodeId !== node.nodeId).map(({ address }) => address),
    });
  }
}

/** A first proxy whose backend role went to nodes of its own ends its application, now that no proxy asks it. */
async function restOthers(members: readonly Member[]): Promise<void> {
  for (const { node, agent } of members) if (!runsApplication(node.roles)) await agent.apply(null);
}

async function endNodes(shop: Workshop, nodes: readonly ConpaasNode[]): Promise<void> {
  await Promise.all(
    nodes.map(async (node) => {
      shop.note(`ending ${node.nodeId}`);
      await shop.keepOutput(node);
      await shop.fleet.end(node);
      await shop.store.deleteNode(node.nodeId);
    }),
  );
}

/** Before its agent is started again, so that whatever happens then is paid. */
async function wake(shop: Workshop, node: ConpaasNode, roles: string[]): Promise<void> {
  const now = shop.clock().toISOString();
  const isPaid = node.paidUntil > now;
  const paidUntil = isPaid ? node.paidUntil : now;
  await shop.store.updateNode(node.nodeId, { roles, paidUntil });
  if (!isPaid) await shop.credits.payFirstHour({ ...node, paidUntil });
}

async function restNodes(shop: Workshop, nodes: readonly ConpaasNode[]): Promise<void> {
  for (const node of nodes) {
    if (isResting(node)) continue;
    shop.note(`stopping ${node.nodeId}`);
    await shop.keepOutput(node);
    await shop.fleet.rest(node);
    await shop.store.updateNode(node.nodeId, { roles: [] });
  }
}
