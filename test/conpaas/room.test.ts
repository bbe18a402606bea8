import { chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeOwned } from '../../src/conpaas/agent/room.js';

const OWNER = { uid: 200_123, gid: 200_123 };
const isRoot = process.getuid?.() === 0;
if (!isRoot)
  console.log('skipped: only root can give folders away, which is what is removed here: run the tests as root');
const asRoot = isRoot ? test : test.skip;

asRoot.each(['before anything was given to its owner', 'in the middle of giving it'])(
  'what an agent left that was killed %s is removed',
  async (when) => {
    const folder = await mkdtemp(join(tmpdir(), 'coaps-room-'));
    try {
      const partial = join(folder, 'code-1.part');
      await mkdir(join(partial, 'inner'), { recursive: true, mode: 0o700 });
      await writeFile(join(partial, 'inner', 'index.html'), 'hello', { mode: 0o600 });
      if (when.startsWith('in the middle')) await chown(join(partial, 'inner', 'index.html'), OWNER.uid, OWNER.gid);
      await removeOwned(partial, OWNER);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
