import { webcrypto } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as product from '../../src/conpaas/key-pair.js';

export const { RSA } = product;

/** More than a test compares with one another. */
const SIZE = 64;
const FOLDER = join(import.meta.dirname, '../../node_modules/.cache/coaps-keys');
let given = 0;

/**
 * Stands for the product's `newKeys` in all that runs inside of tests: keys that it made, which are kept for the next test that wants
 * some. Making them takes longer than most tests. They are given in turn, and processes that tests start make their own.
 */
export async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  const file = join(FOLDER, `${given++ % SIZE}.json`);
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  return kept === undefined ? await made(file) : await read(JSON.parse(kept) as webcrypto.JsonWebKey);
}

async function made(file: string): Promise<webcrypto.CryptoKeyPair> {
  const keys = await product.newKeys();
  await mkdir(FOLDER, { recursive: true });
  // Whole or not at all: other tests look at the same moment.
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, JSON.stringify(await webcrypto.subtle.exportKey('jwk', keys.privateKey)), { mode: 0o600 });
  await rename(partial, file);
  return keys;
}

async function read(key: webcrypto.JsonWebKey): Promise<webcrypto.CryptoKeyPair> {
  const { kty, n, e } = key as { kty: string; n: string; e: string };
  const imported = (part: object, use: 'sign' | 'verify') =>
    webcrypto.subtle.importKey('jwk', { ...part, ext: true }, RSA, true, [use]);
  const [privateKey, publicKey] = await Promise.all([imported(key, 'sign'), imported({ kty, n, e }, 'verify')]);
  return { privateKey, publicKey };
}
