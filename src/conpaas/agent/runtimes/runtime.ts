import type { ServiceSettings, ServiceType } from '../../../domain/conpaas.js';
import type { Output } from '../output.js';
import type { Room } from '../room.js';

/** The version of code that shall run, and where. */
export interface RunContext {
  /** Unpacked archive. */
  folder: string;
  /** Folder for what the runtime makes of it; it survives restarts, and one version's never serves another's. */
  work: string;
  room: Room;
  settings: ServiceSettings;
  /** Complete but for PORT and HOST. */
  env: Readonly<Record<string, string>>;
  output: Output;
  signal: AbortSignal;
  /** Says what is being done, for people who wait. */
  doing(activity: string): void;
  /** Runs a program to its end with the application's rights. Rejects with AgentError `failed`. */
  run(
    command: string,
    args: readonly string[],
    options?: { cwd?: string; env?: Record<string, string> },
  ): Promise<void>;
}

/** Where the application shall listen. */
export interface Place {
  host: string;
  port: number;
}

export interface Command {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
  /** A line of its output that means that the start has failed, although the process lives. */
  failure?: RegExp;
}

/** What a machine has of a runtime. */
export type Availability = { available: true; version: string } | { available: false; install: string };

/** One way to run uploaded code. Each is a file of its own in this folder. */
export interface Runtime {
  name: string;
  /** The service type that offers it first. */
  type: ServiceType;
  /** Other types for which it is asked before the rest. */
  also?: readonly ServiceType[];
  /** What an archive must have, for the message when none fits: `a package.json`. */
  needs: string;
  /** Whether it can run this folder; `top` are its names. */
  recognises(folder: string, top: ReadonlySet<string>): Promise<boolean> | boolean;
  /** Looks for its programs on this machine. */
  detect(env: Readonly<Record<string, string>>): Promise<Availability>;
  /** Once for a version, before its first start: dependencies. Repeated when it failed. */
  prepare?(context: RunContext): Promise<void>;
  /** Before each start. `MiB` in `context.settings.memory` sets the runtime's own limit. Throws AgentError. */
  command(context: RunContext, place: Place): Promise<Command>;
  /** Seconds until it must answer HTTP. */
  startSeconds: number;
}
