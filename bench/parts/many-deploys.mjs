import { join } from 'node:path';
import { memoryDefinition } from '../../dist/adapters/memory/definition.js';
import { ADMIN, authorization, makeTemplate, startGateway } from '../gateway.mjs';
import { load } from '../load.mjs';
import { copyApplications } from '../seed.mjs';
import { smallSite } from '../site.mjs';

export const title = 'Many deploys at a time';
const AT_ONCE = 50;
/** Deploys before it counts: code is compiled then. */
const WARMING = 100;

/** (d) Deploys per second, and how long a describe waits meanwhile and otherwise. */
export async function measure({ folder, quick, say }) {
  const count = quick ? 100 : 1000;
  const archive = await smallSite();
  const platforms = { MEM: { adapter: memoryDefinition.name } };
  const gateway = await startGateway(join(folder, 'many'), { platforms });
  await makeTemplate(gateway, archive);
  copyApplications(gateway.database, WARMING + count);
  const describe = (seconds) =>
    load({
      // Enough connections that a slow answer holds up no other request than its own.
      ...{ url: gateway.url, seconds, connections: 50, rate: 200 },
      requests: [2, 3, 4, 5, 6].map((app) => ({
        ...{ method: 'GET', path: `${gateway.base}/app/${app}` },
        headers: { authorization: authorization(ADMIN), accept: 'application/xml' },
      })),
    });
  say('describe alone');
  await describe(1);
  const alone = await describe(quick ? 2 : 5);
  let next = 2;
  const deployUpTo = (last) =>
    Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (next <= last) {
          await gateway.send('POST', `/environment/1/action/deploy/app/${next++}/version/1/instance/1`);
        }
      }),
    );
  await deployUpTo(WARMING + 1);
  say(`${count} deploys, ${AT_ONCE} at a time`);
  const started = performance.now();
  let elapsed = Number.NaN;
  const deploys = deployUpTo(WARMING + count + 1).then(() => {
    elapsed = (performance.now() - started) / 1000;
  });
  // Told below, when the load that runs beside it has ended.
  deploys.catch(() => {
    elapsed = 0;
  });
  const rounds = [];
  while (Number.isNaN(elapsed)) rounds.push(await describe(quick ? 1 : 2));
  await deploys;
  const memory = gateway.memory();
  await gateway.stop();
  // The last round may have outlived the deploys.
  const p99 = Math.max(...rounds.slice(0, Math.max(1, rounds.length - 1)).map((round) => round.p99));
  return [
    {
      ...{
        name: `${count} deploys at ${AT_ONCE} concurrent`,
        unit: '/s',
        against: 'seconds that they took',
        theirUnit: 's',
      },
      ...{ ours: count / elapsed, theirs: elapsed, ratio: count / elapsed / AT_ONCE, ratios: [], lessIsBetter: true },
      note: `ratio: per second and concurrent client; memory then ${memory.toFixed(0)} MiB`,
    },
    {
      ...{ name: 'p99 of describe meanwhile, 200/s', unit: 'ms', against: 'without deploys', lessIsBetter: true },
      ...{ ours: p99, theirs: alone.p99, ratio: p99 / alone.p99, ratios: [] },
      note: `p50 ${rounds[0].p50} ms; waits are counted from the time at which a request was due`,
    },
  ];
}
