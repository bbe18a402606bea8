import { randomUUID } from 'node:crypto';
import { Refusal, runnerUnavailable, unprocessable } from './errors.js';
import { type Answer, checkBody } from './http.js';
import type { App, Instance, Process } from './objects.js';
import { changeProcess, checkQuota, down, statsOf } from './processes.js';
import type { Runner } from './runner.js';
import type { World } from './world.js';

/** The simulated cells: what processes do after the platform was told what is wished. */
export interface Cells {
  /** `start`, `stop` and `restart` of an app. */
  wish(app: App, state: App['state'], restart: boolean): void;
  scale(process: Process, body: Record<string, unknown>): void;
  change(process: Process, body: Record<string, unknown>): void;
  stats(process: Process): Answer;
  kill(process: Process, index: number): void;
  /** Ends all instances at once. */
  halt(app: App): void;
  haltProcess(process: Process): void;
  /** Makes a process's instances match what is wished, running the app's droplet. */
  tell(process: Process): void;
  environmentOf(app: App): Record<string, unknown>;
}

/** Milliseconds of a real platform. */
const TIMES = { start: 2500, stop: 2500, crash: 900, again: 1400, sync: 9000, measure: 1000 };

export function createCells(world: World, runner: Runner): Cells {
  const webOf = (app: App) => world.processes.filter((one) => one.app === app && one.type === 'web');

  function begin(process: Process, instance: Instance): void {
    const { instances: behaviour } = world.cells;
    set(instance, 'STARTING');
    if (behaviour === 'no room') {
      world.clock.after(TIMES.crash, () => set(instance, 'DOWN', 'insufficient resources: memory'));
      return;
    }
    const droplet = process.running;
    world.clock.after(TIMES.start, async () => {
      if (!isCurrent(process, instance)) return;
      if (behaviour === 'deaf') {
        crash(
          process,
          instance,
          'Instance never healthy after 1m0s: Failed to make TCP connection to port 8080: connection refused; process did not exit',
        );
        return;
      }
      const ran = droplet ? await runner.run(process, instance, droplet, () => exited(process, instance)) : {};
      if (!isCurrent(process, instance)) {
        ran.stop?.();
        return;
      }
      if ('failed' in ran && ran.failed !== undefined) {
        crash(process, instance, ran.failed);
        return;
      }
      Object.assign(instance, ran, { guid: randomUUID() });
      set(instance, 'RUNNING');
      world.clock.after(TIMES.measure, () => {
        instance.measured = instance.state === 'RUNNING';
      });
      if (behaviour === 'crash') world.clock.after(TIMES.crash, () => exited(process, instance));
    });
  }

  function exited(process: Process, instance: Instance): void {
    if (!isCurrent(process, instance) || instance.state !== 'RUNNING') return;
    end(instance);
    crash(process, instance, 'APP/PROC/WEB: Exited with status 1');
  }

  /** Three times it is started again at once; then it stays crashed for some time. */
  function crash(process: Process, instance: Instance, description: string): void {
    instance.crashes += 1;
    const { app } = process;
    const data = {
      instance: instance.guid,
      index: instance.index,
      cell_id: 'cell-1',
      reason: 'CRASHED',
      exit_description: description,
    };
    const more = { crash_count: instance.crashes, crash_timestamp: Date.now() * 1e6, version: process.version };
    world.event('audit.app.process.crash', app, { guid: app.guid, type: 'process', name: 'web' }, { ...data, ...more });
    world.event('app.crash', app, { guid: app.guid, type: 'app', name: app.name }, data);
    world.log(app.guid, 'APP/PROC/WEB', description, 'ERR', String(instance.index));
    Object.assign(instance, { guid: '', measured: false });
    if (instance.crashes < 3) begin(process, instance);
    else set(instance, 'CRASHED');
  }

  const isCurrent = (process: Process, instance: Instance) =>
    process.cells.includes(instance) &&
    world.processes.includes(process) &&
    ['STARTING', 'RUNNING'].includes(instance.state);

  function tell(process: Process): void {
    const wanted = process.app.state === 'STARTED' ? process.instances : 0;
    const { droplet } = process.app;
    if (droplet) process.running = droplet;
    const going = process.cells.splice(wanted);
    for (const instance of going) end(instance);
    for (const instance of process.cells.filter(({ state }) => state === 'DOWN')) begin(process, instance);
    while (process.cells.length < wanted) {
      const instance = down(process.cells.length);
      process.cells.push(instance);
      begin(process, instance);
    }
  }

  function haltProcess(process: Process): void {
    for (const instance of process.cells) end(instance);
    process.cells = Array.from({ length: process.instances }, (_, index) => down(index));
  }

  function stopSlowly(process: Process): void {
    const stopping = process.cells;
    for (const instance of stopping) {
      end(instance);
      if (instance.state === 'RUNNING') set(instance, 'STOPPING');
      else Object.assign(instance, down(instance.index));
    }
    world.clock.after(TIMES.stop, () => {
      if (process.cells === stopping && process.app.state === 'STOPPED') haltProcess(process);
    });
  }

  /** The scheduler is not told of a start when the app's newest package is not its droplet's; it finds out by itself, later. */
  function knowsItself(app: App): boolean {
    const newest = world.packages.filter((one) => one.app === app).at(-1);
    const build = world.builds.filter((one) => one.app === app).at(-1);
    return (
      app.droplet?.package === newest && app.droplet === (build?.droplet ?? app.droplet) && build?.state !== 'FAILED'
    );
  }

  function findOut(process: Process): void {
    const { app, cells } = process;
    if (app.state === 'STARTED' && cells.every(({ state }) => state === 'DOWN')) tell(process);
  }

  function wish(app: App, state: App['state'], restart: boolean): void {
    if (state === 'STARTED' && !app.droplet) throw unprocessable('Assign a droplet before starting this app.');
    const [process] = webOf(app);
    if (state === 'STARTED' && app.state === 'STOPPED') checkQuota(world, app, webOf(app));
    const changes = restart || app.state !== state;
    app.state = state;
    app.updated = new Date();
    if (!process) return;
    const known = knowsItself(app);
    if (changes) {
      for (const one of webOf(app))
        Object.assign(one, { version: randomUUID(), updated: new Date(), revision: one.revision ?? randomUUID() });
    }
    // The wish is kept although the scheduler did not hear it.
    if (world.cells.schedulerDown) throw runnerUnavailable(`${process.guid}-${process.version}`);
    for (const one of changes ? webOf(app) : []) {
      if (state === 'STOPPED') stopSlowly(one);
      else {
        haltProcess(one);
        if (restart || known) tell(one);
        else world.clock.after(TIMES.sync, () => findOut(one));
      }
    }
  }

  function scale(process: Process, body: Record<string, unknown>): void {
    const number = (name: string) => (body[name] === undefined || body[name] === null ? undefined : Number(body[name]));
    const [instances, memory, disk] = ['instances', 'memory_in_mb', 'disk_in_mb'].map(number);
    checkBody(
      body,
      ['instances', 'memory_in_mb', 'disk_in_mb', 'log_rate_limit_in_bytes_per_second'],
      [
        instances !== undefined && !(instances >= 0) && 'Instances must be greater than or equal to 0',
        memory !== undefined && !(memory > 0) && 'Memory in mb must be greater than 0',
      ],
    );
    const { app } = process;
    if (world.deployments.some((one) => one.app === app && one.status === 'ACTIVE'))
      throw unprocessable('Cannot scale this process while a deployment is in flight.');
    if (disk !== undefined && disk > 2048)
      throw unprocessable(`disk_quota too much disk requested (requested ${disk} MB - must be less than 2048 MB)`);
    const after = { ...process, instances: instances ?? process.instances, memory: memory ?? process.memory };
    if (app.state === 'STARTED') checkQuota(world, app, [after]);
    Object.assign(process, {
      instances: after.instances,
      memory: after.memory,
      disk: disk ?? process.disk,
      updated: new Date(),
    });
    if (instances === undefined) return;
    if (app.state === 'STARTED') tell(process);
    else haltProcess(process);
  }

  return {
    wish,
    scale,
    tell,
    haltProcess,
    change: (process, body) => changeProcess(process, body),
    halt: (app) => webOf(app).forEach(haltProcess),
    stats: (process) => statsOf(world, process),
    kill(process, index) {
      const instance = process.cells.find((one) => one.index === index);
      if (!instance || index >= process.instances) throw notFoundInstance();
      end(instance);
      set(instance, 'DOWN');
      tell(process);
    },
    environmentOf: (app) => runner.environmentOf(app),
  };

  function end(instance: Instance): void {
    instance.stop?.();
    delete instance.stop;
    delete instance.port;
  }
}

function notFoundInstance(): Refusal {
  return new Refusal(404, 10010, 'CF-ResourceNotFound', 'Instance not found');
}

function set(instance: Instance, state: Instance['state'], details?: string): void {
  Object.assign(instance, { state, since: Date.now() });
  if (details === undefined) delete instance.details;
  else instance.details = details;
}
