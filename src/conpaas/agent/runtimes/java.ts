import { join } from 'node:path';
import { askVersion, findProgram, isExecutable } from './programs.js';

export interface Java {
  program: string;
  version: string;
}

export const INSTALL_JAVA =
  'Java is missing: install a JRE of version 17 or later (apt-get install default-jre-headless), or set JAVA_HOME.';

/** The one of JAVA_HOME, else of the PATH. */
export async function findJava(env: Readonly<Record<string, string>>): Promise<Java | undefined> {
  const home = env['JAVA_HOME'];
  const own = home && join(home, 'bin', 'java');
  const program = own && (await isExecutable(own)) ? own : await findProgram('java', env);
  const version = program && (await askVersion(program, ['-version'], /version "([^"]+)"/, env));
  return program && version ? { program, version } : undefined;
}

/** What a virtual machine needs beside its heap (code, threads, classes) is large, and small ones need it too. */
export function heapOptions(memory: number | undefined): string[] {
  const limit = memory === undefined ? [] : [`-Xmx${Math.max(32, Math.floor(memory * 0.6))}m`];
  return [...limit, '-XX:+ExitOnOutOfMemoryError'];
}
