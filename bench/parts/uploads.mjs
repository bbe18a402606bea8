import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { authorization, makeTemplate, startGateway } from '../gateway.mjs';
import { inTurn, median, ratios } from '../load.mjs';
import { run, startServer } from '../processes.mjs';
import { bigSite, smallSite } from '../site.mjs';

export const title = 'Uploading an archive as multipart/form-data';
const SENDER = fileURLToPath(new URL('../sender.mjs', import.meta.url));

/** (b) One archive as a version's artefact, against `cp` and against Node servers that pipe the same request to a file and hash it. */
export async function measure({ folder, quick, say }) {
  const bytes = (quick ? 64 : 1000) * 1024 ** 2;
  const file = join(folder, 'big.zip');
  say(`making ${bytes / 1024 ** 2} MiB`);
  await bigSite(file, bytes);
  const size = statSync(file).size;
  const gateway = await startGateway(join(folder, 'uploads'), { limits: { upload: '2GiB' } });
  await makeTemplate(gateway, await smallSite());
  const received = join(folder, 'received');
  mkdirSync(received);
  const bare = await startServer('receive', received, 'no');
  const synced = await startServer('receive', received, 'sync');
  const kept = join(folder, 'uploads', 'data', 'artefacts');
  // Everybody writes a new file each time. The gateway would have to give the room of an equal one back to the disk within its answer.
  const clear = () => {
    rmSync(received, { recursive: true });
    mkdirSync(received);
    for (const name of readdirSync(kept, { recursive: true })) {
      if (statSync(join(kept, name)).size === size) rmSync(join(kept, name));
    }
  };
  let growth = 0;
  const things = {
    cp: async () => {
      const started = performance.now();
      execFileSync('cp', [file, join(received, 'copy')]);
      const seconds = (performance.now() - started) / 1000;
      clear();
      return seconds;
    },
    bare: async () => {
      const seconds = await send(bare.url, file);
      clear();
      return seconds;
    },
    synced: async () => {
      const seconds = await send(synced.url, file);
      clear();
      return seconds;
    },
    ours: async () => {
      const before = gateway.memory();
      const watching = setInterval(() => {
        growth = Math.max(growth, gateway.memory() - before);
      }, 20);
      const seconds = await send(`${gateway.url}/app/1/version`, file);
      clearInterval(watching);
      clear();
      return seconds;
    },
  };
  say('warming up');
  await inTurn(1, things);
  growth = 0;
  say('uploading');
  const found = await inTurn(quick ? 2 : 5, things);
  await Promise.all([gateway.stop(), bare.stop(), synced.stop()]);
  const megabytes = size / 1e6;
  const speeds = Object.fromEntries(Object.entries(found).map(([name, all]) => [name, all.map((s) => megabytes / s)]));
  const row = (against, theirs, more) => {
    const each = ratios(speeds.ours, speeds[theirs]);
    const middle = { ours: median(speeds.ours), theirs: median(speeds[theirs]), ratio: median(each), ratios: each };
    return { name: `upload of ${Math.round(megabytes)} MB`, unit: 'MB/s', against, ...middle, ...more };
  };
  return [
    row('Node: pipe, hash', 'bare', {
      aim: { of: 'ratio', atLeast: 0.7 },
      note: 'which leaves the bytes to the kernel',
    }),
    row('Node: pipe, hash, fsync', 'synced', { note: 'which promises what the gateway does' }),
    row('cp', 'cp'),
    memoryRow(growth, megabytes),
  ];
}

function memoryRow(growth, megabytes) {
  const ratio = growth / megabytes;
  return {
    ...{ name: 'memory that it takes', unit: 'MiB', against: 'MB of the file', lessIsBetter: true },
    ...{ ours: growth, theirs: megabytes, ratio, ratios: [ratio], aim: { of: 'ours', atMost: 64 } },
  };
}

/** Seconds, as the client sees it, which is a process of its own. */
async function send(url, file) {
  return Number(await run(SENDER, [url, file, authorization()]));
}
