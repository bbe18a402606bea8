import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { cloudFoundryDefinition } from '../../dist/adapters/cloudfoundry/definition.js';
import { memoryDefinition } from '../../dist/adapters/memory/definition.js';
import { makeTemplate, startGateway } from '../gateway.mjs';
import { inTurn, median } from '../load.mjs';
import { start } from '../processes.mjs';
import { copyApplications } from '../seed.mjs';
import { smallSite } from '../site.mjs';

export const title = 'Deploying: the time that the gateway adds to what the platform takes';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const TYPESCRIPT = new URL('../../test/support/typescript.mjs', import.meta.url).href;
const FAKE = new URL('../servers/cloudfoundry.mjs', import.meta.url).pathname;

/** (c) The adapter called directly in this process, against POST …/action/deploy, one after the other. */
export async function measure({ folder, quick, say }) {
  const archive = await smallSite();
  const times = quick ? 5 : 40;
  const simulated = { name: 'simulated platform', definition: memoryDefinition, options: { delay: 0 } };
  say('on the simulated platform');
  const rows = [await compare({ folder: join(folder, 'deploys-simulated'), archive, times, ...simulated })];
  const fake = await start(FAKE, [], /options (.*)\n/, { NODE_OPTIONS: `--import=${TYPESCRIPT}` });
  const options = JSON.parse(fake.found[1]);
  const foundry = { name: 'fake Cloud Foundry', definition: cloudFoundryDefinition, options };
  say('on a fake Cloud Foundry');
  rows.push(await compare({ folder: join(folder, 'deploys-foundry'), archive, times: quick ? 2 : times, ...foundry }));
  await fake.stop();
  return rows;
}

async function compare({ folder, archive, times, name, definition, options }) {
  const platforms = { MEM: { adapter: definition.name, ...options } };
  const gateway = await startGateway(folder, { platforms, observe: { interval: 600 } });
  await makeTemplate(gateway, archive);
  copyApplications(gateway.database, times + 1);
  const defaults = definition.options.flatMap((one) => (one.default === undefined ? [] : [[one.name, one.default]]));
  const context = { platform: 'MEM', installation: 'bbenchab', log: SILENT };
  const adapter = await definition.create({ ...context, options: { ...Object.fromEntries(defaults), ...options } });
  const environment = { installation: 'bbenchab', envId: 1, name: 'Env', nodes: [], variables: {} };
  const call = { signal: new AbortController().signal, step() {} };
  await adapter.createEnvironment(environment, call);
  let [direct, through] = [1, 1];
  const things = {
    ours: () => timed(() => gateway.send('POST', `/environment/1/action/deploy/app/${++through}/version/1/instance/1`)),
    theirs: () => timed(() => adapter.deploy(specOf(++direct, environment, archive), call)),
  };
  await inTurn(1, things);
  const { ours, theirs } = await inTurn(times, things);
  await adapter.close();
  await gateway.stop();
  const added = ours.map((value, index) => value - theirs[index]);
  return {
    ...{ name: `time added to a deploy, ${name}`, unit: 'ms', against: 'the deploy itself', lessIsBetter: true },
    ...{ ours: median(added), theirs: median(theirs), ratio: median(added) / median(theirs), ratios: [] },
    aim: { of: 'ours', atMost: 30 },
    note: `n=${times}, from ${Math.min(...added).toFixed(1)} to ${Math.max(...added).toFixed(1)} ms`,
  };
}

function specOf(appId, environment, archive) {
  const sha256 = createHash('sha256').update(archive).digest('hex');
  const artefact = {
    name: 'site.zip',
    type: 'zip',
    size: archive.length,
    sha256,
    open: () => Readable.from([archive]),
  };
  const key = { installation: environment.installation, appId, envId: 1, instanceId: 1 };
  return { key, versionId: 1, applicationName: `Application ${appId}`, environment, artefact, processes: 1 };
}

async function timed(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
