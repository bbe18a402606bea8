import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { ServiceType } from '../../../domain/conpaas.js';
import { AgentError } from '../agent-error.js';
import { machineEnvironment, reachablePath } from '../environment.js';
import { mariadb } from '../mariadb/installation.js';
import { bash } from './bash.js';
import { jar } from './jar.js';
import { nodejs } from './nodejs.js';
import { php } from './php.js';
import { procfile } from './procfile.js';
import { python } from './python.js';
import type { Availability, Runtime } from './runtime.js';
import { staticFiles } from './static.js';
import { war } from './war.js';

/** In the order in which they are asked whether they recognise a folder. */
export const RUNTIMES: readonly Runtime[] = [procfile, war, jar, nodejs, php, python, staticFiles];

/** What this machine can run, for `available_services` and `GET /environment/info`. */
export interface RuntimeReport {
  /** e.g. `war`, `jar`, `nodejs`, `static`. */
  name: string;
  /** The service type that offers it. */
  type: ServiceType;
  available: boolean;
  version?: string;
  /** When it is missing: a sentence that says what to install. */
  install?: string;
}

const NEEDS_LINUX = 'Applications run on Linux only: use the Docker image, or another platform.';

export async function detectRuntimes(env: NodeJS.ProcessEnv): Promise<RuntimeReport[]> {
  const isLinux = existsSync('/proc/self/stat');
  const machine = machineEnvironment(env);
  // What only root can reach is of no use to applications that run as others.
  const found = process.getuid?.() === 0 ? { ...machine, PATH: await reachablePath(machine['PATH'] ?? '') } : machine;
  const availability = async ({ detect }: Pick<Runtime, 'detect'>): Promise<Availability> =>
    isLinux ? await detect(found) : { available: false, install: NEEDS_LINUX };
  return await Promise.all(
    [...RUNTIMES, bash, mariadb].map(async (runtime) => ({
      name: runtime.name,
      type: runtime.type,
      ...(await availability(runtime)),
    })),
  );
}

/**
 * The runtime for a folder of code in a service of a type: the type's own first, then any other, so that an application whose archive
 * was not looked into beforehand runs all the same. Throws AgentError `rejected`.
 */
export async function runtimeFor(
  folder: string,
  type: ServiceType,
  env: Readonly<Record<string, string>>,
): Promise<Runtime> {
  const top = new Set(await readdir(folder));
  const isFor = (runtime: Runtime) => runtime.type === type || runtime.also?.includes(type) === true;
  const inOrder = [...RUNTIMES].sort((one, other) => Number(isFor(other)) - Number(isFor(one)));
  for (const runtime of inOrder) {
    if (!(await runtime.recognises(folder, top))) continue;
    const found = await runtime.detect(env);
    if (found.available) return runtime;
    throw new AgentError('rejected', `This machine cannot run it: ${found.install}`);
  }
  const needs = [...new Set(inOrder.map((runtime) => runtime.needs))].join(', ');
  throw new AgentError('rejected', `The archive holds no application that can be run here. Expected one of: ${needs}.`);
}
