import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { VANISHED } from '../../dist/src/services/specs.js';
import { makeTemplate, startGateway } from '../gateway.mjs';
import { inTurn, median, ratios } from '../load.mjs';
import { startServer } from '../processes.mjs';
import { copyApplications } from '../seed.mjs';
import { smallSite } from '../site.mjs';

export const title = 'Starting';

/** (e) From the start of the process to the first answer to a known user, and memory a while later, when it has looked at its platform. */
export async function measure({ folder, quick, say }) {
  const instances = quick ? 10_000 : 100_000;
  const [empty, full] = [join(folder, 'starts-empty'), join(folder, 'starts-full')];
  say(`filling a store with ${instances} deployed instances`);
  for (const data of [empty, full]) {
    const gateway = await startGateway(data);
    await makeTemplate(gateway, await smallSite());
    await gateway.stop();
    // Deployed once, and gone from the platform: so the watcher reads and compares all of them at each look.
    if (data === full) copyApplications(gateway.database, instances / 10, { instances: 10, deployed: VANISHED });
  }
  const memory = { empty: [], full: [] };
  const begin = (name, data) => async () => {
    const started = performance.now();
    const gateway = await startGateway(data, { observe: { interval: 1 } });
    await gateway.send('GET', '/');
    const seconds = (performance.now() - started) / 1000;
    await pause(quick ? 1000 : 4000);
    memory[name].push(gateway.memory());
    await gateway.stop();
    return seconds;
  };
  const file = join(folder, 'answer');
  writeFileSync(file, '<a/>');
  say('starting');
  const found = await inTurn(quick ? 2 : 5, {
    bare: async () => {
      const started = performance.now();
      const server = await startServer('express', file);
      await fetch(`${server.url}/`).then((answer) => answer.text());
      const seconds = (performance.now() - started) / 1000;
      await server.stop();
      return seconds;
    },
    empty: begin('empty', empty),
    full: begin('full', full),
  });
  const row = (name, thing, against, theirs) => {
    const each = ratios(found[thing], found[theirs]);
    return {
      ...{ name, unit: 's', against, lessIsBetter: true, aim: { of: 'ours', atMost: 2 } },
      ...{ ours: median(found[thing]), theirs: median(found[theirs]), ratio: median(each), ratios: each },
      note: `memory a while later ${median(memory[thing]).toFixed(0)} MiB`,
    };
  };
  return [
    row('first answer, empty store', 'empty', 'bare Express', 'bare'),
    row(`first answer, ${instances} instances`, 'full', 'empty store', 'empty'),
  ];
}
