import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceSettings, ServiceType } from '../../domain/conpaas.js';
import { AgentError } from './agent-error.js';
import type { CodeStore } from './code.js';
import { isReserved } from './environment.js';
import { startGroup } from './group.js';
import type { Output } from './output.js';
import type { Room } from './room.js';
import { runtimeFor } from './runtimes/index.js';
import type { RunContext, Runtime } from './runtimes/runtime.js';

export interface BuildOptions {
  codeVersionId: string;
  settings: ServiceSettings;
  type: ServiceType;
  code: CodeStore;
  room: Room;
  /** Of everything that runs uploaded code. */
  env: Readonly<Record<string, string>>;
  output: Output;
  signal: AbortSignal;
  doing(activity: string): void;
  newMark(): string;
}

/** Finds the runtime of a code version and prepares the version for it, once. Rejects with AgentError. */
export async function build(options: BuildOptions): Promise<{ runtime: Runtime; context: RunContext }> {
  const { codeVersionId, code, room, settings, type, env } = options;
  if (!(await code.has(codeVersionId))) {
    throw new AgentError('rejected', `The code version ${codeVersionId} is not on this node.`);
  }
  const folder = code.folder(codeVersionId);
  const runtime = await runtimeFor(folder, type, env);
  const context: RunContext = {
    ...options,
    folder,
    work: join(room.work, codeVersionId),
    env: { ...env, ...allowed(settings.variables) },
    run: (command, args, where) => runToEnd(options, context, command, args, where),
  };
  const done = join(room.work, `${codeVersionId}.prepared`);
  if (!existsSync(done)) {
    await runtime.prepare?.(context);
    await writeFile(done, `${runtime.name}\n`);
  }
  return { runtime, context };
}

function allowed(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !isReserved(name)));
}

async function runToEnd(
  { room, output, signal, newMark }: BuildOptions,
  { env, folder }: RunContext,
  command: string,
  args: readonly string[],
  where: { cwd?: string; env?: Record<string, string> } = {},
): Promise<void> {
  const group = await startGroup(
    {
      command,
      args,
      cwd: where.cwd ?? folder,
      env: { ...env, ...where.env },
      owner: room.owner,
      mark: newMark(),
    },
    output,
  );
  const stop = () => void group.stop(1000);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const how = await group.ended;
  signal.removeEventListener('abort', stop);
  if (signal.aborted) throw new AgentError('superseded', 'The preparation was given up for a later request.');
  if (how === 'exit code 0') return;
  throw new AgentError('failed', `The application could not be prepared: ${command} ended with ${how}.`, {
    lastLines: output.lastLines(),
  });
}
