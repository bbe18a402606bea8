import { call } from '../contract/adapter-stage.js';
import { need } from '../support/openshift/resources.js';
import type { Seen } from '../support/openshift.js';
import { ENVIRONMENT, failureOf, KEY, onOpenShift, PROJECT } from '../support/openshift-stage.js';

const status = (code: number, reason: string, message: string) => ({
  code,
  body: { kind: 'Status', status: 'Failure', message, reason, code },
});
/** Interferes with the first requests that fit, so many times. */
const first = <T>(times: number, fits: (seen: Seen) => boolean, what: T) => {
  let left = times;
  return (seen: Seen): T | undefined => (left > 0 && fits(seen) && left-- > 0 ? what : undefined);
};

describe('an API server in trouble', () => {
  test('an expired token is told as such, and a new one works', () =>
    onOpenShift(async ({ fake, adapter, again, page }) => {
      await adapter.deploy(await page('hello'), call());
      fake.expire('alice');
      expect(await failureOf(adapter.start(KEY, call()))).toMatchObject({
        kind: 'unauthorized',
        message: expect.stringContaining('Log in again'),
      });
      expect((await (await again()).start(KEY, call())).state).toBe('STARTED');
    }));

  test('a missing right is named, and nothing is left of the deploy that needed it', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      await adapter.createEnvironment(ENVIRONMENT, call());
      const before = fake.inventory();
      fake.rights.deny({ verb: 'patch', plural: 'routes' });
      const failure = await failureOf(adapter.deploy(await page('hello'), call()));
      expect(failure.kind).toBe('unauthorized');
      expect(failure.message).toMatch(/cannot patch resource "routes"/);
      expect(fake.inventory()).toEqual(before);
    }));

  test('a write that lost a race is made again, a field that somebody changed is taken back', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      await adapter.deploy(await page('hello'), call());
      fake.world.cluster.update('deployments', PROJECT, 'a1-i1', (object) => {
        object.metadata.managedFields?.push({
          manager: 'kubectl-edit',
          operation: 'Update',
          apiVersion: 'apps/v1',
          time: '2026-01-01T00:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': { 'f:progressDeadlineSeconds': {} } },
        });
        object.spec = { ...object.spec, progressDeadlineSeconds: 7 };
      });
      const modified = status(
        409,
        'Conflict',
        'Operation cannot be fulfilled on deployments.apps "a1-i1": the object has been modified; please apply your changes',
      );
      fake.interfere(first(1, (seen) => seen.method === 'PATCH' && seen.path.endsWith('/deployments/a1-i1'), modified));
      await adapter.deploy(await page('again', { versionId: 2 }), call());
      expect(fake.world.cluster.read('deployments', PROJECT, 'a1-i1')?.spec?.['progressDeadlineSeconds']).toBe(600);
    }));

  test(
    '429, 500, 503 and cut connections are passed over, each request with its own patience',
    () =>
      onOpenShift(async ({ fake, adapter, page }) => {
        let count = 0;
        const troubles = [
          { code: 429, body: 'slow down', headers: { 'retry-after': '1' } },
          status(500, 'InternalError', 'etcdserver: leader changed'),
          { code: 503, body: '<html>no backend</html>' },
          'cut' as const,
        ];
        fake.interfere((seen) => {
          const isBuild = seen.path.endsWith('/instantiatebinary');
          count += 1;
          return count % 5 === 0 && !isBuild
            ? troubles[(count / 5) % 4 === 1 && count > 20 ? 1 : (count / 5) % 4]
            : undefined;
        });
        await adapter.deploy(await page('hello'), call());
        expect((await adapter.start(KEY, call())).state).toBe('STARTED');
        expect(count).toBeGreaterThan(20);
      }),
    60_000,
  );

  test('an apply that the server will never take is not sent twice', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      let sent = 0;
      const malformed = status(
        500,
        '',
        'failed to create typed patch object (/a1-i1; apps/v1, Kind=Deployment): .spec.x: field not declared in schema',
      );
      fake.interfere((seen) => {
        if (seen.method !== 'PATCH' || !seen.path.includes('/deployments/')) return undefined;
        sent += 1;
        return malformed;
      });
      expect((await failureOf(adapter.deploy(await page('hello'), call()))).kind).toBe('rejected');
      expect(sent).toBe(1);
    }));

  test('a server that does not answer ends the call by its limit', () =>
    onOpenShift(
      async ({ fake, adapter }) => {
        fake.interfere(() => ({ wait: 30_000 }));
        expect(await failureOf(adapter.observe(call()))).toMatchObject({
          kind: 'timeout',
          message: expect.stringContaining('0.2 s'),
        });
      },
      { options: { requestTimeout: 0.2 } },
    ));

  test('nobody at the address is unavailable', () =>
    onOpenShift(async ({ again }) => {
      const adapter = await again({ server: 'http://127.0.0.1:9' });
      expect(await failureOf(adapter.observe(call()))).toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining('ECONNREFUSED'),
      });
    }));

  test(
    'watches that are cut, too old or forbidden do not lose a build or a rollout',
    () =>
      onOpenShift(async ({ fake, adapter, page }) => {
        const worry = setInterval(() => {
          fake.world.cluster.compact();
          fake.cutWatches();
        }, 15);
        try {
          await adapter.deploy(await page('hello'), call());
          expect((await adapter.start(KEY, call())).state).toBe('STARTED');
        } finally {
          clearInterval(worry);
        }
        fake.rights.deny({ verb: 'watch', plural: 'deployments' });
        fake.rights.deny({ verb: 'watch', plural: 'pods' });
        expect((await adapter.restart(KEY, call())).state).toBe('STARTED');
      }),
    60_000,
  );
});

describe('a project in trouble', () => {
  test(
    'one of somebody else under our name is left alone',
    () =>
      onOpenShift(async ({ fake, adapter }) => {
        fake.addProject(PROJECT, 'bob', 'my shop');
        const before = fake.inventory();
        expect(await failureOf(adapter.createEnvironment(ENVIRONMENT, call()))).toMatchObject({ kind: 'conflict' });
        await adapter.deleteEnvironment(ENVIRONMENT, call());
        expect(fake.inventory()).toEqual(before);
      }),
    20_000,
  );

  test('one that we can see and did not make is left alone as well', () =>
    onOpenShift(async ({ fake, adapter }) => {
      fake.addProject(PROJECT, 'alice', 'my shop');
      const before = fake.inventory();
      expect(await failureOf(adapter.createEnvironment(ENVIRONMENT, call()))).toMatchObject({ kind: 'conflict' });
      await adapter.deleteEnvironment(ENVIRONMENT, call());
      expect(fake.inventory()).toEqual(before);
    }));

  test('one whose description was changed is still known by what is in it', () =>
    onOpenShift(async ({ fake, adapter }) => {
      await adapter.createEnvironment(ENVIRONMENT, call());
      fake.world.cluster.update('namespaces', undefined, PROJECT, ({ metadata }) => {
        metadata.annotations = { ...metadata.annotations, 'openshift.io/description': 'Our shop' };
      });
      await adapter.createEnvironment(ENVIRONMENT, call());
      await adapter.deleteEnvironment(ENVIRONMENT, call());
      expect(fake.inventory()).toEqual([]);
    }));

  test('one that is going away is waited for and made again', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      await adapter.deploy(await page('hello'), call());
      await adapter.start(KEY, call());
      const deleting = adapter.deleteEnvironment(ENVIRONMENT, call());
      while (fake.world.cluster.read('namespaces', undefined, PROJECT)?.status?.['phase'] !== 'Terminating') {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await adapter.createEnvironment(ENVIRONMENT, call());
      await deleting;
      expect(fake.inventory()).toContain(`ConfigMap ${PROJECT}/coaps`);
    }));

  test('one that went away and was made anew between two looks is not waited for', () =>
    onOpenShift(async ({ fake, adapter }) => {
      const { cluster } = fake.world;
      await adapter.createEnvironment(ENVIRONMENT, call());
      const annotations = cluster.read('namespaces', undefined, PROJECT)?.metadata.annotations ?? {};
      fake.trouble.stuckTerminating = true;
      const deleting = adapter.deleteEnvironment(ENVIRONMENT, call());
      while (cluster.read('namespaces', undefined, PROJECT)?.status?.['phase'] !== 'Terminating') {
        await new Promise((resolve) => setImmediate(resolve));
      }
      cluster.drop('namespaces', undefined, PROJECT);
      cluster.insert(need('namespaces'), {
        kind: 'Namespace',
        apiVersion: 'v1',
        metadata: { name: PROJECT, annotations },
        status: { phase: 'Active' },
      });
      await deleting;
      expect(cluster.read('namespaces', undefined, PROJECT)?.status?.['phase']).toBe('Active');
    }));

  test('one that is stuck in Terminating ends the wait, and what holds it is told', () =>
    onOpenShift(
      async ({ fake, adapter }) => {
        await adapter.createEnvironment(ENVIRONMENT, call());
        fake.trouble.stuckTerminating = true;
        const failure = await failureOf(adapter.deleteEnvironment(ENVIRONMENT, call()));
        expect(failure).toMatchObject({
          kind: 'timeout',
          message: expect.stringMatching(/Terminating.*finalizers remaining/),
        });
        fake.trouble.stuckTerminating = false;
        fake.world.wake();
        await adapter.deleteEnvironment(ENVIRONMENT, call());
        expect(fake.inventory()).toEqual([]);
      },
      { options: { deleteTimeout: 1 } },
    ));

  test('things in it that somebody else made keep their names', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      await adapter.createEnvironment(ENVIRONMENT, call());
      fake.add('services', {
        metadata: { name: 'a1-i1', namespace: PROJECT },
        spec: { ports: [{ port: 80 }], selector: { app: 'mine' } },
      });
      const before = fake.world.cluster.read('services', PROJECT, 'a1-i1');
      expect(await failureOf(adapter.deploy(await page('hello'), call()))).toMatchObject({
        kind: 'conflict',
        message: expect.stringContaining('Service "a1-i1"'),
      });
      expect(fake.world.cluster.read('services', PROJECT, 'a1-i1')).toEqual(before);
    }));
});
