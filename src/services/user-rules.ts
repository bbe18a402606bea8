import { Fault } from '../domain/errors.js';
import { ROLES, type Role } from '../domain/principal.js';

/** A certificate's common name holds no more. */
const LONGEST_NAME = 64;
const LONGEST_TEXT = 255;
const LONGEST_PASSWORD = 1024;

const UNUSABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Whether a user may have this name. It stands in Basic credentials (no colon), in paths (no slash, no dot segment) and as the common
 * name of certificates, where old ConPaaS clients trust anybody called CA.
 */
export function isUserName(name: string): boolean {
  return (
    name !== '' &&
    name.trim() === name &&
    [...name].length <= LONGEST_NAME &&
    !UNUSABLE.test(name) &&
    !/[:/]/.test(name) &&
    name !== '.' &&
    name !== '..' &&
    name.normalize('NFKC').toUpperCase() !== 'CA'
  );
}

export function userName(name: string | undefined): string {
  if (name === undefined) throw new Fault('MissingParameter', 'A user needs a name.');
  if (isUserName(name)) return name;
  throw new Fault(
    'InvalidValue',
    `A user name has 1 to ${LONGEST_NAME} characters, no colon, slash or control character, no blank at its ends, and is not CA.`,
  );
}

/** Any characters; an empty one could be sent by mistake, and a very long one only costs time. */
export function password(value: string | undefined): string {
  if (value === undefined) throw new Fault('MissingParameter', 'A user needs a password.');
  if (value !== '' && value.length <= LONGEST_PASSWORD) return value;
  throw new Fault('InvalidValue', `A password has 1 to ${LONGEST_PASSWORD} characters.`);
}

export function role(value: string): Role {
  const known = ROLES.find((one) => one === value);
  if (known) return known;
  throw new Fault(
    'InvalidValue',
    `${JSON.stringify(value.slice(0, 40))} is no role; there are ${ROLES.join(' and ')}.`,
  );
}

/** A tenant, an e-mail address, a name of a person: one line. */
export function particular(what: string, value: string): string {
  if (value.length <= LONGEST_TEXT && !UNUSABLE.test(value)) return value;
  throw new Fault('InvalidValue', `${what} has at most ${LONGEST_TEXT} characters and no control characters.`);
}

export function email(value: string): string {
  if (value === '' || /^[^\s@]+@[^\s@]+$/.test(particular('An e-mail address', value))) return value;
  throw new Fault('InvalidValue', 'An e-mail address looks like name@example.org.');
}

export function tenant(value: string): string {
  if (value.trim() !== '') return particular('A tenant', value);
  throw new Fault('InvalidValue', 'A tenant has a name.');
}
