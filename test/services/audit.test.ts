import { type Audit, createAudit } from '../../src/services/audit.js';
import { type OpenedStore, openTemporaryStore } from '../support/opened-store.js';

describe('the audit', () => {
  let opened: OpenedStore;
  let audit: Audit;

  beforeEach(async () => {
    opened = await openTemporaryStore();
    audit = createAudit({ store: opened.store });
    for (let index = 1; index <= 5; index++) {
      await audit.add({
        user: 'alice',
        action: 'createApplication',
        target: `/app/${index}`,
        status: 200,
        requestId: 'r',
      });
    }
  });
  afterEach(() => opened.close());

  const page = async (paging?: { page?: number; pageSize?: number }) => {
    const { items, nextPage } = await audit.list(paging);
    const targets = [];
    for await (const { target } of items) targets.push(target);
    return { targets, nextPage };
  };

  test('lists who did what, newest first', async () => {
    const targets = ['/app/5', '/app/4', '/app/3', '/app/2', '/app/1'];
    expect(await page()).toEqual({ targets, nextPage: undefined });
  });

  test.each([
    [{ pageSize: 2 }, ['/app/5', '/app/4'], 2],
    [{ pageSize: 2, page: 2 }, ['/app/3', '/app/2'], 3],
    [{ pageSize: 2, page: 3 }, ['/app/1'], undefined],
    [{ pageSize: 2, page: 4 }, [], undefined],
    [{ pageSize: 5 }, ['/app/5', '/app/4', '/app/3', '/app/2', '/app/1'], undefined],
  ])('knows of %j which page follows', async (paging, targets, nextPage) => {
    expect(await page(paging)).toEqual({ targets, nextPage });
  });
});
