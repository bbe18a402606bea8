import type { Operation, Store } from '../../../src/store/store.js';
import type { Bench } from '../store.js';
import { all, application, claimOf, exclusive, operation, shared } from './rows.js';

const OPERATIONS = 60;

export function concurrencyCases(bench: Bench): void {
  describe('several gateways on one database', () => {
    test('share the operations out: each has one winner, and conflicting ones never run together', async () => {
      const stores = [bench.store, await bench.open(), await bench.open()];
      for (let index = 0; index < OPERATIONS; index++) {
        const locks = [exclusive(`instance:1:${index % 4}`), shared(`environment:${index % 2}`)];
        await bench.store.operations.enqueue(operation(index % 15 === 0 ? [exclusive('environment:0')] : locks));
      }
      const running = new Set<string>();
      const order: number[] = [];
      const work = async (store: Store, owner: string) => {
        for (;;) {
          const claimed = await store.operations.claim(owner, 60);
          if (!claimed && order.length === OPERATIONS) return;
          if (!claimed) {
            await new Promise(setImmediate);
            continue;
          }
          const held = exclusivesOf(claimed);
          for (const resource of held) expect(running.has(resource)).toBe(false);
          for (const resource of held) running.add(resource);
          await store.operations.record(claimOf(claimed, owner), { progress: 50 });
          order.push(claimed.taskId);
          for (const resource of held) running.delete(resource);
          expect(await store.operations.finish(claimOf(claimed, owner), 'SUCCEEDED')).toBe(true);
        }
      };
      await Promise.all(stores.flatMap((store, index) => [work(store, `a${index}`), work(store, `b${index}`)]));
      expect([...order].sort((one, other) => one - other)).toEqual(
        Array.from({ length: OPERATIONS }, (_, index) => index + 1),
      );
      const tasks = await all(bench.store.operations.list({}));
      expect(tasks.every(({ state }) => state === 'SUCCEEDED')).toBe(true);
    });

    test('read beside a transaction that writes: they neither wait for it nor see any of it', async () => {
      const { store } = bench;
      await store.transaction(async ({ applications }) => {
        await applications.create(application());
        expect(await all(store.applications.list({}))).toEqual([]);
      });
      expect(await all(store.applications.list({}))).toHaveLength(1);
    });

    test('taking over an ended lease at once have one winner', async () => {
      const stores = [bench.store, await bench.open(), await bench.open()];
      await bench.store.operations.enqueue(operation());
      await bench.store.operations.claim('dead', 0);
      const claims = await Promise.all(
        Array.from({ length: 9 }, (_, index) => stores[index % 3]?.operations.claim(`w${index}`, 60)),
      );
      expect(claims.filter((one) => one !== undefined)).toHaveLength(1);
      expect((await bench.store.operations.get(1))?.attempts).toBe(2);
    });

    test('give every application, version and instance a number of its own', async () => {
      const stores = [bench.store, await bench.open()];
      const many = Array.from({ length: 20 }, (_, index) => stores[index % 2] as Store);
      const made = await Promise.all(many.map((store) => store.applications.create(application())));
      expect(made.map(({ appId }) => appId).sort((one, other) => one - other)).toEqual(
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
      await Promise.all(
        many.map((store) =>
          store.applications.addVersion(1, { deployables: [], instances: [{ name: 'i', processes: 1 }] }),
        ),
      );
      await Promise.all(many.map((store) => store.applications.addInstance(1, 1, { name: 'i', processes: 1 })));
      const stored = await bench.store.applications.get(1);
      expect(stored?.versions.map(({ versionId }) => versionId)).toEqual(
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
      expect(stored?.versions[0]?.instances).toHaveLength(21);
    });

    test('that lock in opposite orders both get through', async () => {
      const other = await bench.open();
      await Promise.all([bench.store.applications.create(application()), other.applications.create(application())]);
      const rename = (store: Store, first: number, second: number) =>
        store.transaction(async ({ applications }) => {
          await applications.update(first, { name: `${first} then ${second}` });
          await applications.get(first);
          await applications.update(second, { name: `${first} then ${second}` });
        });
      for (let round = 0; round < 10; round++) {
        await Promise.all([rename(bench.store, 1, 2), rename(other, 2, 1)]);
        const [one, two] = await Promise.all([bench.store.applications.get(1), bench.store.applications.get(2)]);
        expect(one?.name).toBe(two?.name);
      }
    });
  });
}

/** As enqueued above: by number. */
function exclusivesOf({ taskId }: Operation): string[] {
  const index = taskId - 1;
  return index % 15 === 0 ? ['environment:0'] : [`instance:1:${index % 4}`];
}
