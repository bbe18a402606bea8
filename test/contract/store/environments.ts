import type { Bench } from '../store.js';
import { all, application, environment } from './rows.js';

export function environmentCases(bench: Bench): void {
  describe('environments', () => {
    test('are created and read back alike', async () => {
      const created = await bench.store.environments.create(
        environment({
          description: 'for Java',
          template: 'tomcat',
          provider: 'CF',
          memory: 512,
          disk: 2048,
          nodes: [{ name: 'tomcat', contentType: 'container', version: '', provider: 'CF' }],
          variables: { GREETING: 'héllo "x"', EMPTY: '' },
        }),
      );
      expect(created).toMatchObject({ envId: 1, state: 'CREATED', remarks: [], variables: { EMPTY: '' } });
      expect(await bench.store.environments.get(1)).toEqual(created);
      expect(await bench.store.environments.get(2)).toBeUndefined();
    });

    test('never get an id twice', async () => {
      const { environments } = bench.store;
      await environments.create(environment());
      await environments.create(environment());
      await environments.delete(2);
      await environments.delete(1);
      await environments.delete(1);
      expect((await environments.create(environment())).envId).toBe(3);
    });

    test('take changes', async () => {
      const { environments } = bench.store;
      const { envId, ...before } = await environments.create(environment({ variables: { A: '1' } }));
      const changes = {
        description: 'new',
        memory: 1024,
        nodes: [{ name: 'MYSQL_51', contentType: 'database' }],
        variables: { B: '2' },
        remarks: ['mysql 5.1 is not offered; 8.0 is taken'],
      };
      await environments.update(envId, { ...changes, ref: 'space-guid' });
      expect(await environments.get(envId)).toEqual({ ...before, ...changes, envId, ref: 'space-guid' });
      await environments.update(envId, { ref: null });
      await environments.update(envId, {});
      await environments.update(99, { name: 'nobody' });
      expect(await environments.get(envId)).toEqual({ ...before, ...changes, envId });
    });

    test('have the state of what is deployed on them, and are not deleted under it', async () => {
      const { environments, applications } = bench.store;
      const { envId } = await environments.create(environment());
      const versions = [
        {
          deployables: [],
          instances: [
            { name: 'a', processes: 1 },
            { name: 'b', processes: 1 },
          ],
        },
      ];
      const { appId } = await applications.create(application({ versions }));
      const state = async () => (await environments.get(envId))?.state;
      await applications.updateInstance({ appId, versionId: 1, instanceId: 1 }, { envId, state: 'STARTED' });
      expect(await state()).toBe('STARTED');
      await applications.updateInstance({ appId, versionId: 1, instanceId: 2 }, { envId, state: 'FAILED' });
      expect(await state()).toBe('FAILED');
      await expect(environments.delete(envId)).rejects.toMatchObject({ code: 'Conflict' });
      await applications.delete(appId);
      expect(await state()).toBe('CREATED');
      await environments.delete(envId);
      expect(await environments.get(envId)).toBeUndefined();
    });

    test('an instance cannot go onto an environment that is gone', async () => {
      const versions = [{ deployables: [], instances: [{ name: 'a', processes: 1 }] }];
      const { appId } = await bench.store.applications.create(application({ versions }));
      const key = { appId, versionId: 1, instanceId: 1 };
      await expect(bench.store.applications.updateInstance(key, { envId: 77 })).rejects.toMatchObject({
        code: 'Conflict',
      });
    });

    test('are listed by tenant, name and page', async () => {
      const { environments } = bench.store;
      await environments.create(environment({ name: 'one' }));
      await environments.create(environment({ name: 'two', tenant: 'other' }));
      await environments.create(environment({ name: 'one' }));
      const ids = async (...query: Parameters<typeof environments.list>) =>
        (await all(environments.list(...query))).map(({ envId }) => envId);
      expect(await ids({})).toEqual([1, 2, 3]);
      expect(await ids({ tenant: 'acme' })).toEqual([1, 3]);
      expect(await ids({}, { name: 'one', pageSize: 1, page: 2 })).toEqual([3]);
    });
  });
}
