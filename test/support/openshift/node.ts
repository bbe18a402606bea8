import { amount } from './admission.js';
import { at, type Json, now, type Obj } from './objects.js';
import { environmentOf, missingSecret } from './pod-environment.js';
import { podStatus, unschedulable } from './pod-status.js';
import type { Processes } from './processes.js';
import type { Registry } from './registry.js';
import { type Life, newId, newLife, type Tenant } from './tenant.js';
import type { World } from './world.js';

/** MiB that a node has. */
const CAPACITY = 64 * 1024;
/** Seconds from the wish to the signal, and from the end of the last process to that of the pod. */
const SIGNAL_AFTER = 1;
const GONE_AFTER = 0.9;
/** MiB below which no process lives long. */
const SMALLEST = 64;
const BACK_OFF = 10;
const LONGEST_BACK_OFF = 300;
/** A node looks at a pod some seconds after its pause is over. */
const LOOK_AGAIN = 7;

export interface ClusterNode {
  /** Port on this machine behind a port of a pod. */
  address(uid: string, port: number): number | undefined;
  life(uid: string, container: string): Pick<Life, 'log' | 'previous' | 'listeners' | 'state' | 'restarts'> | undefined;
}

/** The scheduler and the one node: takes pods, pulls images, runs processes, probes them, restarts them with growing pauses. */
export function createNode(world: World, registry: Registry, processes: Processes): ClusterNode {
  const { cluster, trouble } = world;
  const tenants = new Map<string, Tenant>();
  let clock = 0;

  world.control(() => {
    for (const pod of cluster.list('pods')) {
      if (pod.metadata.labels?.['openshift.io/build.name'] !== undefined) {
        if (pod.metadata.deletionTimestamp !== undefined)
          cluster.drop('pods', pod.metadata.namespace, pod.metadata.name);
        continue;
      }
      const tenant = tenants.get(pod.metadata.uid ?? '');
      if (pod.metadata.deletionTimestamp !== undefined) end(pod, tenant);
      else if (!tenant) admit(pod);
    }
  });

  function admit(pod: Obj): void {
    const wanted = ((pod.spec?.['containers'] as Json[]) ?? []).map((one) =>
      amount(String(at(one, 'resources', 'requests', 'memory') ?? '0')),
    );
    if (trouble.unschedulable || wanted.reduce((sum, one) => sum + one, 0) > CAPACITY) {
      if (at(pod, 'status', 'conditions', 0, 'reason') === 'Unschedulable') return;
      const status = unschedulable(pod);
      cluster.update('pods', pod.metadata.namespace, pod.metadata.name, (object) => {
        object.status = status;
      });
      const text = String(at(status, 'conditions', 0, 'message'));
      world.event(pod, 'FailedScheduling', text, 'Warning', {});
      return;
    }
    bindVolumes(pod);
    const lives = ((pod.spec?.['containers'] as Json[]) ?? []).map(newLife);
    const tenant: Tenant = { pod, startTime: now(), lives, ending: false, over: false };
    tenants.set(pod.metadata.uid ?? '', tenant);
    world.event(
      pod,
      'Scheduled',
      `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to node1`,
      'Normal',
      {},
    );
    tell(tenant, false);
    for (const life of lives) world.after(0.5, () => pull(tenant, life));
  }

  function bindVolumes(pod: Obj): void {
    for (const volume of (pod.spec?.['volumes'] as Json[]) ?? []) {
      const claim = at(volume, 'persistentVolumeClaim', 'claimName') as string | undefined;
      if (claim === undefined) continue;
      cluster.update('persistentvolumeclaims', pod.metadata.namespace, claim, (object) => {
        object.status = {
          ...object.status,
          phase: 'Bound',
          accessModes: object.spec?.['accessModes'],
          capacity: at(object, 'spec', 'resources', 'requests'),
        };
      });
    }
  }

  function tell(tenant: Tenant, address = true): void {
    const { pod, lives, startTime } = tenant;
    const phase = phaseOf(tenant);
    cluster.update('pods', pod.metadata.namespace, pod.metadata.name, (object) => {
      object.status = podStatus(object, { phase, containers: lives, address, startTime });
    });
  }

  function phaseOf({ pod, lives, ending }: Tenant): string {
    const never = pod.spec?.['restartPolicy'] === 'Never' || ending;
    const codes = lives.map((life) => at(life.state, 'terminated', 'exitCode') as number | undefined);
    if (never && codes.every((code) => code !== undefined))
      return codes.every((code) => code === 0 || ending) ? 'Succeeded' : 'Failed';
    return lives.some((life) => life.started || life.containerId !== '') ? 'Running' : 'Pending';
  }

  function wait(tenant: Tenant, life: Life, reason: string, message?: string): void {
    life.state = { waiting: { reason, ...(message === undefined ? {} : { message }) } };
    life.ready = false;
    tell(tenant);
  }

  const isGone = (tenant: Tenant): boolean => tenant.ending || world.closed;
  const kubelet = { component: 'kubelet', host: 'node1' };

  function pull(tenant: Tenant, life: Life): void {
    if (isGone(tenant)) return;
    const { image } = life;
    world.event(tenant.pod, 'Pulling', `Pulling image "${image}"`, 'Normal', kubelet);
    const bad = /[A-Z]/.exec(image.split('@')[0]?.split('/').slice(1).join('/') ?? '');
    if (bad) {
      const text = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format: repository name must be lowercase`;
      wait(tenant, life, 'InvalidImageName', text);
      return;
    }
    const found = registry.find(image);
    if (!found || trouble.pullFails) {
      const why = `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`;
      wait(tenant, life, 'ErrImagePull', why);
      world.event(tenant.pod, 'Failed', `Failed to pull image "${image}": ${why}`, 'Warning', kubelet);
      world.after(BACK_OFF, () => {
        if (isGone(tenant)) return;
        wait(tenant, life, 'ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${why}`);
        world.after(BACK_OFF, () => pull(tenant, life));
      });
      return;
    }
    life.imageId = found.reference;
    run(tenant, life);
  }

  function run(tenant: Tenant, life: Life): void {
    if (isGone(tenant)) return;
    const spec = ((tenant.pod.spec?.['containers'] as Json[]) ?? []).find((one) => one['name'] === life.name) ?? {};
    const missing = missingSecret(cluster, tenant.pod, spec);
    if (missing !== undefined) {
      wait(tenant, life, 'CreateContainerConfigError', `secret "${missing}" not found`);
      world.after(BACK_OFF, () => run(tenant, life));
      return;
    }
    const command = spec['command'] as string[] | undefined;
    if (command?.[0]?.startsWith('/no/such')) {
      life.containerId = newId();
      const text = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "${command[0]}": stat ${command[0]}: no such file or directory: unknown`;
      life.lastState = {
        terminated: {
          exitCode: 128,
          reason: 'StartError',
          message: text,
          startedAt: '1970-01-01T00:00:00Z',
          finishedAt: now(),
          containerID: life.containerId,
        },
      };
      wait(tenant, life, 'RunContainerError', text);
      return;
    }
    life.containerId = newId();
    life.started = true;
    life.state = { running: { startedAt: now() } };
    if (life.log.length > 0) life.previous = life.log;
    life.log = [];
    const write = (text: string) => {
      clock = Math.max(clock + 1, Date.now() * 1000);
      const time = `${new Date(Math.floor(clock / 1000)).toISOString().slice(0, -1)}${String(clock % 1000).padStart(3, '0')}000Z`;
      life.log.push({ time, text });
      for (const listener of [...life.listeners]) listener();
    };
    const exited = (how: { exitCode: number; reason: string }) => ended(tenant, life, how);
    const limit = at(spec, 'resources', 'limits', 'memory') as string | undefined;
    const port = at(spec, 'ports', 0, 'containerPort') as number | undefined;
    if (command !== undefined && limit !== undefined && amount(limit) < SMALLEST) {
      world.after(0.5, () => exited({ exitCode: 137, reason: 'OOMKilled' }));
    } else if (trouble.crashes && spec['name'] !== 'database') {
      write('Error: the application cannot start');
      world.after(0.3, () => exited({ exitCode: 1, reason: 'Error' }));
    } else {
      life.running = processes.start({
        files: registry.find(life.image)?.files ?? new Map(),
        ...(command === undefined ? {} : { command: [...command, ...((spec['args'] as string[]) ?? [])] }),
        environment: environmentOf(cluster, tenant.pod, spec),
        ...(spec['name'] === 'database' && port !== undefined ? { port } : {}),
        write,
        exited,
      });
    }
    tell(tenant);
    probe(tenant, life, spec);
  }

  /** Ready when the probe's port is listened at; without a probe at once. */
  function probe(tenant: Tenant, life: Life, spec: Json): void {
    if (life.state['running'] === undefined) return;
    const port = at(spec, 'readinessProbe', 'tcpSocket', 'port') as number | undefined;
    const ready = !trouble.neverReady && (port === undefined || life.running?.address(port) !== undefined);
    if (ready !== life.ready) {
      life.ready = ready;
      tell(tenant);
    }
    world.after(0.5, () => probe(tenant, life, spec));
  }

  function ended(tenant: Tenant, life: Life, { exitCode, reason }: { exitCode: number; reason: string }): void {
    if (world.closed || life.state['running'] === undefined) return;
    const startedAt = at(life.state, 'running', 'startedAt');
    const terminated = { exitCode, reason, startedAt, finishedAt: now(), containerID: life.containerId };
    life.state = { terminated };
    life.ready = false;
    life.started = false;
    delete life.running;
    tell(tenant);
    for (const listener of [...life.listeners]) listener();
    if (tenant.ending) return void leave(tenant);
    if (tenant.pod.spec?.['restartPolicy'] === 'Never') return;
    const pause = life.restarts === 0 ? 0 : Math.min(BACK_OFF * 2 ** (life.restarts - 1), LONGEST_BACK_OFF);
    const again = () => {
      if (isGone(tenant)) return;
      life.lastState = { terminated };
      life.restarts += 1;
      run(tenant, life);
    };
    if (pause === 0) return void world.after(1, again);
    world.after(1, () => {
      if (isGone(tenant)) return;
      life.lastState = { terminated };
      const { name, namespace, uid } = tenant.pod.metadata;
      wait(
        tenant,
        life,
        'CrashLoopBackOff',
        `back-off ${pause}s restarting failed container=${life.name} pod=${name}_${namespace}(${uid})`,
      );
      world.event(
        tenant.pod,
        'BackOff',
        `Back-off restarting failed container ${life.name} in pod ${name}_${namespace}(${uid})`,
        'Warning',
        kubelet,
      );
      world.after(pause + LOOK_AGAIN, again);
    });
  }

  function end(pod: Obj, tenant: Tenant | undefined): void {
    if (!tenant) cluster.drop('pods', pod.metadata.namespace, pod.metadata.name);
    if (!tenant || tenant.ending) return;
    tenant.ending = true;
    const grace = (pod.metadata.deletionGracePeriodSeconds ?? 30) * world.settings.second;
    const alive = tenant.lives.filter((life) => life.state['running'] !== undefined);
    if (alive.length === 0) return void leave(tenant);
    for (const life of alive) {
      const spec = ((pod.spec?.['containers'] as Json[]) ?? []).find((one) => one['name'] === life.name);
      const [program, seconds] = (at(spec, 'lifecycle', 'preStop', 'exec', 'command') ?? []) as string[];
      world.after(SIGNAL_AFTER + (program === 'sleep' ? Number(seconds) : 0), () => {
        if (life.running) life.running.stop(grace);
        else ended(tenant, life, { exitCode: 143, reason: 'Error' });
      });
    }
  }

  function leave(tenant: Tenant): void {
    if (tenant.over || tenant.lives.some((life) => life.state['running'] !== undefined)) return;
    tenant.over = true;
    tell(tenant);
    world.after(GONE_AFTER, () => cluster.drop('pods', tenant.pod.metadata.namespace, tenant.pod.metadata.name));
  }

  return {
    address: (uid, port) =>
      tenants
        .get(uid)
        ?.lives.map((life) => life.running?.address(port))
        .find((one) => one !== undefined),
    life: (uid, container) => tenants.get(uid)?.lives.find((one) => one.name === container),
  };
}
