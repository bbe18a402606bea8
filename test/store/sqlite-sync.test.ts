import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synchroniseBeside } from '../../src/store/sqlite-sync.js';

describe('the log that is synchronised beside SQLite', () => {
  test('is waited for by whoever committed, and by nobody else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coaps-sync-'));
    writeFileSync(join(folder, 'log'), 'pages');
    const sync = synchroniseBeside(join(folder, 'log'));
    try {
      expect(sync.onDisk()).toBeUndefined();
      sync.committed();
      const first = sync.onDisk();
      expect(first).toBeInstanceOf(Promise);
      // Comes while the disk is at work for the first one, which says nothing of it.
      sync.committed();
      await first;
      expect(sync.onDisk()).toBeInstanceOf(Promise);
      await sync.onDisk();
      expect(sync.onDisk()).toBeUndefined();
    } finally {
      await sync.close();
      rmSync(folder, { recursive: true });
    }
  });

  test('that could not be synchronised once is not relied on again', async () => {
    // No device behind it: the kernel refuses to synchronise.
    const sync = synchroniseBeside('/dev/null');
    try {
      sync.committed();
      for (let times = 0; times < 2; times++) {
        await expect(sync.onDisk()).rejects.toMatchObject({
          code: 'ServiceUnavailable',
          message: expect.stringMatching(/did not keep the last changes/),
        });
      }
    } finally {
      await sync.close();
    }
  });
});
