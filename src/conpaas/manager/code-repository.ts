import { createHash, randomInt } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ArchiveLimits, inspectArchive } from '../../archives/index.js';
import type { ConpaasCodeVersion, ConpaasStore } from '../../domain/conpaas.js';

/** The code versions of one service: rows in the store, files in the service's folder. */
export interface CodeRepository {
  /** Newest first. */
  list(): Promise<ConpaasCodeVersion[]>;
  get(codeVersionId: string): Promise<ConpaasCodeVersion | undefined>;
  /** Takes a file over. Throws ArchiveFault for what must not be unpacked; the file is gone either way. */
  add(upload: { path: string; name: string; description: string }): Promise<ConpaasCodeVersion>;
  /** The version that a new service has, `code-default`. */
  addInitial(archive: Buffer, filename: string): Promise<void>;
  fileOf(codeVersionId: string): string;
  open(codeVersionId: string): Readable;
  remove(codeVersionId: string): Promise<boolean>;
  /** Files that a crash left without a row. */
  sweep(): Promise<void>;
}

export const INITIAL_CODE = 'code-default';

export interface CodeRepositoryOptions {
  sid: number;
  folder: string;
  store: ConpaasStore;
  limits: ArchiveLimits;
}

export function openCodeRepository({ sid, folder, store, limits }: CodeRepositoryOptions): CodeRepository {
  const fileOf = (codeVersionId: string) => join(folder, codeVersionId);
  const list = () => store.codeVersions(sid);

  /** The file stands before the row: a row always has its file. */
  async function keep(path: string, codeVersionId: string, filename: string, description: string) {
    const { format } = await inspectArchive(path, limits);
    const { size } = await stat(path);
    const version: ConpaasCodeVersion = {
      sid,
      codeVersionId,
      filename,
      description,
      createdAt: new Date().toISOString(),
      format,
      size,
      sha256: await sha256Of(path),
    };
    await rename(path, fileOf(codeVersionId));
    await store.addCodeVersion(version);
    return version;
  }

  return {
    list,
    fileOf,
    open: (codeVersionId) => createReadStream(fileOf(codeVersionId)),
    get: async (codeVersionId) => (await list()).find((version) => version.codeVersionId === codeVersionId),
    async add({ path, name, description }) {
      try {
        return await keep(path, `code-${randomName()}`, name, description);
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
    },
    async addInitial(archive, filename) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = `${fileOf(INITIAL_CODE)}.new`;
      await writeFile(path, archive, { mode: 0o600 });
      await keep(path, INITIAL_CODE, filename, 'Initial version');
    },
    async remove(codeVersionId) {
      const removed = await store.deleteCodeVersion(sid, codeVersionId);
      if (removed) await rm(fileOf(codeVersionId), { force: true });
      return removed;
    },
    async sweep() {
      const known = new Set((await list()).map(({ codeVersionId }) => codeVersionId));
      const names = await readdir(folder).catch(() => []);
      for (const name of names) if (!known.has(name)) await rm(join(folder, name), { recursive: true, force: true });
    },
  };
}

/** As Python's mkstemp names files: `code-XXXXXX`. */
function randomName(): string {
  const characters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  return Array.from({ length: 6 }, () => characters.charAt(randomInt(characters.length))).join('');
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
