import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/**
 * A JAVA_HOME whose `java` is the machine's own, told not to optimise for long runs: servers that live for seconds start in half of the
 * processor time. Undefined where there is no Java.
 */
export function quickJava() {
  const { JAVA_HOME, PATH = '' } = process.env;
  const folders = [...(JAVA_HOME ? [join(JAVA_HOME, 'bin')] : []), ...PATH.split(delimiter).filter(Boolean)];
  const program = folders.map((folder) => join(folder, 'java')).find(isExecutable);
  if (program === undefined) return undefined;
  const home = mkdtempSync(join(tmpdir(), 'coaps-java-home-'));
  mkdirSync(join(home, 'bin'));
  const script = `#!/bin/sh\nexec '${program}' -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$@"\n`;
  writeFileSync(join(home, 'bin', 'java'), script, { mode: 0o755 });
  // Applications with Unix ids of their own start it.
  for (const folder of [home, join(home, 'bin')]) chmodSync(folder, 0o755);
  return home;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
