import type { ConpaasService, ConpaasStore } from '../domain/conpaas.js';
import type { User } from '../domain/model.js';
import type { Authority, Credential, IssuedCertificate } from './certificates.js';
import type { PeerRules } from './peer.js';
import type { Subject } from './subject.js';

/** Who gets which certificate, with a record of each in the store: what is not recorded could not be revoked. */
export interface Certification {
  /** PEM of the authority. */
  readonly authority: string;
  forUser(user: User): Promise<Credential>;
  forManager(service: ConpaasService): Promise<Credential>;
  /** `hosts`: names and addresses under which clients reach the Director. */
  forDirector(hosts: readonly string[]): Promise<Credential>;
  signAgentRequest(request: string, service: ConpaasService): Promise<IssuedCertificate>;
  /** Every certificate of the user; those of its services stay. */
  revokeUser(uid: number): Promise<void>;
  /** Every certificate of the service, manager and agents; after `grace` milliseconds. */
  revokeService(sid: number, grace?: number): Promise<void>;
  readonly peers: PeerRules;
}

const ORGANISATION = 'ConPaaS';

export function createCertification(authority: Authority, store: ConpaasStore, clock: () => Date): Certification {
  async function record(issued: IssuedCertificate): Promise<void> {
    await store.addCertificate({
      fingerprint: issued.fingerprint,
      role: issued.subject.role,
      uid: issued.subject.uid,
      sid: issued.subject.serviceLocator,
      expiresAt: issued.expiresAt.toISOString(),
    });
  }

  async function issue(subject: Subject, hosts: readonly string[] = []): Promise<Credential> {
    const issued = await authority.issue({ organisation: ORGANISATION, ...subject }, hosts);
    await record(issued);
    return { certificate: issued.certificate, key: issued.key };
  }

  return {
    authority: authority.certificate,
    forUser: ({ uid, name, email }) =>
      issue({ role: 'user', uid, serviceLocator: 0, commonName: name, ...(email ? { email } : {}) }),
    forManager: ({ uid, sid }) => issue({ role: 'manager', uid, serviceLocator: sid, commonName: `manager-${sid}` }),
    forDirector: (hosts) =>
      issue({ role: 'frontend', uid: 0, serviceLocator: 0, commonName: hosts[0] ?? 'localhost' }, hosts),
    async signAgentRequest(request, { uid, sid }) {
      const issued = await authority.signAgentRequest(request, { uid, sid });
      await record(issued);
      return issued;
    },
    revokeUser: async (uid) => {
      await store.revoke({ uid }, clock().toISOString());
    },
    revokeService: async (sid, grace = 0) => {
      await store.revoke({ sid }, new Date(clock().getTime() + grace).toISOString());
    },
    peers: {
      clock,
      async isRevoked(fingerprint) {
        const certificate = await store.certificate(fingerprint);
        const revokedAt = certificate?.revokedAt;
        return revokedAt != null && Date.parse(revokedAt) <= clock().getTime();
      },
    },
  };
}
