import { webcrypto } from 'node:crypto';
import { newKeys } from '../../src/conpaas/key-pair.js';

test('each key pair is a new one, of RSA with 2048 bits', async () => {
  const pairs = [await newKeys(), await newKeys()];
  const moduli = pairs.map(async ({ privateKey, publicKey }) => {
    const [own, told] = await Promise.all([privateKey, publicKey].map((key) => webcrypto.subtle.exportKey('jwk', key)));
    expect(told).toMatchObject({ kty: 'RSA', n: own?.n, e: 'AQAB' });
    return own?.n ?? '';
  });
  const [first = '', second = ''] = await Promise.all(moduli);
  expect([first, second].map((one) => Buffer.from(one, 'base64url').length)).toEqual([256, 256]);
  expect(first).not.toBe(second);
});
