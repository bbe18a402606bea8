import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { AgentError } from './agent-error.js';
import { allowedVariables, runStartupScript } from './build.js';
import type { CodeStore } from './code.js';
import { type Printed, type ProcessGroup, startGroup } from './group.js';
import type { Output } from './output.js';
import { SCRIPT_NAMES, type ScriptCommand, type ScriptName, type ScriptStatuses, type ScriptTask } from './protocol.js';
import { makeOwned, type Room, removeOwned, writeTool } from './room.js';
import type { ScriptMemory } from './spec.js';

export interface ScriptsOptions {
  agentId: string;
  code: CodeStore;
  room: Room;
  env: Readonly<Record<string, string>>;
  /** Everything, with the agent's own notes; and what scripts print to each stream. */
  output: Output;
  out: Printed;
  err: Printed;
  newMark(): string;
  remember(memory: ScriptMemory): Promise<void>;
  /** Milliseconds between SIGTERM and SIGKILL. */
  graceMs: number;
  /** Of the agent's end. */
  signal: AbortSignal;
}

/** The five scripts of a generic service on one node. One of them runs at a time. */
export interface Scripts {
  /** See ScriptTask. Rejects with AgentError. */
  activate(task: ScriptTask): Promise<void>;
  execute(command: ScriptCommand, parameters: string): Promise<void>;
  /** After the agent's own restart, which ended everything: begins with `init.sh` again. */
  resume(memory: ScriptMemory): Promise<void>;
  uses(codeVersionId: string): boolean;
  /** Undefined: it has none to run. */
  statuses(): ScriptStatuses | undefined;
  /** Nothing of them runs afterwards. */
  close(): Promise<void>;
}

export function createScripts(options: ScriptsOptions): Scripts {
  const { code, room, output, graceMs } = options;
  let task: ScriptTask | undefined;
  let outcomes: ScriptMemory['outcomes'] = {};
  let notifyLater = false;
  let turn: Promise<unknown> = Promise.resolve();
  const running = new Map<ScriptName, ProcessGroup>();
  /** With what ended scripts left behind in the background. */
  const groups = new Set<ProcessGroup>();

  /** One decision at a time. */
  const inTurn = <T>(decide: () => Promise<T>): Promise<T> => {
    const result = turn.then(decide);
    turn = result.catch(() => {});
    return result;
  };

  const remember = async () => {
    if (task) await options.remember({ task, outcomes });
  };

  const begin = async (name: ScriptName, current: ScriptTask, parameters = ''): Promise<void> => {
    const folder = code.folder(current.codeVersionId);
    const script = join(folder, `${name}.sh`);
    if (!existsSync(script)) return output.note(`the archive has no ${name}.sh`);
    outcomes[name] = 'running';
    await remember();
    output.note(`${name}.sh begins`);
    const both = (part: Printed): Printed => ({
      write(chunk) {
        output.write(chunk);
        part.write(chunk);
      },
    });
    const group = await startGroup(
      {
        command: 'bash',
        args: [script, ...parameters.split(/\s+/).filter(Boolean)],
        cwd: folder,
        env: { ...options.env, ...allowedVariables(current.settings.variables), ...(await surroundings(current)) },
        owner: room.owner,
        mark: options.newMark(),
        errors: both(options.err),
        leavesOthers: true,
        ...(current.settings.memory !== undefined && { memory: current.settings.memory }),
      },
      both(options.out),
    );
    groups.add(group);
    running.set(name, group);
    void group.ended.then((how) => inTurn(() => ended(name, group, how)));
  };

  const ended = async (name: ScriptName, group: ProcessGroup, how: string): Promise<void> => {
    if ((await group.members()).length === 0) {
      await group.stop(0);
      groups.delete(group);
    }
    if (running.get(name) !== group) return;
    running.delete(name);
    outcomes[name] = returnCode(how);
    output.note(`${name}.sh ended (${how})`);
    await remember();
    // Not waited for: whoever cannot wait for the grace interrupts again.
    if (name === 'interrupt') void end([...running.values()], graceMs);
    if (notifyLater && running.size === 0 && task) {
      notifyLater = false;
      await begin('notify', task);
    }
  };

  const end = async (some: readonly ProcessGroup[], grace: number): Promise<void> => {
    await Promise.all(some.map((group) => group.stop(grace)));
    for (const group of some) groups.delete(group);
  };

  /** What the scripts are told of the service, beside their parameters. */
  const surroundings = async ({ peers }: ScriptTask): Promise<Record<string, string>> => ({
    MY_IP: peers.find(({ id }) => id === options.agentId)?.ip ?? '',
    MY_ROLE: peers.find(({ id }) => id === options.agentId)?.role ?? '',
    MASTER_IP: peers.find(({ role }) => role === 'master')?.ip ?? '',
    AGENTS_FILE: await writeTool(room, 'agents.json', `${JSON.stringify(peers)}\n`),
    VOLUMES: room.volumes,
  });

  const keepVolumes = async (names: readonly string[]): Promise<void> => {
    for (const name of names) await makeOwned(join(room.volumes, name), room.owner, async () => {});
    for (const name of await readdir(room.volumes)) {
      if (!names.includes(name)) await removeOwned(join(room.volumes, name), room.owner);
    }
  };

  const enter = async (next: ScriptTask): Promise<void> => {
    const before = task?.codeVersionId;
    const { settings } = next;
    const env = { ...options.env, ...allowedVariables(settings.variables) };
    const context = { ...options, env, settings, folder: room.home, doing: () => {}, signal: options.signal };
    await runStartupScript(context, options.newMark);
    // Its own end is then no news any more.
    running.clear();
    await end([...groups], graceMs);
    task = next;
    outcomes = {};
    notifyLater = false;
    await remember();
    // Enabled again, it shall be as it was uploaded.
    if (before !== undefined && before !== next.codeVersionId) await code.remove(before);
    await keepVolumes(next.volumes);
    await begin('init', next);
  };

  const change = async (before: ScriptTask, next: ScriptTask): Promise<void> => {
    task = next;
    await remember();
    await keepVolumes(next.volumes);
    await surroundings(next);
    if (isDeepStrictEqual(before.peers, next.peers)) return;
    if (running.size > 0) notifyLater = true;
    else await begin('notify', next);
  };

  const interrupt = async (current: ScriptTask, parameters: string): Promise<void> => {
    if (running.size === 0) return;
    if (running.has('interrupt')) return await end([...running.values()], 0);
    await begin('interrupt', current, parameters);
    // An archive without an interrupt.sh: what runs is ended all the same.
    if (!running.has('interrupt')) await end([...running.values()], graceMs);
  };

  return {
    activate: (next) =>
      inTurn(async () => {
        if (!(await code.has(next.codeVersionId))) {
          throw new AgentError('rejected', `The code version ${next.codeVersionId} is not on this node.`);
        }
        if (isDeepStrictEqual(task, next)) return;
        if (task?.codeVersionId === next.codeVersionId) await change(task, next);
        else await enter(next);
      }),
    execute: (command, parameters) =>
      inTurn(async () => {
        if (!task) throw new AgentError('rejected', 'This node has no scripts.');
        if (command === 'interrupt') return await interrupt(task, parameters);
        if (running.size > 0) throw new AgentError('rejected', 'Another script is running.');
        await begin(command, task, parameters);
      }),
    resume: (memory) =>
      inTurn(async () => {
        ({ task, outcomes } = memory);
        for (const name of SCRIPT_NAMES) if (outcomes[name] === 'running') outcomes[name] = returnCode('SIGKILL');
        await keepVolumes(task.volumes);
        await begin('init', task);
      }),
    uses: (id) => task?.codeVersionId === id,
    statuses: () => task && statusesOf(outcomes),
    close: () =>
      inTurn(async () => {
        running.clear();
        await end([...groups], graceMs);
      }),
  };
}

function statusesOf(outcomes: ScriptMemory['outcomes']): ScriptStatuses {
  const text = (outcome: number | 'running' | undefined) => {
    if (outcome === undefined) return 'NEVER STARTED';
    return outcome === 'running' ? 'RUNNING' : `STOPPED (return code ${outcome})`;
  };
  return Object.fromEntries(SCRIPT_NAMES.map((name) => [`${name}.sh`, text(outcomes[name])])) as ScriptStatuses;
}

/** As Python's Popen counts: a signal is its negative number. */
function returnCode(how: string): number {
  const code = /^exit code (\d+)$/.exec(how)?.[1];
  if (code !== undefined) return Number(code);
  return -(constants.signals[how as NodeJS.Signals] ?? constants.signals.SIGKILL);
}
