import type { Bench } from '../store.js';
import { all } from './rows.js';

export function auditCases(bench: Bench): void {
  test('audit events are listed newest first, by pages', async () => {
    const { audit } = bench.store;
    const event = { user: 'alice', action: 'createApplication', status: 200, requestId: 'r' };
    for (let index = 1; index <= 5; index++) await audit.add({ ...event, target: `/app/${index}` });
    await audit.add({ ...event, target: '/old', at: '2001-01-01T00:00:00.000Z' });
    const events = await all(audit.list());
    expect(events.map(({ id }) => id)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(events[0]).toEqual({ ...event, id: 6, target: '/old', at: '2001-01-01T00:00:00.000Z' });
    expect(Math.abs(Date.parse(events[1]?.at ?? '') - Date.now())).toBeLessThan(60_000);
    expect((await all(audit.list({ pageSize: 2, page: 2 }))).map(({ id }) => id)).toEqual([4, 3]);
  });
}
