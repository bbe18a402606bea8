import { unpack, within } from './archives.js';
import { newBuild } from './build-object.js';
import { buildPod, buildPodStatus } from './build-pod.js';
import { at, clone, type Json, now, type Obj } from './objects.js';
import { status } from './refusals.js';
import type { Registry } from './registry.js';
import { REGISTRY } from './registry.js';
import type { Answer, Request } from './request.js';
import { need } from './resources.js';
import { condition, type World } from './world.js';

/** Seconds that a request for a binary build waits for its pod. */
const START_LIMIT = 300;
const ENDS = ['Complete', 'Failed', 'Error', 'Cancelled'];
const SOURCE = { component: 'build-controller' };

export interface BuildLog {
  lines: { time: string; text: string }[];
  ended: boolean;
  listeners: Set<() => void>;
}

export interface Builds {
  instantiate(request: Request, name: string): Promise<Answer>;
  instantiateEmpty(namespace: string, name: string): Answer;
  log(namespace: string, name: string): BuildLog | undefined;
}

/** Binary builds: a request makes a build, the build waits for its turn and its pod, the pod takes the stream and makes an image of it. */
export function createBuilds(world: World, registry: Registry): Builds {
  const { cluster, trouble } = world;
  const logs = new Map<string, BuildLog>();
  const inputs = new Map<string, Buffer>();
  const waiting = new Map<string, { run(): void; fail(): void }>();
  const scheduled = new Set<string>();
  const cancelling = new Set<string>();
  // A name comes again when its BuildConfig is made anew.
  const uid = (build: Obj) => String(build.metadata.uid);
  const same = (build: Obj) => cluster.list('builds', build.metadata.namespace).find((one) => uid(one) === uid(build));
  const id = (build: Obj) => `${build.metadata.namespace}/${build.metadata.name}`;

  world.control(() => {
    for (const build of cluster.list('builds')) advance(build);
  });

  const phaseOf = (build: Obj): string => String(build.status?.['phase']);

  function setPhase(build: Obj, phase: string, more: Json = {}, change?: (object: Obj) => void): void {
    cluster.update('builds', build.metadata.namespace, build.metadata.name, (object) => {
      change?.(object);
      const conditions = (object.status?.['conditions'] as Json[]) ?? [];
      const before = phaseOf(object);
      const closed = condition(conditions, before, 'False');
      const told =
        more['reason'] === undefined ? {} : { reason: String(more['reason']), message: String(more['message'] ?? '') };
      object.status = {
        ...object.status,
        phase,
        ...more,
        conditions: condition(closed, phase, 'True', told.reason, told.message),
      };
    });
  }

  function write(build: Obj, text: string): void {
    const log = logs.get(id(build));
    if (!log) return;
    for (const line of text.split('\n'))
      log.lines.push({ time: `${new Date().toISOString().slice(0, -1)}000001Z`, text: line });
    for (const listener of log.listeners) listener();
  }

  function closeLog(build: Obj): void {
    const log = logs.get(id(build));
    if (!log) return;
    log.ended = true;
    for (const listener of [...log.listeners]) listener();
  }

  function advance(build: Obj): void {
    const phase = phaseOf(build);
    const { namespace } = build.metadata;
    if (ENDS.includes(phase)) return;
    if (build.status?.['cancelled'] === true) {
      if (!cancelling.has(uid(build))) world.after(0.3, () => cancel(build));
      cancelling.add(uid(build));
      return;
    }
    if (phase === 'New') {
      const config = String(at(build, 'status', 'config', 'name'));
      const policy = build.metadata.labels?.['openshift.io/build.start-policy'];
      const others = cluster
        .list('builds', namespace)
        .filter((one) => at(one, 'status', 'config', 'name') === config && one.metadata.name !== build.metadata.name);
      const number = (one: Obj) => Number(one.metadata.annotations?.['openshift.io/build.number']);
      const isTurn =
        policy === 'Parallel' || others.every((one) => ENDS.includes(phaseOf(one)) || number(one) > number(build));
      if (isTurn && !trouble.withoutBuildPod) soon(build);
    } else if (phase === 'Pending' && at(build, 'spec', 'source', 'type') === 'None') {
      if (!logs.has(id(build))) withoutInput(build);
    } else if (phase === 'Pending' && !trouble.unschedulable) {
      const pod = cluster.update('pods', namespace, `${build.metadata.name}-build`, (object) => {
        object.status = buildPodStatus(object, 'Running');
      });
      if (!pod) return;
      setPhase(build, 'Running', { startTimestamp: now() });
      logs.set(id(build), { lines: [], ended: false, listeners: new Set() });
      const asFile = at(build, 'spec', 'source', 'binary', 'asFile');
      write(
        build,
        asFile === undefined
          ? 'Receiving source from STDIN as archive ...'
          : `Receiving source from STDIN as file ${asFile}`,
      );
      world.event(build, 'BuildStarted', `Build ${id(build)} is now running`, 'Normal', SOURCE);
      waiting.get(id(build))?.run();
    }
  }

  function cancel(build: Obj): void {
    const current = same(build);
    if (!current || ENDS.includes(phaseOf(current))) return;
    end(current, 'Cancelled', { reason: 'CancelledBuild', message: 'The build was cancelled by the user.' });
  }

  /** The controller needs a moment for a new build. */
  function soon(build: Obj): void {
    if (scheduled.has(uid(build))) return;
    scheduled.add(uid(build));
    world.after(0.3, () => {
      const current = same(build);
      if (current && phaseOf(current) === 'New' && current.status?.['cancelled'] !== true) schedule(current);
    });
  }

  function schedule(build: Obj): void {
    const { namespace = '', name } = build.metadata;
    const output = String(at(build, 'spec', 'output', 'to', 'name'));
    cluster.insert(need('pods'), buildPod(build, trouble.unschedulable));
    setPhase(
      build,
      'Pending',
      { outputDockerImageReference: `${REGISTRY}/${namespace}/${output}` },
      ({ metadata, spec }) => {
        metadata.annotations = { ...metadata.annotations, 'openshift.io/build.pod-name': `${name}-build` };
        if (spec) spec['output'] = { ...(spec['output'] as Json), pushSecret: { name: 'builder-dockercfg-fake1' } };
      },
    );
  }

  function end(build: Obj, phase: string, more: Json): void {
    const started = build.status?.['startTimestamp'];
    const isRunning = phaseOf(build) === 'Running';
    setPhase(build, phase, {
      ...more,
      ...(started ? {} : { startTimestamp: now() }),
      completionTimestamp: now(),
      ...(isRunning ? { duration: 5_000_000_000 } : {}),
    });
    cluster.update('pods', build.metadata.namespace, `${build.metadata.name}-build`, (pod) => {
      pod.status = buildPodStatus(pod, phase === 'Complete' ? 'Succeeded' : 'Failed');
    });
    closeLog(build);
    inputs.delete(id(build));
    const words: Record<string, [string, string]> = {
      Complete: ['BuildCompleted', `Build ${id(build)} completed successfully`],
      Failed: ['BuildFailed', `Build ${id(build)} failed`],
      Cancelled: ['BuildCancelled', `Build ${id(build)} has been cancelled`],
    };
    const [reason, text] = words[phase] ?? ['BuildError', `Build ${id(build)} has an error`];
    world.event(build, reason, text, 'Normal', SOURCE);
    waiting.get(id(build))?.fail();
  }

  /** What the build's container does with what it was given. */
  async function make(build: Obj): Promise<void> {
    const bytes = inputs.get(id(build)) ?? Buffer.alloc(0);
    write(build, `received ${bytes.length} bytes`);
    const from = at(build, 'spec', 'strategy', 'sourceStrategy', 'from') as { kind: string; name: string };
    const fail = (text: string, seconds = 4) => world.after(seconds, () => failed(build, text));
    try {
      const asFile = at(build, 'spec', 'source', 'binary', 'asFile') as string | undefined;
      const files = asFile === undefined ? await unpack(bytes) : new Map([[asFile, bytes]]);
      const folder = at(build, 'spec', 'source', 'contextDir') as string | undefined;
      write(build, 'manage-dockerfile: nothing to do');
      write(build, `STEP 1: FROM ${from.name}`);
      for (const name of [...files.keys()].sort()) write(build, `  input ${name}`);
      if (trouble.buildFails) return void fail('npm ERR! missing script: build');
      if (files.has('FAIL')) return void fail('FAIL file present');
      if (from.kind === 'DockerImage' && /\/none:/.test(from.name))
        return void fail("Cannot read properties of undefined (reading 'digest')");
      if (trouble.buildHangs) return;
      world.after(4, () => complete(build, within(files, folder)));
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error), 2);
    }
  }

  /** A build that was started without a stream comes no further than to look for it. */
  function withoutInput(build: Obj): void {
    logs.set(id(build), { lines: [], ended: false, listeners: new Set() });
    world.after(3, () => failed(build, "ENOENT: no such file or directory, scandir '/tmp/build/inputs'"));
  }

  function failed(build: Obj, text: string): void {
    const current = same(build);
    if (!current || ENDS.includes(phaseOf(current))) return;
    write(current, `error: build error: ${text}`);
    const lines = (logs.get(id(build))?.lines ?? []).map((line) => line.text);
    end(current, 'Failed', {
      reason: 'GenericBuildFailed',
      message: 'Generic Build failure - check logs for details.',
      logSnippet: lines.slice(-5).join('\n'),
    });
  }

  function complete(build: Obj, files: Map<string, Buffer>): void {
    const current = same(build);
    if (!current || ENDS.includes(phaseOf(current))) return;
    const [stream = '', tag = ''] = String(at(build, 'spec', 'output', 'to', 'name')).split(':');
    const image = registry.push(build.metadata.namespace ?? '', stream, tag, files);
    write(current, `Successfully pushed ${REGISTRY}/${build.metadata.namespace}/${stream}:${tag}@${image.digest}`);
    write(current, 'Push successful');
    end(current, 'Complete', trouble.withoutDigest ? {} : { output: { to: { imageDigest: image.digest } } });
  }

  const begin = (...request: [namespace: string, configName: string, source: Json, more?: Json]): Obj =>
    newBuild(world, ...request);

  return {
    async instantiate({ namespace = '', query, incoming }, name) {
      const asFile = query.get('asFile');
      const config = cluster.read('buildconfigs', namespace, name);
      const folder = at(config, 'spec', 'source', 'contextDir') as string | undefined;
      const source = {
        type: 'Binary',
        binary: asFile ? { asFile } : {},
        ...(folder === undefined ? {} : { contextDir: folder }),
      };
      const build = begin(namespace, name, source);
      await untilRunning(build);
      const running = cluster.read('builds', namespace, build.metadata.name) ?? build;
      const pieces: Buffer[] = [];
      try {
        for await (const piece of incoming) pieces.push(piece as Buffer);
      } catch {
        // The client is gone; the container sees the end of its input and takes it for all.
      }
      inputs.set(id(build), Buffer.concat(pieces));
      const current = cluster.read('builds', namespace, build.metadata.name);
      if (current && !ENDS.includes(phaseOf(current))) void make(build);
      return { code: 201, body: running };
    },
    instantiateEmpty(namespace, name) {
      return {
        code: 201,
        body: clone(begin(namespace, name, { type: 'None' }, { triggeredBy: [{ message: 'Manually triggered' }] })),
      };
    },
    log: (namespace, name) => logs.get(`${namespace}/${name}`),
  };

  function untilRunning(build: Obj): Promise<void> {
    return new Promise((resolve, reject) => {
      const { namespace, name } = build.metadata;
      const cancel = () => {
        cluster.update('builds', namespace, name, (object) => {
          object.status = { ...object.status, cancelled: true };
        });
      };
      const settle = (finish: () => void) => {
        waiting.delete(id(build));
        off();
        finish();
      };
      const wait = `unable to wait for build ${name} to run: timed out waiting for the condition`;
      const give = trouble.withoutBuildPod
        ? status(504, 'Timeout', `Timeout: timed out waiting for build ${name} to start after 5m0s`, {
            retryAfterSeconds: 0,
          })
        : status(400, 'BadRequest', wait);
      const off = world.after(trouble.withoutBuildPod ? 1 : START_LIMIT, () =>
        settle(() => {
          cancel();
          reject(give);
        }),
      );
      waiting.set(id(build), {
        run: () => settle(resolve),
        fail: () =>
          settle(() =>
            reject(status(400, 'BadRequest', `build ${name} was cancelled: The build was cancelled by the user.`)),
          ),
      });
      world.wake();
    });
  }
}
