import { call } from '../contract/adapter-stage.js';
import type { FakeOpenShift } from '../support/openshift.js';
import { ENVIRONMENT, failureOf, KEY, onOpenShift, PROJECT } from '../support/openshift-stage.js';

const database = (...names: string[]) => ({
  ...ENVIRONMENT,
  nodes: names.map((name) => ({ name, contentType: 'database' })),
});
const secret = (fake: FakeOpenShift, name: string): Record<string, string> => {
  const data = fake.world.cluster.read('secrets', PROJECT, name)?.data ?? {};
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
};

describe('databases', () => {
  test(
    'run before the environment is there, and applications get their credentials',
    () =>
      onOpenShift(async ({ fake, adapter, page }) => {
        const environment = database('MYSQL_51', 'PostgreSQL', 'mysql');
        const { remarks } = await adapter.createEnvironment(environment, call());
        expect(remarks).toEqual([]);
        const deployments = fake.world.cluster.list('deployments', PROJECT);
        expect(deployments.map((one) => one.metadata.name)).toEqual(['db-mysql', 'db-mysql-2', 'db-postgresql']);
        expect(deployments.every((one) => one.status?.['availableReplicas'] === 1)).toBe(true);
        const mysql = secret(fake, 'db-mysql');
        expect(mysql).toMatchObject({
          MYSQL_HOST: 'db-mysql',
          MYSQL_PORT: '3306',
          MYSQL_USER: 'coaps',
          MYSQL_DATABASE: 'coaps',
        });
        expect(mysql['DATABASE_URL']).toBe(`mysql://coaps:${mysql['MYSQL_PASSWORD']}@db-mysql:3306/coaps`);
        expect(Object.keys(secret(fake, 'db-mysql-2')).every((name) => name.startsWith('MYSQL_2_'))).toBe(true);
        await adapter.deploy(await page('x', { environment }), call());
        const spec = fake.world.cluster.read('deployments', PROJECT, 'a1-i1')?.spec as {
          template: { spec: { containers: { envFrom: { secretRef: { name: string } }[] }[] } };
        };
        const names = spec.template.spec.containers[0]?.envFrom.map((one) => one.secretRef.name);
        expect(names).toEqual(['db-mysql', 'db-mysql-2', 'db-postgresql', 'coaps-variables']);
      }),
    30_000,
  );

  test('keep password, image and data when the environment is described again', () =>
    onOpenShift(async ({ fake, adapter }) => {
      await adapter.createEnvironment(database('mysql'), call());
      const before = secret(fake, 'db-mysql');
      const [pod] = fake.world.cluster.list('pods', PROJECT);
      fake.registry.push('openshift', 'mysql', 'latest', new Map([['image', Buffer.from('a newer one')]]));
      await adapter.createEnvironment(database('mysql'), call());
      expect(secret(fake, 'db-mysql')).toEqual(before);
      expect(fake.world.cluster.list('pods', PROJECT).map((one) => one.metadata.name)).toEqual([pod?.metadata.name]);
      const { remarks } = await adapter.createEnvironment(database(), call());
      expect(remarks).toEqual(['No longer described, but kept with their data: db-mysql.']);
      expect(fake.inventory()).toContain(`PersistentVolumeClaim ${PROJECT}/db-mysql`);
    }));

  test('keep the volume that they have when the settings ask for another', () =>
    onOpenShift(async ({ fake, adapter, again }) => {
      await adapter.createEnvironment(database('mysql'), call());
      const volume = () => fake.world.cluster.read('persistentvolumeclaims', PROJECT, 'db-mysql');
      const before = volume();
      const larger = await again({ storage: '20Gi', storageClass: 'fast' });
      const { remarks } = await larger.createEnvironment(database('mysql'), call());
      expect(remarks).toEqual([]);
      expect(volume()).toEqual(before);
    }));

  test(
    'come in the nearest version, from a relative where the cluster has no own image, or not at all',
    () =>
      onOpenShift(
        async ({ fake, adapter, again }) => {
          for (const [stream, tags] of [
            ['mariadb', ['10.11-el9']],
            ['postgresql', ['13-el9', '16-el9']],
          ] as const) {
            fake.add('imagestreams', { metadata: { name: stream, namespace: 'openshift' } });
            for (const tag of tags)
              fake.registry.push('openshift', stream, tag, new Map([['image', Buffer.from(stream)]]));
          }
          const nodes = [
            { name: 'postgres', contentType: 'database', version: '14' },
            { name: 'mysql', contentType: 'database' },
          ];
          const { remarks } = await adapter.createEnvironment({ ...ENVIRONMENT, nodes }, call());
          expect(remarks).toEqual([
            'postgresql 14 is not offered; 13 takes its place.',
            'This cluster has no image for mysql; mariadb takes its place.',
          ]);
          const before = fake.inventory();
          expect(await failureOf(adapter.createEnvironment(database('redis'), call()))).toMatchObject({
            kind: 'not-supported',
            message: expect.stringContaining('It has: mariadb, postgresql'),
          });
          expect(fake.inventory()).toEqual(before);
          const configured = await again({ databases: { redis: 'postgresql:16-el9' } });
          await configured.createEnvironment(database('redis'), call());
          expect(fake.inventory()).toContain(`Deployment ${PROJECT}/db-redis`);
        },
        { fake: { bare: true } },
      ),
    30_000,
  );

  test('that cannot run are told with their reason', () =>
    onOpenShift(async ({ fake, adapter }) => {
      fake.trouble.pullFails = true;
      const failure = await failureOf(adapter.createEnvironment(database('mysql'), call()));
      expect(failure).toMatchObject({
        kind: 'failed',
        message: expect.stringMatching(/database db-mysql.*ImagePullBackOff/),
      });
    }));

  test('whose names somebody else uses are a conflict', () =>
    onOpenShift(async ({ fake, adapter }) => {
      await adapter.createEnvironment(ENVIRONMENT, call());
      fake.add('secrets', { metadata: { name: 'db-mysql', namespace: PROJECT }, data: { MINE: 'bWluZQ==' } });
      expect(await failureOf(adapter.createEnvironment(database('mysql'), call()))).toMatchObject({ kind: 'conflict' });
      expect(secret(fake, 'db-mysql')).toEqual({ MINE: 'mine' });
    }));

  test(
    'never show a password: not in steps, errors or remarks',
    () =>
      onOpenShift(async ({ fake, adapter, page }) => {
        const told: string[] = [];
        const listening = call(undefined, (name, report) => told.push(`${name} ${report?.text}`));
        const environment = { ...database('mysql'), variables: { TOKEN: 'a-secret-of-the-user' } };
        const { remarks } = await adapter.createEnvironment(environment, listening);
        await adapter.deploy(await page('x', { environment }), listening);
        fake.trouble.crashes = true;
        const { message } = await failureOf(adapter.start(KEY, listening));
        const all = [...told, ...remarks, message, JSON.stringify(await adapter.observe(call()))].join('\n');
        for (const value of ['a-secret-of-the-user', secret(fake, 'db-mysql')['MYSQL_PASSWORD'] ?? '?'])
          expect(all).not.toContain(value);
      }),
    30_000,
  );
});

describe('a database from a template', () => {
  const template = (objects: object[]) => ({
    metadata: { name: 'redis-persistent', namespace: 'openshift' },
    parameters: [
      { name: 'DATABASE_SERVICE_NAME', value: 'redis' },
      { name: 'PASSWORD', generate: 'expression', from: '[A-Z0-9]{8}' },
    ],
    objects,
  });
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: '${DATABASE_SERVICE_NAME}' },
      stringData: { REDIS_PASSWORD: '${PASSWORD}' },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: '${DATABASE_SERVICE_NAME}' },
      spec: { ports: [{ name: 'redis', port: 6379 }], selector: { name: '${DATABASE_SERVICE_NAME}' } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: '${DATABASE_SERVICE_NAME}' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { name: '${DATABASE_SERVICE_NAME}' } },
        template: {
          metadata: { labels: { name: '${DATABASE_SERVICE_NAME}' } },
          spec: {
            containers: [
              {
                name: 'database',
                image: 'image-registry.openshift-image-registry.svc:5000/openshift/redis:latest',
                ports: [{ containerPort: 6379 }],
                readinessProbe: { tcpSocket: { port: 6379 } },
              },
            ],
          },
        },
      },
    },
  ];
  const options = { databases: { redis: 'template:openshift/redis-persistent' } };

  test('is made with our labels once, with its password drawn once', () =>
    onOpenShift(
      async ({ fake, adapter }) => {
        fake.add('templates', template(objects));
        await adapter.createEnvironment(database('redis'), call());
        const before = secret(fake, 'db-redis');
        expect(before['REDIS_PASSWORD']).toMatch(/.{6}/);
        const made = fake.inventory();
        await adapter.createEnvironment(database('redis'), call());
        expect(secret(fake, 'db-redis')).toEqual(before);
        expect(fake.inventory()).toEqual(made);
        expect(fake.world.cluster.read('deployments', PROJECT, 'db-redis')?.status?.['availableReplicas']).toBe(1);
      },
      { options },
    ));

  test('that makes what the gateway does not follow is refused', () =>
    onOpenShift(
      async ({ fake, adapter }) => {
        fake.add(
          'templates',
          template([{ apiVersion: 'apps.openshift.io/v1', kind: 'DeploymentConfig', metadata: { name: 'x' } }]),
        );
        expect(await failureOf(adapter.createEnvironment(database('redis'), call()))).toMatchObject({
          kind: 'not-supported',
          message: expect.stringContaining('DeploymentConfig'),
        });
      },
      { options },
    ));
});
