import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const running = new Set();

/** Starts a script of Node's and waits for the line that says that it is ready. */
export async function start(script, args, ready, env = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('COAPS_'));
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: tmpdir(),
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const found = await new Promise((resolve, reject) => {
    let output = '';
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`${script} ended (${code ?? signal}): ${output}`)));
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const match = ready.exec(output);
      if (match) resolve(match);
    });
  });
  return {
    found,
    pid: child.pid,
    memory: () => memoryOf(child.pid),
    stop: () => stop(child),
  };
}

/** A bare server: its port, and how to stop it. */
export async function startServer(name, ...args) {
  const { found, ...rest } = await start(`${ROOT}bench/servers/${name}.mjs`, args, /port (\d+)/);
  return { ...rest, port: Number(found[1]), url: `http://127.0.0.1:${found[1]}` };
}

/** Runs a script to its end and gives what it printed. */
export async function run(script, args, input = '') {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'], cwd: tmpdir() });
  running.add(child);
  child.stdin.end(input);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  running.delete(child);
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${output}`);
  return output;
}

export async function stopAll() {
  await Promise.all([...running].map(stop));
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await once(child, 'exit');
  clearTimeout(timer);
}

/** Resident memory in MiB. Linux only: elsewhere it is not measured. */
function memoryOf(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}
