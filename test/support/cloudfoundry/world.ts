import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, createClock } from './clock.js';
import { forbidden, notFound, suspended, unprocessable } from './errors.js';
import type * as O from './objects.js';

export interface WorldOptions {
  /** 1: as slow as a real platform; default 0.002. `by hand`: nothing happens until the test says so. */
  pace?: number | 'by hand';
  /** Everything that is said is kept for tests. */
  records?: boolean;
  /** Started node applications are really run, with node. */
  runs?: boolean;
  /** The list of processes knows `embed=process_instances`; older platforms refuse it. */
  embeds?: boolean;
  /** General rate limit: requests of one user, and milliseconds after which they count anew. */
  rateLimit?: { requests: number; reset: number };
  /** Seconds for which a token is good. */
  tokenLife?: number;
}

/** What goes wrong on the simulated cells, for what is staged or started next, until it is set again. */
export interface CellBehaviour {
  /** Staging ends with this error. */
  staging?: string;
  /** Milliseconds that staging takes on a real platform. */
  stagingTime?: number;
  /** `crash`: exits soon after each start; `deaf`: never listens; `no room`: no cell takes it. */
  instances?: 'crash' | 'deaf' | 'no room';
  /** The scheduler does not answer. */
  schedulerDown?: boolean;
  /** The store of measurements does not answer. */
  statsDown?: boolean;
}

/** The whole state of the fake platform. */
export class World {
  readonly clock: Clock;
  readonly options: WorldOptions;
  /** Addresses of the servers; known when they listen. */
  urls = { api: '', uaa: '', logs: '', router: '' };
  readonly cells: CellBehaviour = {};
  /** Feature flags that are off, with the administrator's text. */
  readonly flags = new Map<string, { enabled: boolean; text?: string }>();
  readonly folder = mkdtempSync(join(tmpdir(), 'fake-cf-'));

  readonly orgs: O.Org[] = [];
  readonly spaces: O.Space[] = [];
  readonly users: O.User[] = [];
  readonly domains: O.Domain[] = [];
  readonly buildpacks: O.Buildpack[] = [];
  readonly stacks: (O.Thing & { name: string })[] = [];
  readonly apps: O.App[] = [];
  readonly processes: O.Process[] = [];
  readonly packages: O.Package[] = [];
  readonly builds: O.Build[] = [];
  readonly droplets: O.Droplet[] = [];
  readonly deployments: O.Deployment[] = [];
  readonly routes: O.Route[] = [];
  readonly offerings: O.Offering[] = [];
  readonly plans: O.Plan[] = [];
  readonly services: O.ServiceInstance[] = [];
  readonly bindings: O.Binding[] = [];
  readonly jobs: O.Job[] = [];
  readonly events: O.AuditEvent[] = [];
  /** Lines of output by app guid. */
  readonly logs = new Map<string, LogLine[]>();
  /** Set by tests: the broker's unbinding fails with this text. */
  unbindFails?: string;
  brokerGone = false;

  constructor(options: WorldOptions) {
    this.options = { ...options };
    this.clock = createClock(options.pace === 'by hand' ? 'by hand' : { factor: options.pace ?? 0.002 });
  }

  thing(guid: string = randomUUID()): O.Thing {
    const now = new Date();
    return { guid, created: now, updated: now, labels: {}, annotations: {} };
  }

  /** A member that the user may see, or 404. */
  see<T extends O.Thing>(
    all: readonly T[],
    guid: string,
    user: O.User,
    what: string,
    spaceOf: (thing: T) => O.Space,
  ): T {
    const found = all.find((one) => one.guid === guid);
    if (!found || !this.sees(user, spaceOf(found))) throw notFound(what);
    return found;
  }

  sees(user: O.User, space: O.Space): boolean {
    return user.admin || user.roles.has(space.guid);
  }

  /** Environment variables and credentials are for those who may change them. */
  mayRead(user: O.User, space: O.Space): boolean {
    return user.admin || user.roles.get(space.guid) === 'developer';
  }

  seesOrg(user: O.User, org: O.Org): boolean {
    return user.admin || this.spaces.some((space) => space.org === org && user.roles.has(space.guid));
  }

  /** Refuses those who may only look. */
  mayWrite(user: O.User, space: O.Space): void {
    if (user.admin) return;
    if (user.roles.get(space.guid) !== 'developer') throw forbidden();
    if (space.org.suspended) throw suspended();
  }

  space(guid: string | undefined, user: O.User): O.Space {
    const found = this.spaces.find((one) => one.guid === guid);
    if (!found || !this.sees(user, found))
      throw unprocessable('Invalid space. Ensure that the space exists and you have access to it.');
    return found;
  }

  /** A job that does its work some time later; what the work throws becomes its error. */
  job(operation: string, link: Record<string, string>, work: () => void | Promise<void>, pause = 500): O.Job {
    const job: O.Job = { ...this.thing(), operation, state: 'PROCESSING', errors: [], link };
    this.jobs.push(job);
    this.clock.after(pause, async () => {
      try {
        await work();
        if (job.state === 'PROCESSING') job.state = 'COMPLETE';
      } catch (error) {
        this.failJob(job, error as { code: number; title: string; detail: string });
      }
      job.updated = new Date();
    });
    return job;
  }

  failJob(job: O.Job, { code, title, detail }: { code: number; title: string; detail: string }): void {
    job.state = 'FAILED';
    job.errors = [{ code, title, detail }];
    job.updated = new Date();
  }

  log(app: string, source: string, text: string, type: 'OUT' | 'ERR' = 'OUT', instance = '0'): void {
    const lines = this.logs.get(app) ?? [];
    const last = lines.at(-1)?.timestamp ?? 0n;
    const now = BigInt(Date.now()) * 1_000_000n;
    lines.push({ timestamp: now > last ? now : last + 1n, source, text, type, instance });
    this.logs.set(app, lines);
  }

  event(type: string, app: O.App, actor: O.AuditEvent['actor'], data: Record<string, unknown>): void {
    const target = { guid: app.guid, type: 'app', name: app.name };
    this.events.push({ ...this.thing(), type, actor, target, data, space: app.space });
  }
}

export interface LogLine {
  /** Nanoseconds since 1970. */
  timestamp: bigint;
  source: string;
  text: string;
  type: 'OUT' | 'ERR';
  instance: string;
}

export function remove<T>(all: T[], one: T): void {
  const at = all.indexOf(one);
  if (at >= 0) all.splice(at, 1);
}
