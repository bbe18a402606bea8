import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { OnCall } from '../../adapters/adapter.js';
import type { OnEnd } from '../services/operations/runner.js';
import type { OperationLoad } from '../store/store.js';
import { countRequests } from './request-durations.js';

/** What the gateway measures of itself. Labels have few values each: never a path, a name that a user chose, or an id. */
export interface Metrics {
  readonly type: string;
  text(): Promise<string>;
  /** A request of the API has ended; `duration` in milliseconds. */
  request(event: { action?: string | undefined; method: string; status: number; duration: number; kept?: true }): void;
  /** An operation has ended. */
  ended: OnEnd;
  /** A request to a platform has ended. */
  callOf(platform: string): OnCall;
  /** Where the state of the moment is read, at each look. */
  watch(now: Moment): void;
}

export interface Moment {
  platforms: readonly string[];
  load(): Promise<OperationLoad[]>;
  /** Platforms that do not answer. */
  troubles(): ReadonlyMap<string, unknown>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const count = countRequests(registry);
  let keptAnswers = 0;
  new Counter({
    name: 'coaps_kept_answers_total',
    help: 'Requests whose answer was kept from an earlier one; they count among the others, too.',
    registers,
    collect() {
      this.reset();
      this.inc(keptAnswers);
    },
  });
  const operations = new Histogram({
    name: 'coaps_operation_duration_seconds',
    help: 'Tasks that this gateway has ended, by platform, action and state, from their beginning.',
    labelNames: ['platform', 'action', 'state'],
    buckets: [0.1, 0.5, 2, 10, 30, 60, 180, 600, 1800],
    registers,
  });
  const calls = new Histogram({
    name: 'coaps_upstream_request_duration_seconds',
    help: 'Requests to the platforms by method and status; status 0: no answer.',
    labelNames: ['platform', 'method', 'status'],
    buckets: [0.01, 0.05, 0.2, 1, 5, 30, 120],
    registers,
  });
  return {
    type: registry.contentType,
    text: () => registry.metrics(),
    request({ action = '', method, status, duration, kept }) {
      count(action, method, status, duration / 1000);
      if (kept) keptAnswers += 1;
    },
    ended: ({ platform, action, state, seconds }) =>
      operations.observe({ platform: platform ?? '', action, state }, seconds),
    callOf:
      (platform) =>
      ({ method, status, seconds }) =>
        calls.observe({ platform, method, status: String(status) }, seconds),
    watch: (moment) => watch(moment, registers),
  };
}

function watch({ platforms, load, troubles }: Moment, registers: Registry[]): void {
  new Gauge({
    name: 'coaps_operations',
    help: 'Tasks that wait (PENDING) or run (RUNNING) now, over all gateways of the database.',
    labelNames: ['platform', 'state'],
    registers,
    async collect() {
      this.reset();
      for (const platform of platforms) for (const state of ['PENDING', 'RUNNING']) this.set({ platform, state }, 0);
      for (const { platform, state, count } of await load()) this.set({ platform: platform ?? '', state }, count);
    },
  });
  new Gauge({
    name: 'coaps_platform_up',
    help: '1: the platform answered when this gateway last looked; 0: it did not.',
    labelNames: ['platform'],
    registers,
    collect() {
      for (const platform of platforms) this.set({ platform }, troubles().has(platform) ? 0 : 1);
    },
  });
}
