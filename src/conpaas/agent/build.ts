import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceSettings, ServiceType } from '../../domain/conpaas.js';
import { AgentError } from './agent-error.js';
import type { CodeStore } from './code.js';
import { isReserved } from './environment.js';
import { startGroup } from './group.js';
import type { Output } from './output.js';
import { type Room, writeTool } from './room.js';
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
    env: { ...env, ...allowedVariables(settings.variables) },
    run: (command, args, where) => runToEnd(context, options.newMark, command, args, where),
  };
  await once(join(room.work, `${codeVersionId}.prepared`), async () => runtime.prepare?.(context));
  await runStartupScript(context, options.newMark);
  return { runtime, context };
}

/** Done before, it is not done again; done half, it is. */
async function once(marker: string, work: () => Promise<void>): Promise<void> {
  if (existsSync(marker)) return;
  await work();
  await writeFile(marker, '');
}

type Running = Pick<RunContext, 'folder' | 'room' | 'env' | 'output' | 'signal'>;

/** What its owner uploaded for the birth of a node: once for each agent and each text, with the application's rights. */
export async function runStartupScript(
  context: Running & Pick<RunContext, 'settings' | 'doing'>,
  newMark: () => string,
): Promise<void> {
  const { room, doing } = context;
  const { startupScript: text } = context.settings;
  if (text === undefined || text.trim() === '') return;
  const name = `startup-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
  await once(join(room.work, `${name}.done`), async () => {
    doing('startup script');
    const [interpreter = '/bin/sh', ...options] = /^#!\s*(\S.*)/.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
    const args = [...options, await writeTool(room, name, text)];
    await runToEnd(context, newMark, interpreter, args, { cwd: room.home });
  });
}

/** Without those that the agent sets itself. */
export function allowedVariables(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !isReserved(name)));
}

async function runToEnd(
  { room, output, signal, env, folder }: Running,
  newMark: () => string,
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
