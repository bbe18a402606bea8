import { createReadStream } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { ConpaasNode } from '../../../domain/conpaas.js';
import { type AgentClient, AgentError } from '../../agent/client.js';
import { accessTo } from '../database.js';
import { keptDump, rpcText, systemDatabaseIn } from '../dump.js';
import { countOf, type ManagerCore, type Method, type MethodCall, RpcError, textOf } from '../method.js';
import { isResting } from '../plan.js';
import { checkCloud } from './common.js';
import { addressOf } from './nodes.js';

/** A MariaDB server, in the words of the galera service of ConPaaS 1.5.1 and with its texts. */
export const MYSQL_METHODS: readonly Method[] = [
  {
    name: 'list_nodes',
    kind: 'GET',
    run: async (manager) => ({
      result: { nodes: (await nodesOf(manager)).map(({ nodeId }) => nodeId), glb_nodes: [] },
    }),
  },
  {
    name: 'get_node_info',
    kind: 'GET',
    optional: ['serviceNodeId'],
    async run(manager, call) {
      const id = mandatory(call, 'serviceNodeId');
      const nodes = await nodesOf(manager);
      const node = nodes.find(({ nodeId }) => nodeId === id);
      if (!node) {
        const known = nodes.map(({ nodeId }) => `'${nodeId}'`).join(', ');
        throw new RpcError(`Unknown "serviceNodeId" ${id}, should be one of [${known}].`);
      }
      const { nodeId, vmid, cloud } = node;
      const ip = addressOf(manager, node);
      return {
        result: { serviceNode: { id: nodeId, ip, vmid: String(vmid), cloud, isNode: true, isGlb_node: false } },
      };
    },
  },
  {
    name: 'add_nodes',
    kind: 'POST',
    optional: ['nodes', 'glb_nodes', 'cloud'],
    async run(manager, call) {
      await needRunning(manager);
      checkCloud(call);
      wantedNodes(call);
      throw new RpcError(
        'Could not add nodes: a mysql service of this ConPaaS is one MariaDB server without replication.',
      );
    },
  },
  {
    name: 'remove_nodes',
    kind: 'POST',
    optional: ['nodes', 'glb_nodes'],
    async run(manager, call) {
      await needRunning(manager);
      const { nodes, glbNodes } = wantedNodes(call);
      // The one that holds the data stays.
      throw new RpcError(`Cannot remove ${nodes || glbNodes} nodes: 0 nodes at most.`);
    },
  },
  {
    name: 'set_password',
    kind: 'POST',
    optional: ['user', 'password'],
    async run(manager, call) {
      try {
        await needRunning(manager);
        await setPassword(manager, mandatory(call, 'user'), mandatory(call, 'password'));
      } catch (error) {
        if (error instanceof RpcError)
          throw new RpcError(`Cannot set new password: ${error.message.replace(/\.$/, '')}.`);
        throw error;
      }
      return { result: {} };
    },
  },
  {
    // `file`: ours, for the dump itself as an attachment.
    name: 'sqldump',
    kind: 'GET',
    optional: ['file'],
    async run(manager, call) {
      const agent = await server(manager);
      const { path, name, remove } = await keptDump(manager.uploads, agent).catch((error: unknown) => {
        throw told('Failed to run mysqldump', error);
      });
      const stream = createReadStream(path).once('close', remove);
      const asFile = call.parameters['file'] === true || call.parameters['file'] === 'true';
      if (asFile) return { stream, type: 'application/sql', name };
      return { stream: rpcText(stream, call.id), type: 'application/json' };
    },
  },
  {
    name: 'load_dump',
    kind: 'UPLOAD',
    optional: ['mysqldump_file'],
    async run(manager, call) {
      const agent = await server(manager);
      const file = call.files.find(({ field }) => field === 'mysqldump_file');
      if (!file) throw new RpcError('Missing the mandatory parameter mysqldump_file.');
      const system = await systemDatabaseIn(file.path);
      if (system !== undefined) {
        throw new RpcError(
          `Could not upload mysqldump_file: it holds "${system}", a database of the server itself. Dump your own databases alone.`,
        );
      }
      await agent
        .loadDump(() => createReadStream(file.path))
        .catch((error: unknown) => {
          throw told('Could not upload mysqldump_file', error);
        });
      return { result: {} };
    },
  },
  {
    // Ours: what the other services of the application get as variables.
    name: 'get_credentials',
    kind: 'GET',
    run: async ({ lifecycle, addresses }) => ({ result: accessTo(await lifecycle.service(), addresses) }),
  },
];

async function nodesOf({ store, sid }: ManagerCore): Promise<ConpaasNode[]> {
  return (await store.nodes({ sid })).filter((node) => !isResting(node));
}

/** Throws RpcError as the original's check_arguments does. */
function mandatory(call: MethodCall, name: string): string {
  const value = textOf(call, name);
  if (value === undefined) throw new RpcError(`Missing the mandatory parameter ${name}.`);
  return value;
}

function wantedNodes(call: MethodCall): { nodes: number; glbNodes: number } {
  const [nodes = 0, glbNodes = 0] = [countOf(call, 'nodes'), countOf(call, 'glb_nodes')];
  if (nodes + glbNodes === 0) throw new RpcError('Both arguments "nodes" and "glb_nodes" are null.');
  return { nodes, glbNodes };
}

async function needRunning({ lifecycle }: ManagerCore): Promise<void> {
  const { state } = await lifecycle.service();
  if (state === 'RUNNING') return;
  throw new RpcError(`Wrong service state: was expecting one of ['RUNNING'] but current state is '${state}'`);
}

/** Throws RpcError unless the service runs and its node can be asked. */
async function server(manager: ManagerCore): Promise<AgentClient> {
  await needRunning(manager);
  const nodes = await nodesOf(manager);
  const [agent] = (await manager.fleet.living(nodes)).values();
  if (agent) return agent;
  throw new RpcError('The database server does not answer; it is started again.');
}

const USER = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/;
/** What the server itself lives by. */
const OWN_USERS = ['root', 'mariadb.sys', 'mysql', 'public'];
const LONGEST_PASSWORD = 256;

/** Answers when the password is in force: it is in the store before the server hears of it, so that a crash cannot part them. */
async function setPassword({ lifecycle }: ManagerCore, user: string, password: string): Promise<void> {
  if (!USER.test(user) || OWN_USERS.includes(user.toLowerCase()))
    throw new RpcError(`"${user.slice(0, 100)}" cannot be used as user`);
  if (password === '' || password.length > LONGEST_PASSWORD || password.includes('\0')) {
    throw new RpcError(`A password has 1 to ${LONGEST_PASSWORD} characters`);
  }
  await lifecycle.begin({
    from: ['RUNNING'],
    to: 'ADAPTING',
    reason: `set_password ${user}`,
    goal(current) {
      const accounts = { ...current.settings.accounts, [user]: password };
      return { ...current, settings: { ...current.settings, accounts } };
    },
  });
  for (;;) {
    const { state, reason } = await lifecycle.service();
    if (state === 'RUNNING' && reason === '') return;
    if (state !== 'ADAPTING') throw new RpcError(reason || `The service went to ${state}`);
    await wait(POLL);
  }
}

const POLL = 50;

/** For the owner, whose statements and data they are. */
function told(what: string, error: unknown): RpcError {
  if (error instanceof AgentError) return new RpcError(`${what}: ${error.message}`);
  return new RpcError(`${what}: the node broke off.`);
}
