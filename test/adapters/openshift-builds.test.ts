import { Readable } from 'node:stream';
import { artefactOf, call } from '../contract/adapter-stage.js';
import { makeZip } from '../contract/archive.js';
import { ENVIRONMENT, failureOf, KEY, onOpenShift, PROJECT } from '../support/openshift-stage.js';

describe('builds', () => {
  test('wait for the service account of a new project, and for its credentials', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      fake.trouble.withoutBuilder = true;
      fake.trouble.builderRefusals = 2;
      const deploying = adapter.deploy(await page('hello'), call());
      let looked = 0;
      fake.onAnswer((seen) => {
        if (!seen.path.endsWith('/serviceaccounts/builder')) return;
        looked += 1;
        if (looked === 2) fake.trouble.withoutBuilder = false;
        fake.world.wake();
      });
      expect((await deploying).state).toBe('STOPPED');
      expect(fake.world.cluster.list('builds', PROJECT)).toHaveLength(1);
      expect(looked).toBeGreaterThan(1);
    }));

  test('a project that never gets that account ends the wait by its limit', () =>
    onOpenShift(
      async ({ fake, adapter, page }) => {
        fake.trouble.withoutBuilder = true;
        const failure = await failureOf(adapter.deploy(await page('hello'), call()));
        expect(failure).toMatchObject({
          kind: 'timeout',
          message: expect.stringContaining('service account "builder"'),
        });
      },
      { options: { buildStartTimeout: 1 } },
    ));

  test('that fail tell their reason and the end of their log, and leave nothing', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      await adapter.createEnvironment(ENVIRONMENT, call());
      const before = fake.inventory();
      fake.trouble.buildFails = true;
      const failure = await failureOf(adapter.deploy(await page('hello'), call()));
      expect(failure.kind).toBe('failed');
      expect(failure.message).toMatch(/GenericBuildFailed[\s\S]*npm ERR! missing script: build/);
      expect(fake.inventory()).toEqual(before);
    }));

  test("that no node takes end by a limit with the scheduler's words, and are cancelled", () =>
    onOpenShift(
      async ({ fake, adapter, page }) => {
        await adapter.createEnvironment(ENVIRONMENT, call());
        const before = fake.inventory();
        fake.trouble.unschedulable = true;
        const failure = await failureOf(adapter.deploy(await page('hello'), call()));
        expect(failure).toMatchObject({ kind: 'timeout', message: expect.stringContaining('Insufficient memory') });
        expect(fake.inventory()).toEqual(before);
      },
      { options: { buildStartTimeout: 1.5 } },
    ));

  test.each([
    ['that the server gives up waiting for (400)', 'unschedulable' as const, 5],
    ['for which no pod is made (504)', 'withoutBuildPod' as const, 20],
  ])('%s are told as not started, not tried again', (_, trouble, second) =>
    onOpenShift(
      async ({ fake, adapter, page }) => {
        await adapter.createEnvironment(ENVIRONMENT, call());
        let requests = 0;
        fake.onAnswer((seen) => {
          if (seen.path.endsWith('/instantiatebinary')) requests += 1;
        });
        fake.trouble[trouble] = true;
        expect((await failureOf(adapter.deploy(await page('hello'), call()))).kind).toBe('timeout');
        expect(requests).toBe(1);
        expect(fake.world.cluster.list('builds', PROJECT)).toEqual([]);
      },
      { fake: { second } },
    ),
  );

  test('that do not end are cancelled after their limit', () =>
    onOpenShift(
      async ({ fake, adapter, page }) => {
        fake.trouble.buildHangs = true;
        const failure = await failureOf(adapter.deploy(await page('hello'), call()));
        expect(failure).toMatchObject({ kind: 'timeout', message: expect.stringContaining('does not end') });
        expect(fake.world.cluster.list('builds', PROJECT)).toEqual([]);
      },
      { options: { buildTimeout: 0.5 } },
    ));

  test('tell the digest of their image in the log where their status has none', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      fake.trouble.withoutDigest = true;
      await adapter.deploy(await page('hello'), call());
      const started = await adapter.start(KEY, call());
      expect((await fake.visit(started.uri)).text).toBe('hello');
    }));

  test('are made once for one content: another version of the same bytes needs none, nor does the way back', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      const one = await page('one');
      const two = await page('two', { versionId: 2 });
      await adapter.deploy(one, call());
      await adapter.deploy({ ...one, versionId: 3 }, call());
      await adapter.deploy(two, call());
      await adapter.deploy({ ...one, versionId: 4 }, call());
      expect(fake.world.cluster.list('builds', PROJECT)).toHaveLength(2);
      expect((await fake.visit((await adapter.start(KEY, call())).uri)).text).toBe('one');
    }));

  test('are made again when their image was pruned', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      const one = await page('one');
      await adapter.deploy(one, call());
      await adapter.deploy(await page('two', { versionId: 2 }), call());
      const digest = fake.world.cluster.list('builds', PROJECT)[0]?.status?.['output'] as {
        to: { imageDigest: string };
      };
      fake.registry.prune(digest.to.imageDigest);
      await adapter.deploy({ ...one, versionId: 3 }, call());
      expect((await fake.visit((await adapter.start(KEY, call())).uri)).text).toBe('one');
    }));

  test(
    'never use half of a file, though a build of half of it ends well',
    () =>
      onOpenShift(async ({ fake, adapter, again }) => {
        const bytes = Buffer.from(`PK${'the whole archive '.repeat(20_000)}`);
        const whole = artefactOf('shop.war', 'war', bytes);
        const environment = { ...ENVIRONMENT, nodes: [{ name: 'tomcat', contentType: 'container' }] };
        const spec = { key: KEY, versionId: 1, applicationName: 'Shop', environment, artefact: whole, processes: 1 };
        await adapter.createEnvironment(environment, call());
        // A gateway that is killed in the middle of the upload: nothing of what it would clean up is cleaned up.
        const killed = await again();
        const die = new Error('killed');
        const half = {
          ...whole,
          open: () =>
            Readable.from(
              (async function* () {
                yield bytes.subarray(0, 1000);
                await new Promise((resolve) => setTimeout(resolve, 100));
                fake.interfere(() => (dead ? 'cut' : undefined));
                dead = true;
                throw die;
              })(),
            ),
        };
        let dead = false;
        await expect(killed.deploy({ ...spec, artefact: half }, call())).rejects.toThrow();
        dead = false;
        const left = fake.world.cluster.list('builds', PROJECT);
        expect(left).toHaveLength(1);
        await adapter.deploy(spec, call());
        const started = await adapter.start(KEY, call());
        const image = fake.registry.find(
          fake.world.cluster
            .list('pods', PROJECT)
            .map(imageOf)
            .find((one) => one.includes('/a1-i1@')) ?? '',
        );
        expect(image?.files.get('ROOT.war')?.length).toBe(bytes.length);
        expect((await fake.visit(started.uri)).status).toBe(200);
        expect(fake.world.cluster.list('builds', PROJECT)).toHaveLength(1);
      }),
    30_000,
  );

  test('an upload that is cut is made anew, and its half-fed build removed', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      let uploads = 0;
      fake.interfere((seen) => {
        if (!seen.path.endsWith('/instantiatebinary')) return undefined;
        uploads += 1;
        return uploads === 1 ? 'cut-after' : undefined;
      });
      await adapter.deploy(await page('hello'), call());
      expect(uploads).toBe(2);
      expect(fake.world.cluster.list('builds', PROJECT).map((one) => one.status?.['phase'])).toEqual(['Complete']);
    }));

  test('take a directory inside of a zip as the application, and run it', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      const server =
        "require('http').createServer((q, r) => r.end('from ' + process.cwd().split('/').pop())).listen(process.env.PORT)";
      const bytes = await makeZip({
        'shop/package.json': '{"main": "start.js"}',
        'shop/start.js': server,
        'README.md': 'x',
      });
      const spec = await page('', { artefact: artefactOf('shop.zip', 'zip', bytes) });
      await adapter.deploy(spec, call());
      expect(fake.world.cluster.read('buildconfigs', PROJECT, 'a1-i1')?.spec?.['source']).toMatchObject({
        contextDir: 'shop',
      });
      expect((await fake.visit((await adapter.start(KEY, call())).uri)).text).toMatch(/^from \d+$/);
    }));

  test('ask for rights by their names', () =>
    onOpenShift(async ({ fake, adapter, page }) => {
      fake.rights.deny({ plural: 'buildconfigs', subresource: 'instantiatebinary' });
      const failure = await failureOf(adapter.deploy(await page('hello'), call()));
      expect(failure).toMatchObject({
        kind: 'unauthorized',
        message: expect.stringContaining('buildconfigs/instantiatebinary'),
      });
    }));
});

function imageOf(pod: { spec?: Record<string, unknown> }): string {
  const containers = (pod.spec?.['containers'] ?? []) as { image: string }[];
  return containers[0]?.image ?? '';
}
