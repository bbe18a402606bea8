import type { PeerCertificate, TLSSocket } from 'node:tls';
import { readSubject, type Subject } from './subject.js';

/** Decides on certificates beyond what TLS does. */
export interface PeerRules {
  /** By the SHA-256 of the DER form, lower-case hex. */
  isRevoked(fingerprint: string): Promise<boolean>;
  clock(): Date;
  /** Where one kind of peer alone may speak: whether this is it. Undefined subject: no certificate. Absent: anybody. */
  accepts?(peer: Subject | undefined): boolean;
}

/**
 * Whether a connection may go on to HTTP: it presented no certificate (each endpoint decides then), or one that our authority
 * signed, that is valid now and not revoked, and that the rules accept. Needs a server with `requestCert: true, rejectUnauthorized: false`.
 */
export async function isAdmitted(socket: TLSSocket, rules: PeerRules): Promise<boolean> {
  const certificate = presented(socket);
  if (certificate !== undefined && !socket.authorized) return false;
  if (rules.accepts && !rules.accepts(peerSubject(socket))) return false;
  if (certificate === undefined) return true;
  const now = rules.clock().getTime();
  if (now < Date.parse(certificate.valid_from) || now > Date.parse(certificate.valid_to)) return false;
  return !(await rules.isRevoked(fingerprint(certificate.fingerprint256)));
}

/** Whom the peer's certificate names. Undefined: it has none, or none of ConPaaS. To be asked on admitted connections only. */
export function peerSubject(socket: TLSSocket): Subject | undefined {
  const certificate = presented(socket);
  if (certificate === undefined || !socket.authorized) return;
  return certificateSubject(certificate);
}

/** Whom a certificate names; that our authority signed it is for the caller to know. */
export function certificateSubject(certificate: Pick<PeerCertificate, 'subject'>): Subject | undefined {
  // Node gives one value as a string and several as an array, whatever its types say.
  const subject = certificate.subject as unknown as Record<string, string | string[] | undefined>;
  return readSubject((name) => [subject[NODE_NAMES[name]] ?? []].flat());
}

/** Node's names (OpenSSL's short names) of the attributes. */
const NODE_NAMES = {
  uid: 'UID',
  serviceLocator: 'serviceLocator',
  role: 'role',
  commonName: 'CN',
  organisation: 'O',
  email: 'emailAddress',
} as const;

function presented(socket: TLSSocket) {
  const certificate = socket.getPeerCertificate();
  return certificate && 'fingerprint256' in certificate ? certificate : undefined;
}

function fingerprint(colons: string): string {
  return colons.replaceAll(':', '').toLowerCase();
}
