import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { isNativeError } from 'node:util/types';
import type { AdapterCall, ArtefactSource } from '../../adapters/adapter.js';
import { cloudFoundryDefinition } from '../../adapters/cloudfoundry/definition.js';
import { artefactOf, call } from '../contract/adapter-stage.js';
import { makeZip } from '../contract/archive.js';
import { PASSWORDS } from '../support/cloudfoundry/seed.js';
import type { Fault } from '../support/cloudfoundry/trouble.js';
import { contextFor, deploymentOf, environmentOf, openScenery, type Scenery } from '../support/cloudfoundry-bench.js';

let scenery: Scenery;
afterEach(() => scenery.close());

describe('200 deployments at once', () => {
  test('lose none, double none, log in once and keep to the rate limit', async () => {
    const limit = { requests: 2000, reset: 1500 };
    scenery = await openScenery({ rateLimit: limit, records: true }, { patience: 120, pollInterval: 0.2 });
    const { adapter, fake } = scenery;
    const specs = await Promise.all(Array.from({ length: 200 }, (_, at) => deploymentOf('one', { appId: at + 1 })));
    const reports = await Promise.all(specs.map((spec) => adapter.deploy(spec, call())));
    expect(new Set(reports.map(({ ref }) => ref)).size).toBe(200);
    expect(new Set(reports.map(({ uri }) => uri)).size).toBe(200);
    const kinds = fake.inventory().map((line) => line.split(' ')[0]);
    expect(
      Object.fromEntries(
        ['app', 'package', 'droplet', 'route'].map((kind) => [kind, kinds.filter((one) => one === kind).length]),
      ),
    ).toEqual({ app: 200, package: 200, droplet: 200, route: 200 });
    expect(fake.uaa.grants).toEqual(['password']);
    expect((await adapter.observe(call())).length).toBe(200);
    // When the limit is spent, only those that were on their way are refused; the others wait until it opens again.
    const refused = fake.exchanges.filter(({ status }) => status === 429).length;
    expect(fake.requests.length).toBeGreaterThan(1.5 * limit.requests);
    expect(refused).toBeLessThanOrEqual(32 * Math.ceil(fake.requests.length / limit.requests));
  }, 180_000);
});

describe('a large artefact', () => {
  test('passes through without being held in memory', async () => {
    scenery = await openScenery();
    const spec = await deploymentOf('one', { artefact: largeArtefact(512) });
    const before = process.memoryUsage().rss;
    let highest = before;
    const watching = setInterval(() => {
      highest = Math.max(highest, process.memoryUsage().rss);
    }, 20);
    const steps: string[] = [];
    const step: AdapterCall['step'] = (name, report) => void steps.push(`${name} ${report?.text ?? ''}`);
    try {
      await scenery.adapter.deploy(spec, call(undefined, step));
    } finally {
      clearInterval(watching);
    }
    expect(scenery.fake.world.packages[0]?.size).toBe(512 * MIB);
    expect((highest - before) / MIB).toBeLessThan(200);
    expect(steps).toContain('upload uploaded 512 of 512 MiB');
  }, 120_000);

  test('is sent again from its beginning when the connection is cut in the middle', async () => {
    scenery = await openScenery();
    scenery.fake.trouble.plan({ fault: { kind: 'cut upload' }, on: /upload$/, times: 2 });
    const artefact = artefactOf('big.zip', 'zip', await makeZip({ 'data.bin': randomBytes(8 * MIB) }));
    await scenery.adapter.deploy(await deploymentOf('one', { artefact }), call());
    expect(scenery.fake.trouble.happened).toEqual([
      expect.stringContaining('cut upload'),
      expect.stringContaining('cut upload'),
    ]);
    expect(scenery.fake.world.packages.map(({ state, size }) => [state, size])).toEqual([['READY', artefact.size]]);
  });
});

const MIB = 1024 * 1024;

/** An archive by its first bytes; the platform does not look further. */
function largeArtefact(mebibytes: number): ArtefactSource {
  const chunk = Buffer.alloc(MIB);
  chunk.write('PK\x03\x04');
  const open = () => Readable.from(Array.from({ length: mebibytes }, () => chunk));
  return { name: 'large.zip', type: 'zip', size: mebibytes * MIB, sha256: 'f'.repeat(64), open };
}

describe('secrets', () => {
  const FAULTS: Fault[] = [
    { kind: 'indiscreet', status: 500 },
    { kind: 'indiscreet', status: 422 },
    { kind: 'indiscreet', status: 401 },
    { kind: 'cut', when: 'before' },
    { kind: 'bad gateway', when: 'after' },
    { kind: 'limited', seconds: 60 },
  ];

  test('stand in nothing that the adapter says, also when the platform repeats them', async () => {
    const said: string[] = [];
    const hear = (...heard: unknown[]) => void said.push(...heard.map(everythingIn));
    scenery = await openScenery({}, { patience: 0.1 });
    const { fake } = scenery;
    const listening = { debug: hear, info: hear, warn: hear, error: hear };
    const context = { ...contextFor(fake, { patience: 0.1 }), log: listening };
    const step: AdapterCall['step'] = (...told) => hear(told);
    const nodes = [{ name: 'mysql', contentType: 'database' }];
    const spec = await deploymentOf('one', {
      environment: environmentOf({ nodes, variables: { TOKEN: PASSWORDS.dev } }),
    });
    for (const fault of FAULTS) {
      const adapter = await cloudFoundryDefinition.create(context);
      const works = [
        () => adapter.info(call(undefined, step)),
        () => adapter.createEnvironment(spec.environment, call(undefined, step)),
        () => adapter.deploy(spec, call(undefined, step)),
        () => adapter.start(spec.key, call(undefined, step)),
        async () => text(await adapter.logs(spec.key, { lines: 100, follow: false }, call(undefined, step))),
        () => adapter.observe(call(undefined, step)),
        () => adapter.undeploy(spec.key, call(undefined, step)),
      ];
      for (const work of works) {
        await work().then(hear, hear);
        fake.trouble.plan({ fault, on: /./, times: 1000 });
        await work().then(hear, hear);
        fake.trouble.clear();
      }
      await adapter.close();
    }
    for (const changes of [{ password: `${PASSWORDS.dev}-wrong` }, { apiUrl: 'http://127.0.0.1:9' }, {}]) {
      const checked = cloudFoundryDefinition.check?.(
        { ...context, options: { ...context.options, ...changes } },
        new AbortController().signal,
      );
      await checked?.then(hear, hear);
    }
    const all = said.join('\n');
    expect(all.length).toBeGreaterThan(5000);
    expect(all).toContain('CF-Indiscreet');
    const planted = new RegExp(
      [...Object.values(PASSWORDS), 'token-[0-9a-f]{8}', 'refresh-[0-9a-f]{8}', btoa('cf:')].join('|'),
      'g',
    );
    expect(
      [...all.matchAll(planted)].map((found) =>
        all.slice(Math.max(0, (found.index ?? 0) - 60), (found.index ?? 0) + 60),
      ),
    ).toEqual([]);
  }, 120_000);
});

/** Everything that could be shown of a value: an error with all that lies behind it. */
function everythingIn(value: unknown): string {
  if (!isNativeError(value) && !(value instanceof Error)) return JSON.stringify(value) ?? '';
  const { message, stack, cause } = value;
  return [
    message,
    stack,
    JSON.stringify(value),
    JSON.stringify(Object.values(value)),
    cause === undefined ? '' : everythingIn(cause),
  ].join('\n');
}
