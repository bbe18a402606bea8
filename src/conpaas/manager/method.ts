import type { ConpaasStore } from '../../domain/conpaas.js';
import type { AddressBook } from '../addresses.js';
import type { Answer } from '../http/answer.js';
import type { ReceivedFile } from '../http/request.js';
import type { CodeRepository } from './code-repository.js';
import type { Fleet } from './fleet.js';
import type { Lifecycle } from './lifecycle.js';

/** A failure that a caller reads: `{"id", "error": text}`. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
}

/** What methods of a manager work with. */
export interface ManagerCore {
  readonly sid: number;
  store: ConpaasStore;
  lifecycle: Lifecycle;
  code: CodeRepository;
  fleet: Fleet;
  addresses: AddressBook;
  /** The manager's own log, oldest line first. */
  log(): Promise<string>;
  /** Where the last output of ended nodes is kept. */
  outputFile: string;
  /** Folder for files of a moment. */
  uploads: string;
}

/** Parameters as sent: JSON values, or strings of a form. */
export type Parameters = Readonly<Record<string, unknown>>;

export interface MethodCall {
  /** As it is echoed; absent in calls from inside. */
  id?: unknown;
  parameters: Parameters;
  /** Of an upload. */
  files: readonly ReceivedFile[];
}

export interface Method {
  name: string;
  /** The one way in which it may be called: a GET, a JSON POST or a multipart POST. */
  kind: 'GET' | 'POST' | 'UPLOAD';
  required?: readonly string[];
  optional?: readonly string[];
  run(manager: ManagerCore, call: MethodCall): Promise<{ result: unknown } | Answer>;
}

/** Throws RpcError with the original's texts. */
export function checkParameters(method: Method, { parameters, files }: MethodCall): void {
  const known = [...(method.required ?? []), ...(method.optional ?? [])];
  const given = [...Object.keys(parameters), ...files.map(({ field }) => field)];
  const strange = given.filter((name) => !known.includes(name));
  if (strange.length > 0) throw new RpcError(`Unexpected arguments [${strange.map((name) => `'${name}'`).join(', ')}]`);
  const missing = method.required?.find((name) => !given.includes(name));
  if (missing) throw new RpcError(`Missing argument "${missing}"`);
}

/** A text parameter; `undefined` when absent. */
export function textOf({ parameters }: MethodCall, name: string): string | undefined {
  const value = parameters[name];
  if (value === undefined || value === null) return;
  if (typeof value !== 'string') throw new RpcError(`Invalid arguments DETAIL:"${name}" must be a string`);
  return value;
}

/** A whole number from 0; forms send it as text. */
export function countOf({ parameters }: MethodCall, name: string): number | undefined {
  const value = parameters[name];
  if (value === undefined || value === null) return;
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
    throw new RpcError(`Invalid arguments DETAIL:Expecting an integer value for "${name}"`);
  }
  if (number < 0) throw new RpcError(`Invalid arguments DETAIL:Expecting a positive integer value for "${name}"`);
  return number;
}
