import { Fault } from '../domain/errors.js';
import type { BodyValues, UserDescriptor } from '../domain/views.js';
import { readJsonTree } from './json-tree.js';
import { readManifest } from './manifest.js';
import { given, textOf } from './reading.js';
import { readXmlTree, type XmlElement } from './xml-tree.js';

export type BodyFormat = 'xml' | 'json';

const READERS: { [K in 'manifest' | 'user' | 'password' | 'key']: (root: XmlElement) => BodyValues[K] } = {
  manifest: readManifest,
  user: readUser,
  password: readPassword,
  key: (root) => given<{ label?: string }>({ label: textOf(root, 'label', 'name') }),
};

/** Reads a request's body. Throws nothing but Fault. */
export function readBody<K extends keyof typeof READERS>(kind: K, format: BodyFormat, bytes: Buffer): BodyValues[K] {
  if (bytes.length === 0) {
    if (kind === 'key') return {} as BodyValues[K];
    throw new Fault('MissingParameter', `The request has no body; a ${NAMES[kind]} is expected.`);
  }
  const root = format === 'json' ? readJsonTree(bytes) : readXmlTree(bytes);
  return READERS[kind](root) as BodyValues[K];
}

const NAMES = { manifest: 'descriptor', user: 'user', password: 'password', key: 'key' } as const;

function readUser(root: XmlElement): UserDescriptor {
  return given<UserDescriptor>({
    name: textOf(root, 'name'),
    password: secretOf(root),
    role: textOf(root, 'role'),
    tenant: textOf(root, 'tenant'),
    email: textOf(root, 'email'),
    firstName: textOf(root, 'firstName'),
    lastName: textOf(root, 'lastName'),
    affiliation: textOf(root, 'affiliation'),
  });
}

function readPassword(root: XmlElement): { password: string } {
  const password = secretOf(root) ?? (root.text.trim() === '' ? undefined : root.text);
  if (password === undefined || password === '') throw new Fault('MissingParameter', 'The new password is missing.');
  return { password };
}

/** A password is taken as it stands, white space included. */
function secretOf(root: XmlElement): string | undefined {
  return (
    root.attributes.get('password') ??
    root.attributes.get('value') ??
    root.children.find((one) => one.name === 'password')?.text
  );
}
