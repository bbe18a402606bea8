import type { Obj } from './objects.js';
import type { Scene, Stage } from './replay.js';
import { buildConfig, project, stream } from './scenes.js';

const REGISTRY = 'image-registry.openshift-image-registry.svc:5000';

/** Says what it is asked for, and good-bye. */
const SERVER = `
const { createServer } = require('node:http');
console.log('starting');
createServer((request, response) => { console.log('GET ' + request.url); response.end('ok'); }).listen(8080, () => console.log('listening on 8080'));
process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });
`;

async function image(stage: Stage, namespace: string, files: Record<string, string>): Promise<void> {
  const entries = Object.entries(files).map(([name, text]) => [name, Buffer.from(text)] as const);
  stage.fake.registry.push(namespace, 'web', 'latest', new Map(entries));
}

async function runProject(stage: Stage): Promise<void> {
  await project(stage, 'e-run');
  await stream(stage, 'e-run', 'web');
  await image(stage, 'e-run', { 'index.html': 'web' });
}

function deployment(name: string, more: { replicas?: number; image?: string } = {}): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app: name } },
    spec: {
      replicas: more.replicas ?? 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 10,
          containers: [
            {
              name: 'web',
              image: more.image ?? `${REGISTRY}/e-trig/web:latest`,
              ports: [{ containerPort: 8080, name: 'http' }],
              readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

/** As in the recording that this one goes on from. */
const TRIGGERED = {
  name: 'web',
  labels: { app: 'web' },
  annotations: {
    'image.openshift.io/triggers':
      '[{"from":{"kind":"ImageStreamTag","name":"web:latest"},"fieldPath":"spec.template.spec.containers[?(@.name==\\"web\\")].image"}]',
  },
};

async function apply(stage: Stage, namespace: string, name: string, body: object): Promise<void> {
  await stage.ask('PATCH', `/apis/apps/v1/namespaces/${namespace}/deployments/${name}?fieldManager=gateway`, body, {
    type: 'application/apply-patch+yaml',
  });
}

const podsOf = (stage: Stage, namespace: string, app: string): Obj[] =>
  stage.fake.world.cluster.list('pods', namespace).filter((pod) => pod.metadata.labels?.['app'] === app);

async function ready(stage: Stage, namespace: string, app: string): Promise<void> {
  await stage.until(`${app} is ready`, () => {
    const status = JSON.stringify(stage.fake.world.cluster.read('deployments', namespace, app)?.status ?? {});
    return status.includes('NewReplicaSetAvailable');
  });
}

/** An image with nothing but what a command needs. */
function nodeImage({ fake }: Stage): void {
  fake.add('imagestreams', { metadata: { name: 'node', namespace: 's2i' } });
  fake.registry.push('s2i', 'node', '20', new Map());
}

async function trigProject(stage: Stage): Promise<void> {
  await project(stage, 'e-trig');
  await stream(stage, 'e-trig', 'web');
  await image(stage, 'e-trig', { 'server.js': SERVER });
}

export const RUN_SCENES: Readonly<Record<string, Scene>> = {
  'deployment-apply': {
    second: 100,
    prepare: runProject,
    skip: { 27: 'the managedFields that were sent were taken out of the recording' },
    allow: {
      // How far a rollout had come is of that moment.
      ...Object.fromEntries([1, 2, 3, 4, 5, 7, 8, 9, 11, 29, 32].map((index) => [index, ['/status', '/annotations']])),
    },
  },
  rollout: {
    second: 150,
    prepare: runProject,
    skip: {
      6: 'counts every write of a controller',
      10: 'between two writes of a controller',
      27: 'between two writes of a controller',
      36: 'between two writes of a controller',
    },
    before: {
      // An apply that was not recorded, as the generations show.
      37: async ({ ask, entries }) => {
        const path = `${entries[25]?.request.path}&force=true`;
        await ask('PATCH', path, entries[25]?.request.body, { type: 'application/apply-patch+yaml' });
      },
    },
    allow: Object.fromEntries([7, 15, 16, 25, 26, 30, 31, 33, 37, 39, 44].map((index) => [index, ['/status']])),
  },
  'pods-in-trouble': {
    second: 100,
    prepare: runProject,
    skip: Object.fromEntries([1, 15, 23, 28, 33, 38, 43, 48].map((index) => [index, 'before a controller had looked'])),
    // Events are counted and worded by each node in its own way.
    // The quota of the recording was used up by other things.
    allow: { 13: ['/items'], 21: ['/items'], 31: ['/items'], 62: ['ReplicaFailure/message'] },
    before: {
      59: async ({ fake }) => {
        const hard = { 'limits.memory': '1Gi', pods: '10' };
        const quota = fake.add('resourcequotas', { metadata: { name: 'small', namespace: 'e-run' }, spec: { hard } });
        fake.world.cluster.update('resourcequotas', 'e-run', quota.metadata.name, (object) => {
          object.status = { hard, used: { 'limits.memory': '922672Mi', pods: '10' } };
        });
      },
    },
  },
  'service-route': {
    second: 60,
    async prepare(stage) {
      await runProject(stage);
      await apply(stage, 'e-run', 'web', deployment('web', { replicas: 2, image: `${REGISTRY}/e-run/web:latest` }));
      await ready(stage, 'e-run', 'web');
    },
    allow: {
      2: ['/generation', '/endpoints'],
      // The recording's router took but the first of them.
      22: ['/status/ingress'],
    },
  },
  logs: {
    second: 200,
    skip: { 4: 'the last second of a clock that waits for nobody' },
    users: { 15: 'bob' },
    async prepare(stage) {
      await trigProject(stage);
      await apply(stage, 'e-trig', 'web', deployment('web'));
      await ready(stage, 'e-trig', 'web');
      const [pod] = podsOf(stage, 'e-trig', 'web');
      stage.names.set('web-d8ffb9ff7-hqwh4', pod?.metadata.name ?? '');
    },
    during: {
      10: async (stage) => {
        const [pod] = podsOf(stage, 'e-trig', 'web');
        await stage.wait(0.2);
        for (const path of ['/three', '/four']) await visit(stage, pod, path);
        await stage.ask('DELETE', `/api/v1/namespaces/e-trig/pods/${pod?.metadata.name}`);
      },
    },
    before: {
      0: async (stage) => {
        const [pod] = podsOf(stage, 'e-trig', 'web');
        for (const path of ['/one', '/two']) await visit(stage, pod, path);
      },
      12: async (stage) => {
        nodeImage(stage);
        const say = (name: string) => ({
          name,
          image: `${REGISTRY}/s2i/node:20`,
          command: ['/bin/sh', '-c', `echo from ${name}`],
        });
        await stage.ask('POST', '/api/v1/namespaces/e-trig/pods', {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'two' },
          spec: { restartPolicy: 'Never', containers: [say('a'), say('b')] },
        });
        await stage.until(
          'the pod ended',
          () => stage.fake.world.cluster.read('pods', 'e-trig', 'two')?.status?.['phase'] === 'Succeeded',
        );
      },
    },
  },
  'image-trigger': {
    second: 60,
    async prepare(stage) {
      await project(stage, 'e-trig');
      await stream(stage, 'e-trig', 'web');
    },
    before: {
      5: (stage) => image(stage, 'e-trig', { 'index.html': 'first' }),
      11: (stage) => image(stage, 'e-trig', { 'index.html': 'second' }),
      17: ({ fake, names }) => {
        const tags = fake.world.cluster.read('imagestreams', 'e-trig', 'web')?.status?.['tags'] as {
          items: { image: string }[];
        }[];
        names.set(
          'sha256:c86d6b2d4721fc4c5573d50e6f2830837f9a086cd422b12099a080b8202c5b04',
          tags[0]?.items[0]?.image ?? '',
        );
      },
    },
    allow: Object.fromEntries([0, 2, 4, 5, 6, 7, 9, 10, 11, 15, 16].map((index) => [index, ['/status', 'revision']])),
    skip: { 13: 'before a controller had looked' },
  },
  delete: {
    second: 300,
    // How far its last rollout had come.
    allow: {
      ...Object.fromEntries([5, 6, 7, 8, 9].map((index) => [index, ['/status', 'revision']])),
      // The garbage collector was slower there.
      14: ['/deletion'],
    },
    users: { 31: 'bob', 32: 'bob' },
    async prepare(stage) {
      for (const name of ['e-build', 'e-errors', 'e-fail', 'e-queue', 'e-run', 'e-shop', 'e-watch'])
        stage.fake.addProject(name, 'alice');
      await trigProject(stage);
      await image(stage, 'e-trig', { 'index.html': 'web' });
      await buildConfig(stage, 'e-trig', 'web');
      await stage.ask('POST', '/api/v1/namespaces/e-trig/secrets', {
        metadata: { name: 'env' },
        stringData: { A: 'b' },
      });
      await apply(stage, 'e-trig', 'local', deployment('local', { image: 'web:latest' }));
      await ready(stage, 'e-trig', 'local');
      await apply(stage, 'e-trig', 'web', { ...deployment('web', { image: ' ' }), metadata: TRIGGERED });
      await ready(stage, 'e-trig', 'web');
    },
    before: {
      11: async (stage) => {
        await apply(stage, 'e-trig', 'noimage', deployment('noimage', { image: 'web:latest' }));
        await ready(stage, 'e-trig', 'noimage');
      },
      21: async (stage) => {
        nodeImage(stage);
        await stage.ask('POST', '/api/v1/namespaces/e-trig/pods', {
          metadata: { name: 'stubborn' },
          spec: {
            terminationGracePeriodSeconds: 20,
            containers: [
              {
                name: 'a',
                image: `${REGISTRY}/s2i/node:20`,
                command: ['/bin/sh', '-c', "trap '' TERM; sleep 60 & wait; wait; sleep 60"],
              },
            ],
          },
        });
        await stage.until('the pod runs', () =>
          JSON.stringify(stage.fake.world.cluster.read('pods', 'e-trig', 'stubborn')?.status ?? {}).includes('running'),
        );
      },
    },
  },
};

async function visit({ fake }: Stage, pod: Obj | undefined, path: string): Promise<void> {
  await fetch(`http://127.0.0.1:${fake.podPort(pod?.metadata.uid ?? '', 8080)}${path}`);
}
