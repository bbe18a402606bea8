import { randomInt, webcrypto } from 'node:crypto';
import { RSA } from '../../src/conpaas/key-pair.js';
import { keyStock } from './key-stock.js';

/** Loaded into a gateway that a test starts as a process of its own: its keys are from the stock, as those inside of tests are. */
const { subtle } = webcrypto;
const generate = subtle.generateKey.bind(subtle) as (...args: unknown[]) => Promise<webcrypto.CryptoKeyPair>;
const stocked = keyStock(() => generate(RSA, true, ['sign', 'verify']), randomInt(1000));

subtle.generateKey = ((...args: [{ name: string }, ...unknown[]]) =>
  args[0].name === RSA.name ? stocked() : generate(...args)) as never;
