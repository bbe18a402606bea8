import type { InstanceState } from '../../../src/domain/states.js';
import type { Bench } from '../store.js';
import { all, application, environment } from './rows.js';

const INSTANCE = { name: 'Instance1', processes: 1 };

export function applicationListCases(bench: Bench): void {
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
        for (let index = 0; index < 1100; index++) await session.applications.create(application());
      });
      const seen: number[] = [];
      for await (const { appId } of applications.list({})) {
        seen.push(appId);
        if (appId === 100) await applications.delete(150);
        if (appId === 101) await applications.delete(700);
      }
      const expected = Array.from({ length: 1100 }, (_, index) => index + 1).filter((appId) => appId !== 700);
      expect(seen).toEqual(expected);
      expect(await all(applications.list({}, { pageSize: 600, page: 2 }))).toHaveLength(498);
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
