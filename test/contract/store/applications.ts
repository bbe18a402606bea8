import type { InstanceState } from '../../../src/domain/states.js';
import type { Bench } from '../store.js';
import { all, application, artefact, environment } from './rows.js';

const INSTANCE = { name: 'Instance1', processes: 1 };
const VERSION = { deployables: [], instances: [INSTANCE] };

export function applicationCases(bench: Bench): void {
  describe('applications', () => {
    test('are created with all that is nested in them, and read back alike', async () => {
      const created = await bench.store.applications.create(
        application({
          description: 'A clinic',
          environmentName: 'JavaWebEnv',
          multitenant: true,
          versions: [
            {
              name: 'v1',
              label: '1.0',
              description: 'the first',
              deployables: [
                { name: 'docs', contentType: 'folder', location: 'C:\\docs' },
                {
                  name: 'petclinic.war',
                  contentType: 'artifact',
                  multitenancyLevel: 'SharedInstance',
                  artefact: artefact('a'),
                },
              ],
              instances: [
                {
                  name: 'one',
                  processes: 3,
                  description: 'd',
                  initialState: '1',
                  defaultInstance: false,
                  memory: 512,
                  disk: 1024,
                },
                { name: 'two', processes: 1 },
              ],
            },
            VERSION,
          ],
        }),
      );
      expect(created).toMatchObject({ appId: 1, multitenant: true, createdBy: 'alice', environmentName: 'JavaWebEnv' });
      expect(created.versions.map(({ versionId }) => versionId)).toEqual([1, 2]);
      expect(created.versions[0]?.instances).toEqual([
        {
          appId: 1,
          versionId: 1,
          instanceId: 1,
          name: 'one',
          processes: 3,
          description: 'd',
          initialState: '1',
          defaultInstance: false,
          memory: 512,
          disk: 1024,
          state: 'CREATED',
          remarks: [],
        },
        { appId: 1, versionId: 1, instanceId: 2, name: 'two', processes: 1, state: 'CREATED', remarks: [] },
      ]);
      expect(await bench.store.applications.get(1)).toEqual(created);
      expect(await bench.store.applications.get(2)).toBeUndefined();
    });

    test('may share a name', async () => {
      const first = await bench.store.applications.create(application());
      const second = await bench.store.applications.create(application());
      expect(second.appId).not.toBe(first.appId);
    });

    test('change what is given and nothing else', async () => {
      const { appId, ...before } = await bench.store.applications.create(application({ description: 'old' }));
      await bench.store.applications.update(appId, { name: 'new', multitenant: true });
      expect(await bench.store.applications.get(appId)).toEqual({ ...before, appId, name: 'new', multitenant: true });
      await bench.store.applications.update(appId, {});
      await bench.store.applications.update(999, { name: 'nobody' });
      expect((await bench.store.applications.get(appId))?.name).toBe('new');
    });

    test('never get an id twice, also after all were deleted and after a restart', async () => {
      for (let index = 0; index < 3; index++)
        await bench.store.applications.create(application({ versions: [VERSION] }));
      for (const appId of [1, 2, 3]) await bench.store.applications.delete(appId);
      expect(await all(bench.store.applications.list({}))).toEqual([]);
      await bench.store.close();
      expect((await (await bench.open()).applications.create(application())).appId).toBe(4);
    });

    test('versions and instances never get an id twice within their parent', async () => {
      const { applications } = bench.store;
      const { appId } = await applications.create(application({ versions: [VERSION, VERSION] }));
      await applications.deleteVersion(appId, 2);
      await applications.deleteInstance({ appId, versionId: 1, instanceId: 1 });
      expect((await applications.addVersion(appId, VERSION)).versionId).toBe(3);
      expect((await applications.addInstance(appId, 1, INSTANCE)).instanceId).toBe(2);
      const kept = await applications.get(appId);
      expect(
        kept?.versions.map(({ versionId, instances }) => [versionId, instances.map((one) => one.instanceId)]),
      ).toEqual([
        [1, [2]],
        [3, [1]],
      ]);
    });

    test('what is added to something that is gone is NotFound, what is deleted twice is gone', async () => {
      const { applications } = bench.store;
      const { appId } = await applications.create(application());
      const missing = { code: 'NotFound' };
      await expect(applications.addVersion(99, VERSION)).rejects.toMatchObject(missing);
      await expect(applications.addInstance(appId, 9, INSTANCE)).rejects.toMatchObject(missing);
      await expect(applications.setArtefact(appId, 9, artefact('a'))).rejects.toMatchObject(missing);
      await applications.updateInstance({ appId, versionId: 9, instanceId: 9 }, { state: 'STARTED' });
      await applications.delete(appId);
      await applications.delete(appId);
      await applications.deleteVersion(appId, 1);
      expect(await applications.get(appId)).toBeUndefined();
    });

    test('an artefact goes to the first deployable of type artifact, or to a new one', async () => {
      const { applications } = bench.store;
      const folder = { name: 'docs', contentType: 'folder' as const };
      const war = { name: 'a.war', contentType: 'artifact' as const, location: '/srv/a.war' };
      const { appId } = await applications.create(
        application({
          versions: [
            { deployables: [folder, war, { ...war, name: 'b.war' }], instances: [] },
            { deployables: [folder], instances: [] },
          ],
        }),
      );
      await applications.setArtefact(appId, 1, artefact('a'));
      await applications.setArtefact(appId, 1, artefact('b'));
      await applications.setArtefact(appId, 2, artefact('c'));
      const versions = (await applications.get(appId))?.versions;
      expect(versions?.[0]?.deployables).toEqual([
        folder,
        { ...war, artefact: artefact('b') },
        { ...war, name: 'b.war' },
      ]);
      expect(versions?.[1]?.deployables).toEqual([
        folder,
        { name: 'petclinic.war', contentType: 'artifact', artefact: artefact('c') },
      ]);
      expect(await applications.artefactsInUse()).toEqual(new Set([artefact('b').sha256, artefact('c').sha256]));
      await applications.deleteVersion(appId, 2);
      expect(await applications.artefactsInUse()).toEqual(new Set([artefact('b').sha256]));
    });

    test('instances take changes, and null removes', async () => {
      const { applications, environments } = bench.store;
      const { envId } = await environments.create(environment());
      const { appId } = await applications.create(application({ versions: [VERSION] }));
      const key = { appId, versionId: 1, instanceId: 1 };
      const changes = {
        state: 'FAILED' as const,
        reason: 'it crashed',
        processes: 2,
        remarks: ['memory raised'],
        envId,
        uri: 'http://p.example.org',
        ref: 'guid',
        observedAt: '2026-11-21T20:15:00.000Z',
        memory: 512,
        disk: 64,
      };
      await applications.updateInstance(key, changes);
      expect(await applications.deployed()).toEqual([{ ...key, name: 'Instance1', ...changes }]);
      await applications.updateInstance(key, { state: 'CREATED', envId: null, uri: null, ref: null, reason: null });
      await applications.updateInstance(key, { observedAt: null, memory: null, disk: null, remarks: [] });
      expect((await applications.get(appId))?.versions[0]?.instances).toEqual([
        { ...key, name: 'Instance1', state: 'CREATED', processes: 2, remarks: [] },
      ]);
    });

    test('deployed instances are found by environment and by platform', async () => {
      const { applications, environments } = bench.store;
      const one = await environments.create(environment({ platform: 'CF' }));
      const two = await environments.create(environment({ platform: 'OS' }));
      const { appId } = await applications.create(application({ versions: [VERSION, VERSION, VERSION] }));
      await applications.updateInstance({ appId, versionId: 1, instanceId: 1 }, { envId: one.envId });
      await applications.updateInstance({ appId, versionId: 2, instanceId: 1 }, { envId: two.envId });
      const versions = async (filter?: { envId?: number; platform?: string }) =>
        (await applications.deployed(filter)).map(({ versionId }) => versionId);
      expect(await versions()).toEqual([1, 2]);
      expect(await versions({ envId: one.envId })).toEqual([1]);
      expect(await versions({ platform: 'OS' })).toEqual([2]);
      expect(await versions({ platform: 'OS', envId: one.envId })).toEqual([]);
    });
  });

  describe('the list of applications', () => {
    test('shows a tenant its own and every multitenant one, an admin all', async () => {
      const { applications } = bench.store;
      await applications.create(application({ name: 'mine' }));
      await applications.create(application({ name: 'theirs', tenant: 'other' }));
      await applications.create(application({ name: 'open', tenant: 'other', multitenant: true }));
      const names = async (tenant?: string) =>
        (await all(applications.list(tenant === undefined ? {} : { tenant }))).map(({ name }) => name);
      expect(await names('acme')).toEqual(['mine', 'open']);
      expect(await names('other')).toEqual(['theirs', 'open']);
      expect(await names('nobody')).toEqual(['open']);
      expect(await names()).toEqual(['mine', 'theirs', 'open']);
    });

    test('filters by the exact name and pages', async () => {
      const { applications } = bench.store;
      for (const name of ['a', 'b', 'a', 'A', 'a', 'a', 'a']) await applications.create(application({ name }));
      const ids = async (paging: { name?: string; page?: number; pageSize?: number }) =>
        (await all(applications.list({ tenant: 'acme' }, paging))).map(({ appId }) => appId);
      expect(await ids({ name: 'a' })).toEqual([1, 3, 5, 6, 7]);
      expect(await ids({ name: 'a', pageSize: 2 })).toEqual([1, 3]);
      expect(await ids({ name: 'a', pageSize: 2, page: 3 })).toEqual([7]);
      expect(await ids({ name: 'a', pageSize: 2, page: 4 })).toEqual([]);
      expect(await ids({ pageSize: 2 ** 31 - 1, page: 2 ** 31 - 1 })).toEqual([]);
    });

    test('streams more rows than one reading takes, in order, also while rows vanish', async () => {
      const { applications } = bench.store;
      await bench.store.transaction(async (session) => {
        for (let index = 0; index < 450; index++) await session.applications.create(application());
      });
      const seen: number[] = [];
      for await (const { appId } of applications.list({})) {
        seen.push(appId);
        if (appId === 100) await applications.delete(150);
        if (appId === 101) await applications.delete(300);
      }
      const expected = Array.from({ length: 450 }, (_, index) => index + 1).filter((appId) => appId !== 300);
      expect(seen).toEqual(expected);
      expect(await all(applications.list({}, { pageSize: 250, page: 2 }))).toHaveLength(198);
    });

    test.each<[InstanceState, [version: number, state: InstanceState][]]>([
      ['CREATED', []],
      ['STARTED', [[1, 'STARTED']]],
      [
        'STOPPED',
        [
          [1, 'STARTED'],
          [2, 'STOPPED'],
        ],
      ],
      [
        'FAILED',
        [
          [2, 'STARTED'],
          [2, 'FAILED'],
        ],
      ],
      [
        'STOPPING',
        [
          [2, 'STARTED'],
          [2, 'STOPPING'],
        ],
      ],
      [
        'STARTED',
        [
          [1, 'FAILED'],
          [2, 'STOPPED'],
          [2, 'STARTED'],
        ],
      ],
    ])('says %s when deployed are %j', async (expected, deployed) => {
      const { applications, environments } = bench.store;
      const { envId } = await environments.create(environment());
      const instances = [INSTANCE, INSTANCE, INSTANCE];
      const versions = Array.from({ length: 3 }, () => ({ deployables: [], instances }));
      const { appId } = await applications.create(application({ versions }));
      for (const [index, [versionId, state]] of deployed.entries()) {
        await applications.updateInstance({ appId, versionId, instanceId: index + 1 }, { envId, state });
      }
      expect((await all(applications.list({})))[0]).toEqual({
        appId,
        name: 'PetClinic',
        tenant: 'acme',
        state: expected,
      });
    });
  });
}
