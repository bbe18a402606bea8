/**
 * What the gateway adds to a bare node:http server that sends the same bytes: both run in this very run, on this very machine, so that
 * the ratio says something where the numbers do not. `npm run bench`; BENCH_SECONDS changes the time of each case (4).
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from './load.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ADMIN = 'admin:admin-of-the-bench';
const APPLICATIONS = 200;
const seconds = Number(process.env.BENCH_SECONDS ?? 4);

const data = mkdtempSync(join(tmpdir(), 'coaps-bench-'));
const children = [];
try {
  const gateway = await start(
    [join(ROOT, 'dist/src/cli/main.js'), 'serve'],
    /COAPS API\s+http:\/\/127\.0\.0\.1:(\d+)(\S*)/,
    {
      COAPS_PORT: '0',
      COAPS_DATA: join(data, 'data'),
      COAPS_ADMIN_PASSWORD: ADMIN.slice('admin:'.length),
      COAPS_PLATFORM_MEM_ADAPTER: 'memory',
      COAPS_LOG_LEVEL: 'warn',
    },
  );
  const [, gatewayPort, base] = gateway;
  await fill(`http://127.0.0.1:${gatewayPort}${base}`);
  const rows = [];
  for (const [name, method, path] of [
    ['describe an application', 'GET', `${base}/app/1`],
    [`list ${APPLICATIONS} applications`, 'GET', `${base}/app`],
    ['HEAD on an application', 'HEAD', `${base}/app/1`],
  ]) {
    rows.push(await compare(name, method, path, Number(gatewayPort)));
  }
  report(rows);
} finally {
  for (const child of children) {
    child.kill('SIGTERM');
    await new Promise((resolve) =>
      child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(),
    );
  }
  rmSync(data, { recursive: true, force: true });
}

async function compare(name, method, path, gatewayPort) {
  const headers = { Authorization: `Basic ${Buffer.from(ADMIN).toString('base64')}` };
  const sample = await fetch(`http://127.0.0.1:${gatewayPort}${path}`, { method, headers });
  if (!sample.ok) throw new Error(`${method} ${path} answers ${sample.status}`);
  const body = Buffer.from(await sample.arrayBuffer());
  const request = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/xml\r\nAuthorization: ${headers.Authorization}\r\n\r\n`;
  const file = join(data, 'answer');
  writeFileSync(file, body);
  const bare = await start([join(ROOT, 'bench/bare.mjs'), file], /port (\d+)/, {});
  const measure = async (port) => {
    await load({ port, request, seconds: Math.min(1, seconds) });
    return await load({ port, request, seconds });
  };
  const reference = await measure(Number(bare[1]));
  children.pop()?.kill('SIGTERM');
  const ours = await measure(gatewayPort);
  if (ours.errors > 0) throw new Error(`${name}: ${ours.errors} answers were not 200`);
  return { name, bytes: body.length, reference, ours };
}

/** Applications with a version and an instance each, as clients make them. */
async function fill(url) {
  const headers = {
    Authorization: `Basic ${Buffer.from(ADMIN).toString('base64')}`,
    'Content-Type': 'application/xml',
  };
  for (let count = 1; count <= APPLICATIONS; count++) {
    const body = `<paas_application_manifest name="m"><paas_application name="Application ${count}" environment="Env"><description>Number ${count} of the benchmark</description><paas_application_version name="version1.0" label="1.0"><paas_application_version_instance name="Instance1"/></paas_application_version></paas_application></paas_application_manifest>`;
    const answer = await fetch(`${url}/app`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`createApplication answers ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  }
}

function start(args, ready, env) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('COAPS_'));
  const child = spawn(process.execPath, args, {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: tmpdir(),
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    let output = '';
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}`)));
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const found = ready.exec(output);
      if (found) resolve(found);
    });
  });
}

function report(rows) {
  const round = (value) => (value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en'));
  const lines = [
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'cpu'}, 8 connections, ${seconds} s each, load on the same machine.`,
    'Ratio: requests per second of the gateway, as part of those of a bare node:http server that sends the same bytes.',
    '',
    '| case | bytes | bare/s | gateway/s | ratio | p50 ms | p99 ms |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(
      ({ name, bytes, reference, ours }) =>
        `| ${name} | ${bytes} | ${round(reference.perSecond)} | ${round(ours.perSecond)} | ${(ours.perSecond / reference.perSecond).toFixed(3)} | ${round(ours.p50)} | ${round(ours.p99)} |`,
    ),
    '',
  ];
  const folder = join(ROOT, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${new Date().toISOString().slice(0, 10)}.md`);
  writeFileSync(file, lines.join('\n'));
  process.stdout.write(`${lines.join('\n')}\nWritten to ${file}\n`);
}
