import { isDeepStrictEqual } from 'node:util';
import { AgentError } from './agent-error.js';
import type { Output } from './output.js';
import type { Patience } from './patience.js';
import type { Program, Started } from './program.js';
import type { Address, ApplicationPhase, ApplicationStatus, DesiredApplication } from './protocol.js';
import { pause } from './wait.js';

export interface ApplicationOptions {
  program: Program;
  output: Output;
  /** Where requests go from now on; resolves when the place before has answered all of its own. */
  route(address: Address | undefined, drainMs: number): Promise<void>;
  /** What is kept for the next start of the agent. */
  remember(desired: DesiredApplication | null): Promise<void>;
  patience: Patience;
}

export interface Application {
  /** See AgentClient.apply. */
  apply(desired: DesiredApplication | null): Promise<void>;
  /** After the agent's own restart: brings back what ran, if it ran, trying again for as long as it takes. */
  resume(desired: DesiredApplication): void;
  /** Whether the code version serves, starts or stops just now. */
  uses(codeVersionId: string): boolean;
  status(): Promise<ApplicationStatus>;
  readonly desired: DesiredApplication | null;
  /** Stops everything; nothing of it runs afterwards. */
  close(): Promise<void>;
}

interface Serving extends Started {
  desired: DesiredApplication;
  startedAt: Date;
}

interface Work {
  desired: DesiredApplication | null;
  controller: AbortController;
  done: Promise<void>;
}

export function createApplication(options: ApplicationOptions): Application {
  const { program, output, patience, route } = options;
  let serving: Serving | undefined;
  let desired: DesiredApplication | null = null;
  let phase: ApplicationPhase = 'stopped';
  let activity: string | undefined;
  let trouble: { reason: string; lastLines: string[] } | undefined;
  let restarts = 0;
  let work: Work | undefined;
  let revival: { controller: AbortController; done: Promise<void> } | undefined;
  const retiring = new Map<Promise<void>, string>();

  const doing = (text: string) => {
    activity = text;
  };

  const start = async (wanted: DesiredApplication, signal: AbortSignal): Promise<Serving> => {
    const started = await program.start(wanted, { signal, doing });
    return { ...started, desired: wanted, startedAt: new Date() };
  };

  /** Requests go to the new processes before the old ones are told to stop. */
  const takeOver = (next: Serving | undefined): Promise<void> => {
    const before = serving;
    serving = next;
    const drained = route(next?.address, patience.drainMs);
    if (next) void next.group.ended.then((how) => onEnd(next, how));
    if (!before) return drained;
    const gone = drained.then(() => before.group.stop(patience.graceMs)).finally(() => retiring.delete(gone));
    retiring.set(gone, before.desired.codeVersionId);
    return gone;
  };

  const onEnd = (ended: Serving, how: string) => {
    if (serving !== ended) return;
    serving = undefined;
    void route(undefined, 0);
    trouble = { reason: `The application ended by itself (${how}).`, lastLines: output.lastLines() };
    output.note(trouble.reason);
    // A replacement that is under way takes its place, or revives it when it fails.
    if (work) return;
    const lived = Date.now() - ended.startedAt.getTime();
    revive(ended.desired, lived < patience.stableMs ? restarts : 0);
  };

  /** Starts again and again, with delays that grow, until it runs or something else is asked for. */
  const revive = (wanted: DesiredApplication, earlier: number) => {
    phase = 'restarting';
    restarts = earlier;
    const controller = new AbortController();
    const { signal } = controller;
    const attempt = async () => {
      const delay = Math.min(patience.longestRestartMs, patience.firstRestartMs * 2 ** Math.min(restarts, 20));
      activity = `waiting ${delay / 1000} s before the next start`;
      output.note(activity);
      await pause(delay, signal);
      if (signal.aborted) return;
      restarts += 1;
      try {
        const next = await start(wanted, signal);
        if (signal.aborted) return void (await next.group.stop(patience.graceMs));
        phase = 'running';
        activity = undefined;
        void takeOver(next);
      } catch (error) {
        if (!signal.aborted) noteTrouble(error);
      }
    };
    const done = (async () => {
      while (!signal.aborted && phase === 'restarting') await attempt();
    })();
    revival = { controller, done };
  };

  const endRevival = async () => {
    revival?.controller.abort();
    await revival?.done;
    revival = undefined;
  };

  const noteTrouble = (error: unknown) => {
    const lastLines = error instanceof AgentError ? error.lastLines : [];
    trouble = { reason: (error as Error).message, lastLines };
  };

  const stop = async () => {
    phase = serving ? 'stopping' : 'stopped';
    await takeOver(undefined);
    await Promise.all(retiring.keys());
    phase = 'stopped';
  };

  const execute = async (next: DesiredApplication | null, signal: AbortSignal): Promise<void> => {
    if (phase === 'running' && serving && isDeepStrictEqual(serving.desired, next)) return;
    await endRevival();
    if (next?.running) return await replace(next, signal);
    await options.remember(next);
    desired = next;
    await stop();
    trouble = undefined;
    if (next) await program.prepare(next, { signal, doing });
  };

  const replace = async (next: DesiredApplication, signal: AbortSignal): Promise<void> => {
    const replaced = serving !== undefined;
    phase = replaced ? 'replacing' : 'starting';
    try {
      if (serving && program.adapt && (await adapted(serving, next, program.adapt))) return;
      const started = await start(next, signal);
      await options.remember(next);
      desired = next;
      restarts = 0;
      trouble = undefined;
      phase = 'running';
      const gone = takeOver(started);
      if (!replaced) await gone;
    } catch (error) {
      if (!signal.aborted) noteTrouble(error);
      phase = serving ? 'running' : 'failed';
      if (!serving && desired?.running && !signal.aborted) revive(desired, 0);
      throw error;
    }
  };

  /** Changes what runs. False: it has ended, to make room for the next. */
  const adapted = async (running: Serving, next: DesiredApplication, adapt: NonNullable<Program['adapt']>) => {
    if (await adapt(running, running.desired, next)) {
      running.desired = next;
      await options.remember(next);
      desired = next;
      phase = 'running';
      return true;
    }
    await takeOver(undefined);
    return false;
  };

  const apply = (next: DesiredApplication | null): Promise<void> => {
    if (work && isDeepStrictEqual(work.desired, next)) return work.done;
    const before = work;
    before?.controller.abort();
    const controller = new AbortController();
    const superseded = () => new AgentError('superseded', 'A later request took the place of this one.');
    const done = (before?.done.catch(() => {}) ?? Promise.resolve())
      .then(() => {
        if (controller.signal.aborted) throw superseded();
        return execute(next, controller.signal);
      })
      .finally(() => {
        activity = undefined;
        if (work !== mine) return;
        work = undefined;
        // It answered once and died before anybody watched.
        if (phase === 'running' && !serving && desired?.running) revive(desired, 0);
      });
    const mine: Work = { desired: next, controller, done };
    work = mine;
    return done;
  };

  return {
    apply,
    resume: (wanted) => {
      desired = wanted;
      if (wanted.running) revive(wanted, 0);
    },
    get desired() {
      return desired;
    },
    uses: (id) => {
      const wanted = phase === 'restarting' ? desired : undefined;
      const versions = [serving?.desired, work?.desired, wanted].map((one) => one?.codeVersionId);
      return [...versions, ...retiring.values()].includes(id);
    },
    status: async () => {
      const version = serving?.desired.codeVersionId ?? work?.desired?.codeVersionId ?? desired?.codeVersionId;
      return {
        phase,
        restarts,
        ...(version !== undefined && { codeVersionId: version }),
        ...(activity !== undefined && { activity }),
        ...(serving && {
          runtime: serving.runtime,
          pid: serving.group.pid,
          startedAt: serving.startedAt.toISOString(),
          memoryBytes: await serving.group.residentBytes(),
        }),
        ...trouble,
      };
    },
    close: async () => {
      work?.controller.abort();
      await work?.done.catch(() => {});
      await endRevival();
      await stop();
    },
  };
}
