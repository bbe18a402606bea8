import { join } from 'node:path';
import type { User } from '../domain/model.js';
import { type Authority, createAuthority, fingerprintOf, openAuthority } from './certificates.js';
import type { Certification } from './certification.js';
import { keptCredential, readCredential, writeCredential, writePrivately } from './key-files.js';

/** Keeps the certificate of the gateway's own user in a folder, beside the authority's: a new one when it ends soon or was revoked. */
export async function ownCredential(folder: string, certification: Certification, own: User): Promise<void> {
  const issue = () => certification.forUser(own);
  const kept = await keptCredential(folder, issue, new Date());
  if (await certification.peers.isRevoked(fingerprintOf(kept.certificate))) {
    await writeCredential(folder, await issue());
  }
  await writePrivately(join(folder, 'ca_cert.pem'), certification.authority);
}

/** The authority of this data directory: made at the first start, and again when its five years are over. */
export async function openOwnAuthority(folder: string, clock: () => Date): Promise<Authority> {
  const kept = await readCredential(folder, 'ca_');
  if (kept) {
    const authority = await openAuthority(kept, clock);
    if (authority.expiresAt > clock()) return authority;
  }
  const made = await createAuthority(clock());
  await writeCredential(folder, made, 'ca_');
  return await openAuthority(made, clock);
}
