import { AgentError } from './agent-error.js';
import { type ProcessGroup, startGroup } from './group.js';
import { freePort } from './ports.js';
import { type ProbeResult, probe } from './probe.js';
import type { Address } from './protocol.js';
import type { RunContext, Runtime } from './runtimes/runtime.js';

export interface LaunchOptions {
  runtime: Runtime;
  context: RunContext;
  /** Address that the application is told. */
  host: string;
  startSeconds: number;
  /** A new mark for each attempt. */
  newMark(): string;
  graceMs: number;
}

/** A running application that has answered. */
export interface Launched {
  group: ProcessGroup;
  address: Address;
}

const MOST_PORTS = 5;

/** Starts it and waits until it answers. Rejects with AgentError `failed`, and then nothing of it runs. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { runtime, context, startSeconds } = options;
  for (let attempt = 1; attempt <= MOST_PORTS; attempt += 1) {
    const { group, result } = await attemptOn(await freePort(), options);
    if (result.outcome === 'answers') return { group, address: result.address };
    // Before its end adds lines of its own.
    const lastLines = context.output.lastLines();
    await group.stop(options.graceMs);
    if (result.outcome === 'aborted') throw new AgentError('superseded', 'The start was given up for a later request.');
    const text = whatHappened(result, startSeconds);
    context.output.note(`${runtime.name}: ${text}`);
    if (result.outcome === 'lost') continue;
    throw new AgentError('failed', `The application did not start: ${text}`, {
      lastLines,
    });
  }
  throw new AgentError('failed', `The application lost its port to another program ${MOST_PORTS} times.`);
}

type Attempt = ProbeResult | { outcome: 'broken'; line: string };

async function attemptOn(port: number, options: LaunchOptions): Promise<{ group: ProcessGroup; result: Attempt }> {
  const { runtime, context, host, startSeconds } = options;
  const { room, settings, output, signal } = context;
  const { command, args, cwd, env, failure } = await runtime.command(context, { host, port });
  context.doing(`starting ${runtime.name} on port ${port}`);
  output.note(`starting ${runtime.name} on port ${port}`);
  const place = { PORT: String(port), HOST: host };
  const group = await startGroup(
    {
      command,
      args,
      cwd,
      env: { ...context.env, ...env, ...place },
      owner: room.owner,
      mark: options.newMark(),
      ...(settings.memory !== undefined && { memory: settings.memory }),
    },
    output,
  );
  const broken = new AbortController();
  let line: string | undefined;
  if (failure) {
    group.watch(failure, (found) => {
      line ??= found;
      broken.abort();
    });
  }
  const result = await probe({
    group,
    port,
    hosts: [...new Set([host, '127.0.0.1', '::1'])],
    uid: room.owner?.uid,
    limitMs: startSeconds * 1000,
    signal: AbortSignal.any([signal, broken.signal]),
  });
  return { group, result: line !== undefined && !signal.aborted ? { outcome: 'broken', line } : result };
}

function whatHappened(result: Attempt, seconds: number): string {
  switch (result.outcome) {
    case 'lost':
      return 'another program took its port first; it gets another one.';
    case 'ended':
      return `it ended at once (${result.how}).`;
    case 'broken':
      return result.line.trim().slice(0, 300);
    case 'silent':
      return result.elsewhere.length === 0
        ? `it did not answer HTTP within ${seconds} seconds. It must listen on the port that the variable PORT names.`
        : `it listens on port ${result.elsewhere.join(', ')} instead of the one that the variable PORT names.`;
    default:
      return result.outcome;
  }
}
