import type { Endpoint, ServiceGoal, ServiceState, ServiceType } from '../../domain/conpaas.js';
import type { Json } from '../schema.js';

/** The tables of migration 0002, as Kysely sees them. */
export interface ConpaasSchema {
  conpaasApplications: { aid: number; uid: number; name: string; createdAt: string };
  conpaasServices: {
    sid: number;
    aid: number;
    uid: number;
    type: ServiceType;
    name: string;
    cloud: string;
    createdAt: string;
    host: string;
    vmid: number;
    manager: Json<Endpoint>;
    endpoint: Json<Endpoint>;
    state: ServiceState;
    reason: string;
    current: Json<ServiceGoal>;
    goal: Json<ServiceGoal> | null;
  };
  conpaasNodes: {
    nodeId: string;
    sid: number;
    vmid: number;
    cloud: string;
    host: string;
    endpoint: Json<Endpoint> | null;
    roles: Json<string[]>;
    createdAt: string;
    paidUntil: string;
  };
  /** Who holds which address of which host; without a node: the service itself. */
  conpaasAddresses: { host: string; address: string; port: number; sid: number; nodeId: string | null };
  conpaasCodeVersions: {
    sid: number;
    codeVersionId: string;
    position: number;
    filename: string;
    description: string;
    createdAt: string;
    format: 'zip' | 'tar';
    size: number;
    sha256: string;
  };
  conpaasHistory: { sid: number; position: number; at: string; state: ServiceState; reason: string };
  conpaasCertificates: {
    fingerprint: string;
    role: string;
    uid: number;
    sid: number;
    expiresAt: string;
    revokedAt: string | null;
  };
  conpaasCharges: { key: string; uid: number; sid: number; amount: number; at: string };
  /** `until`: seconds since 1970 by the database's clock. */
  conpaasLeases: { name: string; owner: string; until: number };
}
