import { createHmac, randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivately } from '../key-files.js';

/**
 * Files that manifests name by URL (`/download_data/{name}`): copies, so that a manifest restores an application that is gone. Whoever
 * has a name may fetch it, so that names cannot be guessed; one content has one name.
 */
export interface UserData {
  /** Takes a copy of a file and returns its name. */
  keepFile(path: string, filename: string, sha256: string): Promise<string>;
  keepText(text: string, filename: string): Promise<string>;
  /** Where it is; undefined: there is none, or no more. */
  find(name: string): Promise<string | undefined>;
  /** Forgets what nobody asked for in 90 days. */
  sweep(now: Date): Promise<void>;
}

const KEPT = 90 * 24 * 3600 * 1000;
const NAME = /^[0-9a-f]{40}-[\w.+-]{1,100}$/;

export async function openUserData(folder: string): Promise<UserData> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const secret = await ownSecret(join(folder, 'secret'));
  const nameOf = (content: string, filename: string) => {
    const mark = createHmac('sha256', secret).update(content).digest('hex').slice(0, 40);
    return `${mark}-${filename.replace(/[^\w.+-]/g, '_').slice(-100) || 'file'}`;
  };
  const touch = async (file: string) => utimes(file, new Date(), new Date());
  const place = async (name: string, make: (partial: string) => Promise<void>) => {
    const file = join(folder, name);
    if (!(await exists(file))) {
      const partial = `${file}.part-${randomBytes(4).toString('hex')}`;
      await make(partial);
      await rename(partial, file);
    }
    await touch(file);
    return name;
  };
  return {
    keepFile: (path, filename, sha256) =>
      place(nameOf(sha256, filename), (partial) => link(path, partial).catch(() => copyFile(path, partial))),
    keepText: (text, filename) => place(nameOf(text, filename), (partial) => writeFile(partial, text, { mode: 0o600 })),
    async find(name) {
      const file = join(folder, name);
      if (!NAME.test(name) || !(await exists(file))) return;
      await touch(file);
      return file;
    },
    async sweep(now) {
      for (const name of await readdir(folder)) {
        if (name === 'secret') continue;
        const { mtimeMs } = await stat(join(folder, name));
        if (now.getTime() - mtimeMs > KEPT) await rm(join(folder, name), { force: true });
      }
    },
  };
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

async function ownSecret(file: string): Promise<Buffer> {
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (/^[0-9a-f]{64}\s*$/.test(kept)) return Buffer.from(kept.trim(), 'hex');
  const made = randomBytes(32);
  await writePrivately(file, `${made.toString('hex')}\n`);
  return made;
}
