import 'reflect-metadata';
import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  type PublicKey,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { Fault } from '../domain/errors.js';
import { newKeys, RSA } from './key-pair.js';
import { isUsableCommonName, readSubject, SUBJECT_OIDS, type Subject } from './subject.js';

const YEAR = 365 * 24 * 3600 * 1000;
const AUTHORITY_YEARS = 5;
/** Certificates begin a little earlier, for peers whose clock is slow. */
const CLOCK_SKEW = 5 * 60 * 1000;
const AUTHORITY_NAME = new Name([{ [SUBJECT_OIDS.commonName]: [{ utf8String: 'CA' }] }]);

/** A private key with its certificate, both PEM. */
export interface Credential {
  certificate: string;
  key: string;
}

/** What was signed, and what the store keeps of it. */
export interface IssuedCertificate {
  subject: Subject;
  /** PEM. */
  certificate: string;
  /** SHA-256 of the DER form, lower-case hex. */
  fingerprint: string;
  expiresAt: Date;
}

/** The ConPaaS certificate authority: it signs certificates and keeps no record of them. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  readonly expiresAt: Date;
  /** Makes a key and its certificate. `hosts` (names or addresses) become its subjectAltName. */
  issue(subject: Subject, hosts?: readonly string[]): Promise<IssuedCertificate & Credential>;
  /**
   * Signs a PEM request for an agent of the given service. Nothing but its public key is taken over; a subject that asks for another
   * role, user or service, or names one of them twice, throws Fault AccessDenied; what is no request of a sound key, InvalidValue.
   */
  signAgentRequest(request: string, service: { uid: number; sid: number }): Promise<IssuedCertificate>;
}

/** A new authority: CN=CA, five years. */
export async function createAuthority(now: Date): Promise<Credential> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: AUTHORITY_NAME,
    notBefore: new Date(now.getTime() - CLOCK_SKEW),
    notAfter: new Date(now.getTime() + AUTHORITY_YEARS * YEAR),
    signingAlgorithm: RSA,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: pem(certificate.toString('pem')), key: await privatePem(keys.privateKey) };
}

export async function openAuthority(credential: Credential, clock: () => Date): Promise<Authority> {
  const parsed = new X509Certificate(credential.certificate);
  const limit = new Date(parsed.validTo);
  const signingKey = await readPrivateKey(credential.key);

  async function sign(subject: Subject, publicKey: PublicKey | CryptoKey, hosts: readonly string[]) {
    if (!isUsableCommonName(subject.commonName)) {
      throw new Fault('InvalidValue', `No certificate can be made for the name "${subject.commonName}".`);
    }
    const now = clock().getTime();
    const expiresAt = new Date(Math.min(now + YEAR, limit.getTime()));
    const signed = await X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: subjectName(subject),
      issuer: AUTHORITY_NAME,
      notBefore: new Date(now - CLOCK_SKEW),
      notAfter: expiresAt,
      signingAlgorithm: RSA,
      publicKey,
      signingKey,
      extensions: extensionsFor(subject, hosts),
    });
    const certificate = pem(signed.toString('pem'));
    return { subject, certificate, fingerprint: fingerprintOf(certificate), expiresAt };
  }

  return {
    certificate: credential.certificate,
    expiresAt: limit,
    async issue(subject, hosts = []) {
      const keys = await newKeys();
      const issued = await sign(subject, keys.publicKey, hosts);
      return { ...issued, key: await privatePem(keys.privateKey) };
    },
    async signAgentRequest(request, { uid, sid }) {
      const { publicKey, subject } = await readRequest(request);
      if (subject?.role !== 'agent' || subject.uid !== uid || subject.serviceLocator !== sid) {
        throw new Fault(
          'AccessDenied',
          `A manager may only ask for certificates of role agent, UID ${uid}, service ${sid}.`,
        );
      }
      return await sign(subject, publicKey, []);
    },
  };
}

/** A new key and a PEM request for it: what a manager sends to `/ca/get_cert.php`. */
export async function createRequest(subject: Subject): Promise<{ request: string; key: string }> {
  const keys = await newKeys();
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: subjectName(subject),
    keys,
    signingAlgorithm: RSA,
  });
  return { request: pem(request.toString('pem')), key: await privatePem(keys.privateKey) };
}

/** SHA-256 of the DER form, lower-case hex. */
export function fingerprintOf(certificate: string | Buffer): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');
}

/** One RDN for each value, in the order of the original, all UTF8String: plain strings would become PrintableString. */
function subjectName(subject: Subject): Name {
  const values: [string, string | undefined][] = [
    [SUBJECT_OIDS.uid, String(subject.uid)],
    [SUBJECT_OIDS.serviceLocator, String(subject.serviceLocator)],
    [SUBJECT_OIDS.role, subject.role],
    [SUBJECT_OIDS.commonName, subject.commonName],
    [SUBJECT_OIDS.organisation, subject.organisation],
    [SUBJECT_OIDS.email, subject.email],
  ];
  return new Name(values.flatMap(([type, value]) => (value ? [{ [type]: [{ utf8String: value }] }] : [])));
}

function extensionsFor(subject: Subject, hosts: readonly string[]): Extension[] {
  const usages = [ExtendedKeyUsage.clientAuth];
  if (subject.role !== 'user') usages.push(ExtendedKeyUsage.serverAuth);
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
    new ExtendedKeyUsageExtension(usages),
  ];
  if (hosts.length > 0) {
    const names = hosts.map((host) => ({ type: isIP(host) ? ('ip' as const) : ('dns' as const), value: host }));
    extensions.push(new SubjectAlternativeNameExtension(names));
  }
  return extensions;
}

async function readRequest(text: string) {
  let request: Pkcs10CertificateRequest;
  try {
    request = new Pkcs10CertificateRequest(text);
    if (!(await request.verify())) throw new Error('its signature does not belong to its key');
  } catch (cause) {
    throw new Fault('InvalidValue', 'The certificate signing request cannot be read or is not signed by its own key.', {
      cause,
    });
  }
  const { publicKey, subjectName: name } = request;
  const algorithm = publicKey.algorithm as { name: string; modulusLength?: number };
  const bits = algorithm.modulusLength ?? 0;
  if (!algorithm.name.startsWith('RSA') || bits < 2048 || bits > 8192) {
    throw new Fault('InvalidValue', 'The certificate signing request must be for an RSA key of 2048 to 8192 bits.');
  }
  return { publicKey, subject: readSubject((field) => name.getField(SUBJECT_OIDS[field])) };
}

type CryptoKey = webcrypto.CryptoKey;

/** 127 random bits: positive, never empty. */
function serialNumber(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

/** OpenSSL of old clients wants a line end after the last line. */
function pem(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

async function privatePem(key: CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${bytes.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`;
}

async function readPrivateKey(text: string): Promise<CryptoKey> {
  const bytes = Buffer.from(text.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return await webcrypto.subtle.importKey('pkcs8', bytes, RSA, false, ['sign']);
}
