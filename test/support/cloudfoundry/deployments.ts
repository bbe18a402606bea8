import { randomUUID } from 'node:crypto';
import type { Cells } from './cells.js';
import type { Documents } from './documents.js';
import { unprocessable } from './errors.js';
import { type Call, checkBody, listOf, type Routes, relationTo } from './http.js';
import { mergeMetadata } from './labels.js';
import type { App, Deployment, Droplet, Process } from './objects.js';
import { newProcess } from './processes.js';
import { remove, type World } from './world.js';

/** Milliseconds of a real platform between two steps of a deployment. */
const STEP = 2000;

/** Rolling and canary deployments: a second web process grows while the first one shrinks. They never fail by themselves. */
export function deploymentRoutes(world: World, documents: Documents, cells: Cells): Routes {
  const find = ({ params, user }: Call) =>
    world.see(world.deployments, params['guid'] ?? '', user, 'Deployment', (one) => one.app.space);
  const old = ({ app, process }: Deployment) =>
    world.processes.filter((one) => one.app === app && one.type === 'web' && one !== process);

  function settle(deployment: Deployment, reason: string): void {
    Object.assign(deployment, { status: 'FINALIZED', reason, changed: new Date(), updated: new Date() });
    if (deployment.process) delete deployment.process.deployment;
  }

  function step(deployment: Deployment): void {
    const { app, process } = deployment;
    if (deployment.status !== 'ACTIVE' || !process || !world.apps.includes(app)) return;
    if (deployment.reason === 'CANCELING') {
      cells.haltProcess(process);
      remove(world.processes, process);
      for (const one of old(deployment)) resize(one, wanted(deployment));
      settle(deployment, 'CANCELED');
      return;
    }
    const stopped = app.state === 'STOPPED';
    // An instance counts when it has been running for a while.
    const healthy = process.cells.filter(({ state, measured }) => state === 'RUNNING' && measured).length;
    if (stopped || healthy === process.instances) advance(deployment, process, stopped);
    world.clock.after(STEP, () => step(deployment));
  }

  function advance(deployment: Deployment, process: Process, stopped: boolean): void {
    const goal = wanted(deployment);
    deployment.healthy = new Date();
    if (deployment.strategy === 'canary' && !deployment.continued) {
      if (deployment.reason !== 'PAUSED') Object.assign(deployment, { reason: 'PAUSED', changed: new Date() });
      return;
    }
    if (stopped || process.instances >= goal) {
      for (const one of old(deployment)) {
        cells.haltProcess(one);
        remove(world.processes, one);
      }
      resize(process, goal);
      settle(deployment, 'DEPLOYED');
      return;
    }
    resize(process, Math.min(goal, process.instances + deployment.maxInFlight));
    for (const one of old(deployment)) resize(one, Math.max(1, goal - process.instances + 1));
  }

  /** How many instances there are to be in the end. */
  const goals = new WeakMap<Deployment, number>();
  const wanted = (deployment: Deployment) => goals.get(deployment) ?? 1;

  function resize(process: Process, instances: number): void {
    Object.assign(process, { instances, updated: new Date() });
    const { droplet } = process.app;
    // The old process goes on with what it runs.
    const keeps = process.deployment ? droplet : process.running;
    cells.tell(process);
    if (keeps) process.running = keeps;
  }

  function begin(app: App, droplet: Droplet, body: Record<string, unknown>): Deployment {
    const options = (body['options'] ?? {}) as { max_in_flight?: number };
    const previous = app.droplet ?? droplet;
    app.revisions += 1;
    const revision = { guid: randomUUID(), version: app.revisions };
    const now = new Date();
    const deployment: Deployment = {
      ...world.thing(),
      app,
      status: 'ACTIVE',
      reason: 'DEPLOYING',
      strategy: String(body['strategy'] ?? 'rolling'),
      maxInFlight: options.max_in_flight ?? 1,
      droplet,
      previous,
      revision,
      continued: false,
      healthy: now,
      changed: now,
    };
    mergeMetadata(deployment, body['metadata']);
    for (const one of world.deployments.filter((other) => other.app === app && other.status === 'ACTIVE')) {
      const { process } = one;
      settle(one, 'SUPERSEDED');
      if (process) {
        cells.haltProcess(process);
        remove(world.processes, process);
      }
    }
    world.deployments.push(deployment);
    const [serving] = old(deployment);
    app.droplet = droplet;
    if (app.state === 'STOPPED' || !serving) {
      settle(deployment, 'DEPLOYED');
      cells.wish(app, 'STARTED', true);
      return deployment;
    }
    goals.set(deployment, serving.instances);
    const process: Process = {
      ...newProcess(world, app),
      instances: 1,
      memory: serving.memory,
      disk: serving.disk,
      health: serving.health,
      readiness: serving.readiness,
      revision: revision.guid,
      deployment,
    };
    if (serving.command !== undefined) process.command = serving.command;
    process.cells = [];
    deployment.process = process;
    world.processes.push(process);
    cells.tell(process);
    world.clock.after(STEP, () => step(deployment));
    return deployment;
  }

  return {
    'POST /v3/deployments': ({ body, user }) => {
      const { strategy, options } = body as { strategy?: string; options?: { max_in_flight?: number } };
      const both = body['droplet'] !== undefined && body['revision'] !== undefined;
      checkBody(
        body,
        ['droplet', 'revision', 'strategy', 'options', 'relationships', 'metadata'],
        [
          strategy !== undefined &&
            !['rolling', 'canary'].includes(strategy) &&
            `Strategy '${strategy}' is not a supported deployment strategy`,
          both && "Droplet Cannot set both fields 'droplet' and 'revision'",
          options?.max_in_flight !== undefined &&
            !(options.max_in_flight > 0) &&
            'Max in flight must be an integer greater than 0',
        ],
      );
      const app = world.apps.find((one) => one.guid === relationTo(body, 'app') && world.sees(user, one.space));
      if (!app) throw unprocessable('Unable to use app. Ensure that the app exists and you have access to it.');
      world.mayWrite(user, app.space);
      const guid = (body['droplet'] as { guid?: string } | undefined)?.guid;
      const droplet =
        guid === undefined ? app.droplet : world.droplets.find((one) => one.guid === guid && one.app === app);
      if (!droplet && guid === undefined)
        throw unprocessable(
          'Invalid droplet. Please specify a droplet in the request or set a current droplet for the app.',
        );
      if (!droplet)
        throw unprocessable('Unable to assign current droplet. Ensure the droplet exists and belongs to this app.');
      return { status: 201, body: documents.deployment(begin(app, droplet, body)) };
    },
    'GET /v3/deployments': (call) =>
      listOf(
        call,
        world.urls.api,
        world.deployments.filter((one) => world.sees(call.user, one.app.space)),
        documents.deployment,
        {
          filters: {
            app_guids: (one) => one.app.guid,
            status_values: (one) => one.status,
            status_reasons: (one) => one.reason,
            states: (one) => one.status,
          },
        },
      ),
    'GET /v3/deployments/:guid': (call) => ({ status: 200, body: documents.deployment(find(call)) }),
    'POST /v3/deployments/:guid/actions/cancel': (call) => {
      const deployment = find(call);
      world.mayWrite(call.user, deployment.app.space);
      if (deployment.status !== 'ACTIVE')
        throw unprocessable(
          `Cannot cancel a deployment with status: ${deployment.status} and reason: ${deployment.reason}`,
        );
      Object.assign(deployment, { reason: 'CANCELING', changed: new Date(), updated: new Date() });
      if (deployment.previous) deployment.app.droplet = deployment.previous;
      world.clock.after(STEP / 2, () => step(deployment));
      return { status: 200 };
    },
    'POST /v3/deployments/:guid/actions/continue': (call) => {
      const deployment = find(call);
      world.mayWrite(call.user, deployment.app.space);
      Object.assign(deployment, { continued: true, reason: 'DEPLOYING', changed: new Date() });
      return { status: 200 };
    },
  };
}
