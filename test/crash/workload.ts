import * as actions from './actions.js';
import { type AppBelief, newestDeployed, type Row, rowsOf } from './belief.js';
import { breathe, type Client, lookAtApp, lookAtEnv } from './client.js';

const MOST = { envs: 2, apps: 3, versions: 3, instances: 2 };

/** Does one thing after the other until the signal. What is under way then comes to its end. */
export async function work(client: Client, others: readonly Client[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await next(client, others)();
    await breathe(client, signal);
  }
}

type Choice = [weight: number, act: () => Promise<unknown>];

/** What is possible now, with how likely it is. */
function next(client: Client, others: readonly Client[]): () => Promise<unknown> {
  const { random, apps, envs } = client;
  const choices: Choice[] = [[1, () => actions.trespass(client, others)]];
  if (envs.length < MOST.envs) choices.push([envs.length === 0 ? 20 : 2, () => actions.createEnvironment(client)]);
  if (apps.length < MOST.apps) choices.push([apps.length === 0 ? 20 : 2, () => actions.createApplication(client)]);
  if (envs.length > 0) {
    const env = random.one(envs);
    choices.push([2, () => actions.updateEnvironment(client, env)], [1, () => lookAtEnv(client, env, false)]);
    const isUsed = apps.flatMap(rowsOf).some((row) => row.place.has(env.envId));
    if (isUsed)
      choices.push([2, () => actions.actOnEnvironment(client, env, random.one(['start', 'stop', 'restart']))]);
    // Also where something is deployed: that is refused.
    choices.push([isUsed ? 0.3 : 1, () => actions.deleteEnvironment(client, env)]);
  }
  if (apps.length > 0) choices.push(...onApplication(client, random.one(apps)));
  return pick(client, choices);
}

function onApplication(client: Client, app: AppBelief): Choice[] {
  const { random } = client;
  const versions = [...app.versions.values()];
  const choices: Choice[] = [
    [2, () => actions.updateApplication(client, app)],
    [3, () => lookAtApp(client, app, false)],
    [0.7, () => actions.deleteApplication(client, app)],
    [0.7, () => actions.breakUpload(client, app)],
  ];
  if (versions.length < MOST.versions)
    choices.push([versions.length === 0 ? 20 : 3, () => actions.createVersion(client, app)]);
  if (versions.length === 0) return choices;
  const version = random.one(versions);
  choices.push(
    [1, () => actions.download(client, app, version)],
    [0.7, () => actions.deleteVersion(client, app, version)],
  );
  if (version.instances.size < MOST.instances)
    choices.push([version.instances.size === 0 ? 10 : 2, () => actions.createInstance(client, app, version)]);
  const rows = rowsOf(app);
  if (rows.length > 0) choices.push(...onInstance(client, app, random.one(rows)));
  if (newestDeployed(app).rows.length > 0) choices.push([3, () => actions.scale(client, app)]);
  return choices;
}

function onInstance(client: Client, app: AppBelief, row: Row): Choice[] {
  const { random, envs } = client;
  const isNowhere = row.place.has(0);
  const choices: Choice[] = [[0.7, () => actions.deleteInstance(client, app, row)]];
  // An instance is in one place only.
  const possible = envs.filter((env) => isNowhere || row.place.has(env.envId));
  if (possible.length > 0)
    choices.push([isNowhere ? 15 : 2, () => actions.deploy(client, app, row, random.one(possible))]);
  if (isNowhere) return choices;
  return [
    ...choices,
    [8, () => actions.act(client, app, row, random.one(['start', 'start', 'stop', 'restart']))],
    [2, () => actions.burst(client, app, row)],
    [3, () => actions.undeploy(client, app, row)],
  ];
}

function pick({ random }: Client, choices: readonly Choice[]): Choice[1] {
  const weights = Object.fromEntries(choices.map(([weight], index) => [String(index), weight]));
  return (choices[Number(random.weighted(weights))] as Choice)[1];
}
