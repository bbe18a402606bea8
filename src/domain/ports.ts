import type { Readable } from 'node:stream';
import type { Artefact } from './model.js';
import type { Principal } from './principal.js';

/** What the HTTP layer needs of the users, without knowing where they are kept. */
export interface Authentication {
  /**
   * The principal behind a name and a password; `undefined` when the password is wrong, `unknown` when no such user exists (the same
   * time passes in both cases). Throws Fault `TooManyRequests` when `address` has failed too often for this name; the right user from
   * elsewhere is never locked out.
   */
  byPassword(name: string, password: string, address: string): Promise<Principal | 'unknown' | undefined>;
  /**
   * The principal behind a signed request. `accessKeyId` is a user name (every active key of that user is tried) or a key id.
   * `verify` is called with each candidate secret and compares in constant time. Undefined: no key of that id or user verifies.
   * `unknown`: no such user or key.
   */
  bySignature(accessKeyId: string, verify: (secret: string) => boolean): Promise<Principal | 'unknown' | undefined>;
  /** For anonymous access: the principal of a configured user. */
  byName(name: string): Promise<Principal | undefined>;
}

/** Where uploads stream to while they arrive. */
export interface ArtefactReceiver {
  /** To be asked before so many bytes are taken from a client (0: nobody said). Throws Fault `ServiceUnavailable` when the disk is too full. */
  admit(size: number): Promise<void>;
  /**
   * Streams to a temporary file with SHA-256, finds the type in the content, moves it into place. Nothing remains when it throws
   * (`InvalidValue` for what is no archive or a dangerous one, `PayloadTooLarge`). `name` is reduced to a plain file name.
   */
  receive(source: Readable, name: string | undefined, signal: AbortSignal): Promise<Artefact>;
}
