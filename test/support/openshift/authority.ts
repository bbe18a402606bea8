import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface Authority {
  /** PEM. */
  cert: string;
  /** A certificate for a server's addresses, or for a client by its common name. */
  issue(name: string, addresses?: string[]): Promise<{ cert: string; key: string }>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;

/** A certificate authority that lives as long as a test. */
export async function makeAuthority(): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto as unknown as Crypto);
  const pair = () =>
    webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as unknown as Promise<CryptoKeyPair>;
  const times = () => ({ notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + DAY) });
  const keys = await pair();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Authority of a test',
    keys,
    signingAlgorithm: ALGORITHM,
    ...times(),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  let serial = 1;
  return {
    cert: root.toString('pem'),
    async issue(name, addresses = []) {
      const own = await pair();
      serial += 1;
      const made = await x509.X509CertificateGenerator.create({
        serialNumber: serial.toString(16).padStart(2, '0'),
        subject: `CN=${name}`,
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        ...times(),
        extensions:
          addresses.length === 0
            ? []
            : [new x509.SubjectAlternativeNameExtension(addresses.map((value) => ({ type: 'ip' as const, value })))],
      });
      const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey as never)).toString('base64');
      return { cert: made.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n` };
    },
  };
}
