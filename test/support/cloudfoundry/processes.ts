import { randomUUID } from 'node:crypto';
import { Refusal, unprocessable } from './errors.js';
import { type Answer, checkBody } from './http.js';
import type { App, Instance, Process } from './objects.js';
import type { World } from './world.js';

/** What a process is, apart from what its instances do. */
export function newProcess(world: World, app: App, guid?: string): Process {
  return {
    ...world.thing(guid),
    app,
    type: 'web',
    version: randomUUID(),
    instances: 1,
    memory: 1024,
    disk: 1024,
    health: { type: 'port', data: { timeout: null } },
    readiness: { type: 'process', data: {} },
    cells: [down(0)],
  };
}

export function down(index: number): Instance {
  return { index, guid: '', state: 'DOWN', since: Date.now(), crashes: 0, measured: false };
}

export function checkQuota(world: World, app: App, changed: readonly Process[]): void {
  const others = world.processes.filter(
    (one) => one.app !== app && one.app.state === 'STARTED' && one.app.space.org === app.space.org,
  );
  const used = [...others, ...changed].reduce((sum, one) => sum + one.instances * one.memory, 0);
  if (used > app.space.org.quota.total_memory_in_mb) throw unprocessable('memory quota_exceeded');
}

export function changeProcess(process: Process, body: Record<string, unknown>): void {
  const check = body['health_check'] as { type?: string; data?: Record<string, unknown> } | undefined;
  const { command } = body;
  const path = check?.data?.['endpoint'];
  checkBody(
    body,
    ['command', 'health_check', 'readiness_health_check', 'metadata'],
    [
      check !== undefined &&
        !['port', 'process', 'http'].includes(String(check.type)) &&
        'Health check type must be "port", "process", or "http"',
      command === '' && 'Command must be between 1 and 4096 characters',
      check?.type === 'http' &&
        path === undefined &&
        'health_check_http_endpoint HTTP health check endpoint is not a valid URI path: ',
      Number(check?.data?.['timeout'] ?? 0) > 180 && 'health_check_timeout Maximum exceeded: max 180s',
    ],
  );
  if (command === null) delete process.command;
  if (typeof command === 'string') process.command = command;
  if (check) process.health = { type: String(check.type), data: { timeout: null, ...check.data } };
  const readiness = body['readiness_health_check'] as Process['readiness'] | undefined;
  if (readiness) process.readiness = readiness;
  process.updated = new Date();
}

const GIB = 1024 * 1024;

export function statsOf(world: World, process: Process): Answer {
  if (world.cells.schedulerDown)
    throw new Refusal(503, 200002, 'CF-StatsUnavailable', 'Stats unavailable: Stats server temporarily unavailable.');
  const resources = process.cells.map((instance) =>
    instance.state === 'DOWN' ? downStats(process, instance) : liveStats(world, process, instance),
  );
  const headers = world.cells.statsDown ? { 'x-cf-warnings': 'Stats+server+temporarily+unavailable.' } : {};
  return { status: 200, headers, body: { resources } };
}

function downStats({ type }: Process, { index, details, since }: Instance) {
  const uptime = details === undefined ? 0 : Math.max(1, Math.floor((Date.now() - since) / 1000));
  return {
    type,
    index,
    state: 'DOWN',
    routable: details === undefined ? null : false,
    uptime,
    isolation_segment: null,
    details: details ?? null,
  };
}

function liveStats(world: World, { type, memory, disk }: Process, { index, guid, state, since, measured }: Instance) {
  const placed = state === 'RUNNING' || state === 'STOPPING';
  const told = measured && state === 'RUNNING' && !world.cells.statsDown;
  const port = (at: number) => 61_000 + index * 8 + at;
  return {
    type,
    index,
    instance_guid: guid,
    state,
    routable: placed,
    host: placed ? '10.0.1.11' : '',
    instance_internal_ip: placed ? `10.255.44.${10 + index}` : '',
    uptime: Math.floor((Date.now() - since) / 1000),
    mem_quota: told ? memory * GIB : null,
    disk_quota: told ? disk * GIB : null,
    log_rate_limit: told ? 1_048_576 : null,
    fds_quota: 16_384,
    isolation_segment: null,
    details: null,
    instance_ports: placed
      ? [
          { external: port(0), internal: 8080, external_tls_proxy_port: port(443), internal_tls_proxy_port: 61_001 },
          { external: port(2), internal: 2222, external_tls_proxy_port: port(445), internal_tls_proxy_port: 61_003 },
        ]
      : [],
    usage: state === 'STOPPING' || world.cells.statsDown ? {} : usage(told),
  };
}

function usage(told: boolean) {
  const time = new Date().toISOString().replace(/\.\d+Z$/, '+00:00');
  return told
    ? { time, cpu: 0.0031, cpu_entitlement: 0.017, mem: 24_698_880, disk: 77_340_672, log_rate: 0 }
    : { time, cpu: 0, cpu_entitlement: 0, mem: 0, disk: 0, log_rate: 0 };
}
