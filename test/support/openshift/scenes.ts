import type { Obj } from './objects.js';
import type { Scene, Stage } from './replay.js';
import { RUN_SCENES } from './scenes-run.js';

const BASE = 'image-registry.openshift-image-registry.svc:5000/s2i/node:20';

/** A project of alice's, with its service accounts. */
export async function project(stage: Stage, name: string): Promise<void> {
  stage.fake.addProject(name, 'alice');
  await stage.until(
    'service accounts',
    () => stage.fake.world.cluster.read('serviceaccounts', name, 'builder') !== undefined,
  );
}

export async function stream(stage: Stage, namespace: string, name: string): Promise<void> {
  await stage.ask('POST', `/apis/image.openshift.io/v1/namespaces/${namespace}/imagestreams`, {
    metadata: { name },
    spec: { lookupPolicy: { local: true } },
  });
}

export async function buildConfig(
  stage: Stage,
  namespace: string,
  name: string,
  more: { from?: string; runPolicy?: string; deadline?: number } = {},
): Promise<void> {
  await stage.ask('POST', `/apis/build.openshift.io/v1/namespaces/${namespace}/buildconfigs`, {
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'gateway' } },
    spec: {
      ...(more.runPolicy === undefined ? {} : { runPolicy: more.runPolicy }),
      ...(more.deadline === undefined ? {} : { completionDeadlineSeconds: more.deadline }),
      source: { type: 'Binary', binary: {} },
      strategy: { type: 'Source', sourceStrategy: { from: { kind: 'DockerImage', name: more.from ?? BASE } } },
      output: { to: { kind: 'ImageStreamTag', name: `${name}:latest` } },
    },
  });
}

const map = (name: string, labels?: Record<string, string>): Partial<Obj> & { metadata: Obj['metadata'] } => ({
  metadata: { name, namespace: 'e-watch', ...(labels ? { labels } : {}) },
  data: { k: '1' },
});

export const SCENES: Readonly<Record<string, Scene>> = {
  'login-and-reviews': {
    second: 20,
    bare: true,
    users: {
      3: `Basic ${Buffer.from('alice:wrong').toString('base64')}`,
      4: `Basic ${Buffer.from('alice:alice-password').toString('base64')}`,
      7: 'nobody',
      10: 'nobody',
    },
    allow: {
      // Bindings have other names here.
      12: ['/status/reason'],
      14: ['/status/reason'],
      // Every cluster has groups of its own.
      21: ['/groups'],
      22: ['/resources'],
    },
  },
  'project-create': {
    second: 20,
    bare: true,
    users: { 13: 'bob', 14: 'bob', 15: 'bob', 16: 'bob', 35: 'bob', 36: 'bob', 37: 'bob' },
    async prepare({ fake }) {
      fake.trouble.withoutBuilder = true;
    },
    before: {
      7: ({ fake }) => {
        fake.trouble.withoutBuilder = false;
        fake.world.wake();
      },
    },
  },
  build: {
    second: 100,
    bare: true,
    async prepare(stage) {
      await project(stage, 'e-build');
      stage.fake.trouble.withoutDigest = true;
    },
    before: {
      7: ({ fake, names }) => {
        names.set('resourceVersion=1474', `resourceVersion=${fake.world.cluster.version}`);
      },
    },
    allow: {
      // The builder of the recording is simulated, too: what it prints at the tail of several containers differs.
      14: ['text'],
      // Its registry told of later pushes only when it was asked.
      25: ['/items'],
      26: ['/items'],
    },
  },
  'build-failures': {
    second: 100,
    async prepare(stage) {
      stage.fake.trouble.withoutDigest = true;
      await project(stage, 'e-fail');
      for (const name of ['web', 'nobase']) {
        await stream(stage, 'e-fail', name);
        await buildConfig(
          stage,
          'e-fail',
          name,
          name === 'nobase' ? { from: BASE.replace('node:20', 'none:1'), deadline: 60 } : {},
        );
      }
    },
  },
  'build-waiting': {
    second: 30,
    async prepare(stage) {
      stage.fake.trouble.withoutDigest = true;
      await project(stage, 'e-queue');
      for (const name of ['web', 'par', 'stuck']) {
        await stream(stage, 'e-queue', name);
        await buildConfig(stage, 'e-queue', name, name === 'par' ? { runPolicy: 'Parallel' } : {});
      }
    },
    before: {
      7: ({ fake }) => {
        fake.trouble.unschedulable = true;
      },
      10: ({ fake }) => {
        fake.trouble.unschedulable = false;
      },
    },
  },
  errors: {
    second: 20,
    users: { 0: 'nobody', 2: 'bob', 3: 'bob', 45: 'admin', 46: 'bob' },
    prepare: (stage) => project(stage, 'e-errors'),
    before: {
      14: async ({ ask }) => {
        await ask(
          'PATCH',
          '/api/v1/namespaces/e-errors/configmaps/x',
          { data: { a: '1' } },
          { type: 'application/merge-patch+json' },
        );
      },
    },
  },
  'watch-and-lists': {
    second: 30,
    users: { 31: 'bob' },
    async prepare(stage) {
      await project(stage, 'e-watch');
    },
    before: {
      1: ({ fake }) => {
        fake.add('configmaps', map('b', { app: 'x' }));
        fake.add('configmaps', map('c', { app: 'y', tier: 'back' }));
        fake.add('configmaps', map('d'));
        fake.add('configmaps', map('e', { app: 'x' }));
      },
      18: ({ fake, names }) => {
        names.set('resourceVersion=4281', `resourceVersion=${fake.world.cluster.version}`);
      },
      23: ({ fake, names }) => {
        names.set('resourceVersion=4503', `resourceVersion=${fake.world.cluster.version}`);
      },
      24: ({ fake }) => fake.world.cluster.compact(),
    },
    during: {
      18: async ({ fake, wait }) => {
        const { cluster } = fake.world;
        const write = (name: string, change: (object: Obj) => void) =>
          cluster.update('configmaps', 'e-watch', name, change);
        write('openshift-service-ca.crt', (object) => {
          object.data = { 'service-ca.crt': 'newer certificates' };
        });
        fake.add('configmaps', { metadata: { name: 'w1', namespace: 'e-watch', labels: { app: 'x' } } });
        write('w1', (object) => {
          object.data = { a: '2' };
        });
        cluster.drop('configmaps', 'e-watch', 'w1');
        await wait(0.5);
      },
      19: ({ fake }) => {
        fake.add('configmaps', { metadata: { name: 'w2', namespace: 'e-watch', labels: { app: 'x' } } });
        fake.world.cluster.drop('configmaps', 'e-watch', 'w2');
      },
    },
    skip: {
      32: 'the phases of a pod that is made by hand are compared in logs.json; this watch counts every kubelet write',
    },
  },
  ...RUN_SCENES,
};
