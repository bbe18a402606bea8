import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Fault } from '../../domain/errors.js';
import { machineEnvironment } from '../agent/environment.js';
import { accepts } from '../agent/ports.js';
import { killMarked, MARK_VARIABLE } from '../agent/processes.js';
import { agentFiles, livingEndpoint, readSpec } from '../agent/spec.js';
import { until } from '../agent/wait.js';
import { builtFile } from '../package-root.js';

/** A Node process and its TLS server come up in less than a second; a machine under load takes its time. */
const UP_MS = 30_000;

/**
 * Starts the agent of a folder as a process of its own, with an environment built from nothing, and resolves when it listens. Rejects
 * with Fault ServiceUnavailable, and then no process remains.
 */
export async function spawnAgent(folder: string): Promise<void> {
  const files = agentFiles(folder);
  const spec = await readSpec(folder);
  if (!spec) throw new Fault('ServiceUnavailable', `There is no agent in ${folder}.`);
  const log = openSync(files.log, 'a', 0o600);
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', builtFile('src', 'conpaas', 'agent', 'main.js'), folder],
    {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...machineEnvironment(process.env), [MARK_VARIABLE]: `${spec.mark}.agent` },
    },
  );
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `exit code ${code ?? signal}`;
  });
  child.unref();
  const isUp = async () => {
    if (ended !== undefined) return true;
    const endpoint = await livingEndpoint(folder);
    return endpoint !== undefined && endpoint.pid === child.pid && (await accepts(endpoint.address));
  };
  const inTime = await until(isUp, UP_MS, 30);
  if (inTime && ended === undefined) return;
  await killMarked(spec.mark, spec.owner);
  const last = (await readFile(files.log, 'utf8').catch(() => '')).trim().split('\n').slice(-5).join('\n');
  throw new Fault('ServiceUnavailable', `The agent ${spec.agentId} did not come up (${ended ?? 'no answer'}).`, {
    cause: new Error(last),
  });
}
