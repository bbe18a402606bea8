import { text } from 'node:stream/consumers';
import { artefactOf, call } from '../contract/adapter-stage.js';
import { makeZip } from '../contract/archive.js';
import type { FakeOpenShift } from '../support/openshift.js';
import { ENVIRONMENT, failureOf, KEY, onOpenShift, PROJECT } from '../support/openshift-stage.js';

const imageOf = (fake: FakeOpenShift): string => {
  const spec = fake.world.cluster.read('deployments', PROJECT, 'a1-i1')?.spec as {
    template: { spec: { containers: { image: string }[] } };
  };
  return spec.template.spec.containers[0]?.image ?? '';
};
const annotations = (fake: FakeOpenShift) =>
  fake.world.cluster.read('deployments', PROJECT, 'a1-i1')?.metadata.annotations ?? {};

describe('processes that do not come up', () => {
  test(
    'because they crash: told with their exit and their last lines',
    () =>
      onOpenShift(async ({ fake, adapter, page }) => {
        const bytes = await makeZip({
          'package.json': '{}',
          'server.js': "console.log('no database'); process.exit(3)",
        });
        await adapter.deploy(await page('', { artefact: artefactOf('shop.zip', 'zip', bytes) }), call());
        const failure = await failureOf(adapter.start(KEY, call()));
        expect(failure.kind).toBe('failed');
        expect(failure.message).toMatch(/exited with status 3[\s\S]*no database/);
        const [seen] = await adapter.observe(call());
        expect(seen).toMatchObject({ state: 'FAILED', reason: expect.stringContaining('status 3') });
        expect(await text(await adapter.logs(KEY, { lines: 10, follow: false }, call()))).toContain('no database');
        expect((await adapter.stop(KEY, call())).state).toBe('STOPPED');
        expect(
          fake.world.cluster
            .list('pods', PROJECT)
            .filter((pod) => pod.metadata.name.startsWith('a1-i1-') && !/build$/.test(pod.metadata.name)),
        ).toEqual([]);
      }),
    30_000,
  );

  test(
    'because their image cannot be pulled: told soon',
    () =>
      onOpenShift(async ({ fake, adapter, page }) => {
        await adapter.deploy(await page('hello'), call());
        fake.trouble.pullFails = true;
        const failure = await failureOf(adapter.start(KEY, call()));
        expect(failure).toMatchObject({ kind: 'failed', message: expect.stringContaining('ImagePullBackOff') });
        fake.trouble.pullFails = false;
        expect((await adapter.start(KEY, call())).state).toBe('STARTED');
      }),
    30_000,
  );

  test(
    "because the project's quota is used up: told as quota; scaling goes back to what was",
    () =>
      onOpenShift(
        async ({ fake, adapter, page }) => {
          await adapter.deploy(await page('hello'), call());
          await adapter.start(KEY, call());
          fake.add('resourcequotas', {
            metadata: { name: 'small', namespace: PROJECT },
            spec: { hard: { 'limits.memory': '600Mi' } },
          });
          const failure = await failureOf(adapter.scale(KEY, 3, call()));
          expect(failure).toMatchObject({ kind: 'quota', message: expect.stringContaining('exceeded quota: small') });
          expect(await adapter.observe(call())).toMatchObject([{ state: 'STARTED', processes: 1 }]);
        },
        { options: { rolloutTimeout: 8 }, fake: { second: 100 } },
      ),
    30_000,
  );

  test.each([
    ['because no node has room', 'unschedulable' as const, 'failed', /Insufficient memory/],
    ['because they never listen', 'neverReady' as const, 'timeout', /port 8080/],
  ])(
    '%s: told after the limit',
    (_, trouble, kind, words) =>
      onOpenShift(
        async ({ fake, adapter, page }) => {
          await adapter.deploy(await page('hello'), call());
          fake.trouble[trouble] = true;
          const failure = await failureOf(adapter.start(KEY, call()));
          expect(failure.kind).toBe(kind);
          expect(failure.message).toMatch(words);
        },
        { options: { rolloutTimeout: 3 }, fake: { second: 100 } },
      ),
    30_000,
  );

  test('because the router refuses their address: the conflict is told and nothing is left', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      await adapter.createEnvironment(ENVIRONMENT, call());
      const before = fake.inventory();
      fake.trouble.routeRefused = 'HostAlreadyClaimed';
      expect(await failureOf(adapter.deploy(await page('hello'), call()))).toMatchObject({
        kind: 'conflict',
        message: expect.stringContaining('HostAlreadyClaimed'),
      });
      expect(fake.inventory()).toEqual(before);
    }));
});

describe('a new version that does not come up', () => {
  test(
    'never takes the place of the old one, whose image is applied again by its digest',
    () =>
      onOpenShift(async ({ fake, adapter, page }) => {
        await adapter.deploy(await page('old'), call());
        const { uri } = await adapter.start(KEY, call());
        const old = imageOf(fake);
        expect(old).toMatch(/@sha256:[0-9a-f]{64}$/);
        fake.trouble.crashes = true;
        const failure = await failureOf(adapter.deploy(await page('new', { versionId: 2 }), call()));
        fake.trouble.crashes = false;
        expect(failure.kind).toBe('failed');
        expect(imageOf(fake)).toBe(old);
        expect(await fake.visit(uri)).toEqual({ status: 200, text: 'old' });
        expect(await adapter.observe(call())).toMatchObject([{ state: 'STARTED', versionId: 1 }]);
        expect(annotations(fake)['coaps.gateway/previous']).toBeUndefined();
      }),
    30_000,
  );

  test(
    'is undone also when the gateway died in the middle of it and another one goes on',
    () =>
      onOpenShift(async ({ fake, adapter, again, page }) => {
        await adapter.deploy(await page('old'), call());
        const { uri } = await adapter.start(KEY, call());
        const old = imageOf(fake);
        const next = await page('new', { versionId: 2 });
        fake.trouble.crashes = true;
        // Dies with the first look at the rollout.
        let dead = false;
        const free = fake.interfere((seen) => {
          if (annotations(fake)['coaps.gateway/previous'] !== undefined && seen.method === 'GET') dead = true;
          return dead ? 'cut' : undefined;
        });
        await failureOf((await again()).deploy(next, call()));
        free();
        expect(annotations(fake)['coaps.gateway/previous']).toContain('"versionId":1');
        expect(await failureOf(adapter.deploy(next, call()))).toMatchObject({ kind: 'failed' });
        expect(imageOf(fake)).toBe(old);
        expect(await fake.visit(uri)).toEqual({ status: 200, text: 'old' });
      }),
    30_000,
  );
});

describe('what runs', () => {
  test(
    "gets the environment's variables, and new ones with the next deploy",
    () =>
      onOpenShift(async ({ fake, adapter, page }) => {
        const server =
          "require('http').createServer((q, r) => r.end(process.env.GREETING + ' ' + process.env['odd-name'])).listen(8080)";
        const artefact = artefactOf('shop.zip', 'zip', await makeZip({ 'package.json': '{}', 'server.js': server }));
        const with_ = (variables: Record<string, string>) => ({ ...ENVIRONMENT, variables });
        const spec = await page('', {
          artefact,
          environment: with_({ GREETING: 'hello', 'odd-name': 'x', '1 2': 'never' }),
        });
        const { remarks } = await adapter.createEnvironment(spec.environment, call());
        expect(remarks.join()).toContain('1 2');
        await adapter.deploy(spec, call());
        const { uri } = await adapter.start(KEY, call());
        expect((await fake.visit(uri)).text).toBe('hello x');
        await adapter.deploy({ ...spec, environment: with_({ GREETING: 'bonjour', 'odd-name': 'y' }) }, call());
        expect((await fake.visit(uri)).text).toBe('bonjour y');
      }),
    30_000,
  );

  test(
    'is followed in its log through a restart',
    () =>
      onOpenShift(async ({ fake, adapter, page }) => {
        await adapter.deploy(await page('hello'), call());
        const { uri } = await adapter.start(KEY, call());
        const ending = new AbortController();
        const stream = await adapter.logs(KEY, { lines: 5, follow: true }, call(ending.signal));
        const lines: string[] = [];
        stream.setEncoding('utf8').on('data', (piece: string) => lines.push(...piece.split('\n').filter(Boolean)));
        const closed = new Promise((resolve) => stream.once('close', resolve));
        await fake.visit(uri, '/first');
        await adapter.restart(KEY, call());
        await fake.visit(uri, '/second');
        const end = Date.now() + 10_000;
        while (!lines.includes('GET /second') && Date.now() < end)
          await new Promise((resolve) => setTimeout(resolve, 10));
        ending.abort();
        await closed;
        expect(lines).toEqual(expect.arrayContaining(['GET /first', 'GET /second']));
        expect(lines.filter((line) => line === 'GET /first')).toHaveLength(1);
      }),
    30_000,
  );

  test('keeps its address when the application is renamed', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      const first = await adapter.deploy(await page('one'), call());
      const second = await adapter.deploy(await page('two', { versionId: 2, applicationName: 'Another Name' }), call());
      expect(second.uri).toBe(first.uri);
      expect(first.uri).toBe(`https://pet-clinic-a1-i1-${PROJECT}.${fake.domain}`);
      expect(fake.world.cluster.list('routes', PROJECT)).toHaveLength(1);
    }));

  test('answers under a configured domain, over plain HTTP when so configured', () =>
    onOpenShift(
      async ({ adapter, page }) => {
        const { uri } = await adapter.deploy(await page('one'), call());
        expect(uri).toBe(`http://pet-clinic-a1-i1-${PROJECT}.shops.example.org`);
      },
      { options: { routeDomain: 'shops.example.org', tls: false } },
    ));
});

describe('looking at everything', () => {
  test('takes three requests for an account that may see the cluster, and three for each own project otherwise', () =>
    onOpenShift(
      async ({ fake, adapter, page }) => {
        for (const envId of [1, 2]) {
          const environment = { ...ENVIRONMENT, envId };
          await adapter.deploy(await page('x', { key: { ...KEY, envId }, environment }), call());
        }
        fake.addProject('somebody-elses', 'alice');
        const asked: string[] = [];
        fake.onAnswer((seen, code) => asked.push(`${code} ${seen.path}`));
        const bob = await adapter.observe(call());
        expect(asked).toHaveLength(3);
        fake.rights.deny({ verb: 'list', plural: 'deployments' });
        expect(bob.map((one) => one.key.envId)).toEqual([1, 2]);
      },
      { fake: { observers: ['alice'] } },
    ));

  test('forgets for a while that it may not see the cluster', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      await adapter.deploy(await page('x'), call());
      await adapter.observe(call());
      const asked: string[] = [];
      fake.onAnswer((seen, code) => asked.push(`${code} ${seen.path}`));
      expect(await adapter.observe(call())).toHaveLength(1);
      expect(asked.filter((one) => one.startsWith('403'))).toEqual([]);
      expect(asked).toHaveLength(4);
    }));
});
