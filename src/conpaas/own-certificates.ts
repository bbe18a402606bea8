import type { User } from '../domain/model.js';
import { type Authority, type Credential, createAuthority, fingerprintOf, openAuthority } from './certificates.js';
import type { Certification } from './certification.js';
import { keptCredential, readCredential, writeCredential } from './key-files.js';

/** The gateway's own user's: the kept one, unless it was revoked. */
export async function ownCredential(
  folder: string,
  certification: Certification,
  own: User,
  clock: () => Date,
): Promise<Credential> {
  const issue = () => certification.forUser(own);
  const kept = await keptCredential(folder, issue, clock());
  if (!(await certification.peers.isRevoked(fingerprintOf(kept.certificate)))) return kept;
  const issued = await issue();
  await writeCredential(folder, issued);
  return issued;
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
