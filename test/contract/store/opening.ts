import type { Bench } from '../store.js';
import { all, application, user } from './rows.js';

export function openingCases(bench: Bench): void {
  describe('opening', () => {
    test('gives the installation an id that stays', async () => {
      expect(bench.store.installation).toMatch(/^[a-z][a-z0-9]{7}$/);
      expect((await bench.open()).installation).toBe(bench.store.installation);
    });

    test('finds what was stored before', async () => {
      const { appId } = await bench.store.applications.create(application());
      await bench.store.close();
      expect((await (await bench.open()).applications.get(appId))?.name).toBe('PetClinic');
    });
  });

  describe('a transaction', () => {
    test('keeps everything or nothing', async () => {
      const failing = bench.store.transaction(async (session) => {
        await session.applications.create(application());
        await session.users.create(user('bob'));
        throw new Error('on purpose');
      });
      await expect(failing).rejects.toThrow('on purpose');
      expect(await all(bench.store.applications.list({}))).toEqual([]);
      expect(await bench.store.users.get('bob')).toBeUndefined();
    });

    test('sees what it wrote, and others see it afterwards', async () => {
      const other = await bench.open();
      const { appId, inside, outside } = await bench.store.transaction(async (session) => {
        const made = await session.applications.create(application({ name: 'mine' }));
        const listed = await all(session.applications.list({}));
        return { appId: made.appId, inside: listed.length, outside: await other.applications.get(made.appId) };
      });
      expect(inside).toBe(1);
      expect(outside).toBeUndefined();
      expect(await other.applications.get(appId)).toMatchObject({ name: 'mine' });
    });

    test('returns the value of its work', async () => {
      expect(await bench.store.transaction(async () => 42)).toBe(42);
    });

    test('lets readers and writers outside of it wait or pass, and all end', async () => {
      const works = Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0
          ? bench.store.transaction((session) => session.applications.create(application({ name: `${index}` })))
          : all(bench.store.applications.list({})),
      );
      await Promise.all(works);
      expect(await all(bench.store.applications.list({}))).toHaveLength(10);
    });
  });

  test('a text with U+0000 is refused with words, and everything else is stored as it is', async () => {
    await expect(bench.store.applications.create(application({ name: 'a\0b' }))).rejects.toMatchObject({
      code: 'InvalidValue',
    });
    const name = `'"; drop table users; -- ‮\u0001 €𝄞 %_\\`;
    const { appId } = await bench.store.applications.create(application({ name }));
    expect((await bench.store.applications.get(appId))?.name).toBe(name);
    expect(await all(bench.store.applications.list({}, { name }))).toHaveLength(1);
  });
}
