import type { ServiceType } from '../../domain/conpaas.js';
import { build } from './build.js';
import type { CodeStore } from './code.js';
import { type Launched, launch } from './launch.js';
import type { Output } from './output.js';
import type { DesiredApplication } from './protocol.js';
import type { Room } from './room.js';

/** How the processes come up that an agent keeps alive: uploaded code behind HTTP, or a database server. */
export interface Program {
  /** What can be done before a start. Rejects with AgentError. */
  prepare(wanted: DesiredApplication, way: Way): Promise<void>;
  /** Resolves when it answers. Rejects with AgentError, and then nothing of it runs. */
  start(wanted: DesiredApplication, way: Way): Promise<Started>;
  /**
   * Present where old and new processes cannot live side by side: changes the running ones. False: they must be started anew. Rejects
   * with AgentError, and then they are as they were.
   */
  adapt?(running: Started, before: DesiredApplication, wanted: DesiredApplication): Promise<boolean>;
}

export interface Way {
  signal: AbortSignal;
  /** Says what is being done, for people who wait. */
  doing(activity: string): void;
}

export interface Started extends Launched {
  /** Name of the runtime, e.g. `nodejs`. */
  runtime: string;
}

/** What every program works with. */
export interface ProgramOptions {
  room: Room;
  /** Of everything that it runs. */
  env: Readonly<Record<string, string>>;
  output: Output;
  newMark(): string;
  /** From SIGTERM to SIGKILL. */
  graceMs: number;
}

/** Uploaded code, on the runtime that its archive asks for. */
export function codeProgram(
  options: ProgramOptions & { type: ServiceType; code: CodeStore; host: string },
): Required<Pick<Program, 'prepare' | 'start'>> {
  return {
    async prepare(wanted, way) {
      await build({ ...options, ...wanted, ...way });
    },
    async start(wanted, way) {
      const { runtime, context } = await build({ ...options, ...wanted, ...way });
      const launched = await launch({
        ...options,
        runtime,
        context,
        startSeconds: wanted.startSeconds ?? runtime.startSeconds,
      });
      return { ...launched, runtime: runtime.name };
    },
  };
}
