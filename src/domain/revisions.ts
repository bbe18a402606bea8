/**
 * A part of the store that changes as one, as far as readers are concerned: one application with its versions and instances, the list
 * of all, the environments (whose states are those of the instances on them), a user with its password, role and keys.
 */
export type Part = `application:${number}` | 'applications' | 'environments' | `user:${string}`;

/**
 * Tells whether what was read from the store earlier still stands. Changes of this process are known at once: before whoever made them
 * has an answer. Those of other processes are known within a second.
 */
export interface Revisions {
  /** The present moment, to be kept with what is read after it. Undefined: the store cannot tell of changes now, so nothing may be kept. */
  now(): number | undefined;
  /** Whether none of the parts has changed since that moment. False in doubt. */
  unchanged(since: number, parts: readonly Part[]): boolean;
}
