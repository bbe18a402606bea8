import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credential } from './certificates.js';

/** The credential that a folder keeps; a new one when there is none, a half-written one, or one that ends soon. */
export async function keptCredential(
  folder: string,
  issue: () => Promise<Credential>,
  now: Date,
  prefix = '',
): Promise<Credential> {
  const kept = await readCredential(folder, prefix);
  if (kept && !endsSoon(kept, now)) return kept;
  const issued = await issue();
  await writeCredential(folder, issued, prefix);
  return issued;
}

/** Undefined: there is none, or key and certificate do not belong together. Rejects when files that are there cannot be read. */
export async function readCredential(folder: string, prefix = ''): Promise<Credential | undefined> {
  const files = fileNames(folder, prefix);
  const [certificate, key] = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(nothingThere)));
  if (!certificate || !key) return;
  try {
    const belongs = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return belongs ? { certificate, key } : undefined;
  } catch {
    return;
  }
}

/** For files that are made when they are missing, and must not be made again because the disk or the system has a bad moment. */
export function nothingThere(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

/** The key first: a certificate without its key is no credential, and a key alone does no harm. */
export async function writeCredential(folder: string, { certificate, key }: Credential, prefix = ''): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [certificateFile = '', keyFile = ''] = fileNames(folder, prefix);
  await writePrivately(keyFile, key);
  await writePrivately(certificateFile, certificate);
}

function fileNames(folder: string, prefix: string): string[] {
  return [join(folder, `${prefix}cert.pem`), join(folder, `${prefix}key.pem`)];
}

/** Whole or not at all, and never readable by others, not even for a moment. */
export async function writePrivately(file: string, text: string): Promise<void> {
  const partial = `${file}.part`;
  const handle = await open(partial, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(partial, 0o600);
  await rename(partial, file);
}

const MONTH = 30 * 24 * 3600 * 1000;

/** Whether it should be replaced by a new one. */
export function endsSoon({ certificate }: Pick<Credential, 'certificate'>, now = new Date()): boolean {
  return new Date(new X509Certificate(certificate).validTo).getTime() - now.getTime() < MONTH;
}
