import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isReachable } from '../agent/room.js';

/** For data directories in a place that only root may enter, such as /root. */
const ELSEWHERE = '/var/lib/coaps';

/**
 * The folder below which applications have their rooms. With Unix ids of their own they must be able to walk to it: the folders on the
 * way let others through without letting them look around, and everything else of the gateway's is closed to them.
 */
export async function openRooms(data: string, foreign: boolean): Promise<string> {
  const rooms = join(data, 'conpaas', 'apps');
  await mkdir(rooms, { recursive: true, mode: 0o700 });
  if (!foreign) return rooms;
  const real = await realpath(data);
  if (!(await isReachable(dirname(real)))) return await roomsElsewhere(real);
  await closeEverything(real);
  for (const folder of [real, join(real, 'conpaas'), join(real, 'conpaas', 'apps')]) await chmod(folder, 0o711);
  return join(real, 'conpaas', 'apps');
}

async function roomsElsewhere(data: string): Promise<string> {
  const rooms = join(ELSEWHERE, createHash('sha256').update(data).digest('hex').slice(0, 12));
  await mkdir(rooms, { recursive: true, mode: 0o711 });
  for (const folder of [ELSEWHERE, rooms]) await chmod(folder, 0o711);
  return rooms;
}

/** What was made before with another umask: databases, keys, artefacts. */
async function closeEverything(data: string): Promise<void> {
  for (const folder of [data, join(data, 'conpaas')]) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink() || entry.name === 'conpaas' || entry.name === 'apps') continue;
      const { mode } = await stat(path);
      if ((mode & 0o077) !== 0) await chmod(path, mode & 0o700);
    }
  }
}
