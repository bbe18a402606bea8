import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Accepted } from '../../src/services/context.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';
import {
  ADA,
  accepted,
  applicationManifest,
  as,
  environmentManifest,
  finished,
  NOTHING,
  openTestServices,
  site,
  type TestServices,
  until,
  uploadOf,
} from '../support/services.js';

const missing = postgresMissing();
if (missing) test.skip(`two gateways on one PostgreSQL: ${missing}`, () => {});

(missing ? describe.skip : describe)('two gateways on one PostgreSQL and one platform', () => {
  let server: PostgresServer;
  let folder: string;
  let url: string;
  let one: TestServices;
  let two: TestServices;
  const later = as(ADA, { wait: 0 });

  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'two-'));
    url = await server.createDatabase();
    const work = { leaseSeconds: 0.6 };
    one = await openTestServices({ folder, url, work });
    two = await openTestServices({ folder, url, work, platform: one.platform });
  });
  afterEach(async () => {
    await two.close();
    await one.close();
    await rm(folder, { recursive: true });
  });

  /** An environment, and a version with its artefact, both number 1. */
  async function store(): Promise<void> {
    finished(await one.environments.create(as(ADA), 'MEM', environmentManifest()));
    await two.applications.create(ADA, { application: { name: 'PetClinic', versions: [] } });
    const upload = uploadOf(one, await site('one'), 'site.zip', applicationManifest());
    await one.versions.create(ADA, 1, upload, as(ADA).signal);
  }

  /** Until everybody sees the step, which is long after it began. */
  const reached = (task: number, name: string) =>
    until(async () => (await one.tasks.describe(ADA, task)).steps.some((step) => step.name === name));

  test('join and order requests that come to both, and each hears what the other has done', async () => {
    await store();
    const place = { appId: 1, envId: 1 };
    const deploys = await Promise.all([one, two, one, two].map((it) => it.deployments.deploy(as(ADA), place, NOTHING)));
    for (const answer of deploys) expect(finished(answer).versions[0]?.instances[0]?.state).toBe('STOPPED');
    expect(await one.platform.deployments(later.signal)).toHaveLength(1);
    const asked: (object | Accepted)[] = [];
    for (let round = 0; round < 6; round++) {
      const it = round % 2 ? one : two;
      asked.push(await it.actions.act(later, 1, round % 3 ? 'start' : 'stop'));
    }
    for (const answer of asked) await one.operations.outcome(accepted(answer), 30, later.signal);
    expect((await two.applications.describe(ADA, 1)).versions[0]?.instances[0]?.state).toBe('STARTED');
  });

  test('cancel what the other one runs', async () => {
    await store();
    await two.operations.stop();
    one.platform.trouble.delay = 60_000;
    const task = accepted(await one.deployments.deploy(later, { appId: 1, envId: 1 }, NOTHING));
    await reached(task, 'deploy/staging');
    one.platform.trouble.delay = 0;
    await two.tasks.cancel(later, task);
    expect((await one.operations.ended(task, 30, later.signal))?.state).toBe('CANCELLED');
    expect(await one.platform.deployments(later.signal)).toEqual([]);
  });

  test('take over what the other one gives back', async () => {
    await store();
    await two.operations.stop();
    one.platform.trouble.delay = 60_000;
    const task = accepted(await one.deployments.deploy(later, { appId: 1, envId: 1 }, NOTHING));
    await reached(task, 'deploy/staging');
    one.platform.trouble.delay = 0;
    await one.operations.stop(0);
    expect((await one.store.operations.get(task))?.state).toBe('PENDING');
    two.operations.start();
    expect((await two.operations.outcome(task, 30, later.signal))?.state).toBe('SUCCEEDED');
  });

  test('do not give a task up whose step is done on the platform and could not be recorded', async () => {
    await store();
    for (const it of [one, two]) await it.operations.stop();
    let cuts = 0;
    const onStep = (_task: number, step: string, moment: string) => {
      if (step === 'delete' && moment === 'worked' && cuts++ === 0) server.endSessions();
    };
    const three = await openTestServices({ folder, url, work: { leaseSeconds: 0.6, onStep }, platform: one.platform });
    try {
      const task = accepted(await three.environments.delete(later, 1));
      // Sessions that wait in a pool may have been ended, too.
      const stateOf = async () => (await three.store.operations.get(task).catch(() => undefined))?.state;
      await until(async () => ['SUCCEEDED', 'FAILED'].includes((await stateOf()) ?? ''));
      expect(await stateOf()).toBe('SUCCEEDED');
      expect(three.logged).toContainEqual(expect.stringContaining('it goes on when its lease ends'));
      expect(cuts).toBe(2);
    } finally {
      await three.close();
    }
  });
});
