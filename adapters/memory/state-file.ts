import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlatformObjects } from './objects.js';

const FILE = 'platform.json';

export function loadObjects(folder: string | undefined): PlatformObjects {
  if (folder === undefined) return { nextId: 1, spaces: [], deployments: [] };
  mkdirSync(folder, { recursive: true });
  try {
    return JSON.parse(readFileSync(join(folder, FILE), 'utf8')) as PlatformObjects;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { nextId: 1, spaces: [], deployments: [] };
  }
}

/** Synchronous and by a rename: a killed process leaves the old state or the new one, never half of it. */
export function saveObjects(folder: string | undefined, objects: PlatformObjects): void {
  if (folder === undefined) return;
  const file = join(folder, FILE);
  writeFileSync(`${file}.new`, JSON.stringify(objects, undefined, 1), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
