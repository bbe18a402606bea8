import { type AdapterCall, AdapterError, type ArtefactSource } from '../adapter.js';
import { type Foundry, findOrCreate } from './client.js';
import { CODES, hasCode } from './errors.js';
import { recentLines } from './logs.js';
import { LABELS, selector } from './names.js';
import { bring } from './packages.js';
import { type App, type Build, type Package, read } from './resources.js';
import { waitFor } from './wait.js';

export interface StagingSpec {
  artefact: ArtefactSource;
  buildpacks: readonly string[];
  /** Of everything that staging depends on: what was staged with the same one is not staged again. */
  fingerprint: string;
}

/** Brings an artefact onto the platform as a droplet of the app; its guid. What an earlier attempt did is taken up. */
export async function stage(foundry: Foundry, app: App, spec: StagingSpec, call: AdapterCall): Promise<string> {
  const staged = await findStaged(foundry, app, spec, call.signal);
  const build = staged ?? (await startBuild(foundry, app, await bring(foundry, app, spec.artefact, call), spec, call));
  call.step('staging');
  return await finishBuild(foundry, app, build, call);
}

/** A build of the same inputs that is running, or whose droplet is still there (the platform deletes old ones). */
async function findStaged(
  { cc }: Foundry,
  app: App,
  spec: StagingSpec,
  signal: AbortSignal,
): Promise<Build | undefined> {
  const query = {
    app_guids: app.guid,
    label_selector: selector({ [LABELS.staging]: spec.fingerprint }),
    order_by: '-created_at',
  };
  const builds = await cc.first('/v3/builds', read.build, signal, query, 10);
  const running = builds.find((build) => build.state === 'STAGING');
  if (running) return running;
  for (const build of builds.filter(({ state, droplet }) => state === 'STAGED' && droplet)) {
    const droplets = await cc.first('/v3/droplets', read.droplet, signal, {
      guids: build.droplet?.guid,
      states: 'STAGED',
    });
    if (droplets.length > 0) return build;
  }
  return undefined;
}

async function startBuild(
  foundry: Foundry,
  app: App,
  made: Package,
  spec: StagingSpec,
  call: AdapterCall,
): Promise<Build> {
  const { cc, settings } = foundry;
  const { signal } = call;
  call.step('staging');
  const data = { buildpacks: spec.buildpacks, ...(settings.stack === undefined ? {} : { stack: settings.stack }) };
  const json = {
    package: { guid: made.guid },
    lifecycle: { type: 'buildpack', data },
    metadata: { labels: { [LABELS.staging]: spec.fingerprint } },
  };
  const find = async () => {
    const found = await findStaged(foundry, app, spec, signal);
    return found?.package.guid === made.guid ? found : undefined;
  };
  const create = async () => read.build((await cc.send('POST', '/v3/builds', signal, { json })).body);
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await findOrCreate(find, create, { settings, signal });
    } catch (error) {
      if (!hasCode(error, CODES.stagingInProgress) || attempts >= 3) throw error;
      await finishOtherBuilds(foundry, app, signal);
    }
  }
}

/** One build at a time: somebody, or an attempt of ours with other inputs, is staging this app. */
async function finishOtherBuilds({ cc, settings }: Foundry, app: App, signal: AbortSignal): Promise<void> {
  const waiting = {
    what: 'another staging of the same app to end',
    limit: settings.stagingTimeout,
    interval: settings.pollInterval,
    signal,
  };
  await waitFor(waiting, async () => {
    const running = await cc.first('/v3/builds', read.build, signal, { app_guids: app.guid, states: 'STAGING' });
    return running.length === 0 ? true : undefined;
  });
}

async function finishBuild(foundry: Foundry, app: App, started: Build, { signal }: AdapterCall): Promise<string> {
  const { cc, settings } = foundry;
  const waiting = { what: 'staging to end', limit: settings.stagingTimeout, interval: settings.pollInterval, signal };
  const isOver = (build: Build) => build.state !== 'STAGING';
  const ended = isOver(started)
    ? started
    : await waitFor(waiting, async () => {
        const build = await cc.get(`/v3/builds/${started.guid}`, read.build, signal);
        return isOver(build) ? build : undefined;
      });
  if (ended.state === 'STAGED' && ended.droplet) return ended.droplet.guid;
  const reason = ended.error ?? `it ended ${ended.state}`;
  const since = Date.parse(started.created_at) - 1000;
  const lines = await recentLines(foundry, app.guid, { lines: 20, since, source: 'STG' }, signal).catch(() => []);
  const tail = lines.length > 0 ? `\n${lines.join('\n')}` : '';
  throw new AdapterError(NO_ROOM.test(reason) ? 'unavailable' : 'failed', `Staging failed: ${reason}${tail}`);
}

/** The platform's trouble, not the application's. */
const NO_ROOM = /^(InsufficientResources|NoCompatibleCell)|unable to communicate to compatible cells/;
