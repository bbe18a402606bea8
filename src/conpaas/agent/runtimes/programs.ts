import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The first program of that name in the PATH. */
export async function findProgram(name: string, env: Readonly<Record<string, string>>): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return;
}

export function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** What a program says of itself: the first match of the pattern in its output. Undefined: it does not run. */
export function askVersion(
  program: string,
  args: readonly string[],
  pattern: RegExp,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, [...args], { env, timeout: 20_000 }, (error, output, errors) =>
      resolve(error ? undefined : (pattern.exec(`${output}${errors}`)?.[1] ?? undefined)),
    );
  });
}
