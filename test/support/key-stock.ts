import { webcrypto } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RSA } from '../../src/conpaas/key-pair.js';

/** More than a test compares with one another. Processes that each begin somewhere may share a key now and then. */
const SIZE = 64;
const FOLDER = join(import.meta.dirname, '../../node_modules/.cache/coaps-keys');

type Make = () => Promise<webcrypto.CryptoKeyPair>;

/**
 * Keys that `make` made, which are kept for the next one who wants some, and are given in turn: making them takes longer than most
 * tests. `first`: where in the stock this process begins.
 */
export function keyStock(make: Make, first: number): Make {
  let given = first;
  return async () => {
    const file = join(FOLDER, `${given++ % SIZE}.json`);
    const kept = await readFile(file, 'utf8').catch(() => undefined);
    return kept === undefined ? await keep(await make(), file) : await read(JSON.parse(kept) as webcrypto.JsonWebKey);
  };
}

async function keep(keys: webcrypto.CryptoKeyPair, file: string): Promise<webcrypto.CryptoKeyPair> {
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
