export const CERTIFICATE_ROLES = ['user', 'manager', 'agent', 'frontend'] as const;
/** `frontend` is the Director itself: managers serve it as they serve their owner. */
export type CertificateRole = (typeof CERTIFICATE_ROLES)[number];

/** Whom a ConPaaS certificate names. */
export interface Subject {
  role: CertificateRole;
  /** The ConPaaS user id of the owner; 0 for the Director. */
  uid: number;
  /** The service id of a manager or an agent; 0 for users and the Director. */
  serviceLocator: number;
  commonName: string;
  organisation?: string;
  email?: string;
}

/** The attribute types, as the original ConPaaS writes them. */
export const SUBJECT_OIDS = {
  uid: '0.9.2342.19200300.100.1.1',
  serviceLocator: '1.3.6.1.5.5.7.48.1.7',
  role: '2.5.4.72',
  commonName: '2.5.4.3',
  organisation: '2.5.4.10',
  email: '1.2.840.113549.1.9.1',
} as const;

/**
 * Reads a subject. `field` gives every value of an attribute: each must stand there exactly once, so that no reader can pick another
 * one than we do. Undefined: not a ConPaaS subject.
 */
export function readSubject(field: (name: keyof typeof SUBJECT_OIDS) => readonly string[]): Subject | undefined {
  const only = (name: keyof typeof SUBJECT_OIDS) => {
    const values = field(name);
    return values.length === 1 ? values[0] : undefined;
  };
  const role = CERTIFICATE_ROLES.find((known) => known === only('role'));
  const uid = decimal(only('uid'));
  const serviceLocator = decimal(only('serviceLocator'));
  const commonName = only('commonName');
  if (role === undefined || uid === undefined || serviceLocator === undefined || commonName === undefined) return;
  const organisation = only('organisation');
  const email = only('email');
  return {
    role,
    uid,
    serviceLocator,
    commonName,
    ...(organisation === undefined ? {} : { organisation }),
    ...(email === undefined ? {} : { email }),
  };
}

function decimal(text: string | undefined): number | undefined {
  if (text === undefined || !/^(0|[1-9]\d{0,9})$/.test(text)) return;
  return Number(text);
}

/** Upper bound of a common name (RFC 5280). */
const LONGEST_NAME = 64;

/** Old clients trust whatever is called CA, and X.509 cuts names at 64 characters. */
export function isUsableCommonName(name: string): boolean {
  return name.length > 0 && [...name].length <= LONGEST_NAME && name.trim().toLowerCase() !== 'ca';
}
