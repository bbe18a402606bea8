import type { Readable } from 'node:stream';
import type { ConpaasService, ConpaasStore, ConpaasUsers, ServiceType } from '../../domain/conpaas.js';
import { Fault, isFault } from '../../domain/errors.js';
import type { User } from '../../domain/model.js';
import type { AddressBook } from '../addresses.js';
import type { RuntimeReport } from '../agent/runtimes/index.js';
import type { Certification } from '../certification.js';
import type { Answer } from '../http/answer.js';
import type { ReceivedFile } from '../http/request.js';
import type { ConpaasLog } from '../log.js';
import type { Managers } from '../manager/managers.js';
import type { UserData } from './user-data.js';

/** Everything that the Director's endpoints work with. */
export interface Director {
  store: ConpaasStore;
  users: ConpaasUsers;
  certification: Certification;
  managers: Managers;
  addresses: AddressBook;
  /** Id of this gateway host. */
  host: string;
  /** Whether this host runs the Director of the installation now. */
  leads(): boolean;
  registration: 'open' | 'closed';
  maxCredit: number;
  /** The gateway's own user is not charged. */
  gatewayUid: number;
  /** What each known type needs here: undefined when it can run, else a sentence that says how to get it. */
  missing(type: ServiceType): string | undefined;
  runtimes: readonly RuntimeReport[];
  /** Of the ConPaaS API that it speaks. */
  version: string;
  /** The package that a manager or agent host runs; undefined: it is not built. */
  packageFile(): Promise<string | undefined>;
  userData: UserData;
  /** Takes uploads for a moment. */
  incoming: string;
  /** Fetches what a manifest names, from where strangers may send us. Absent: nothing is fetched. */
  fetchArchive?: (url: string) => Promise<Readable>;
  /** Where clients reach it. */
  url(): string;
  log: ConpaasLog;
}

export interface Call {
  /** From query, urlencoded or multipart body; the query wins. */
  parameters: URLSearchParams;
  files: readonly ReceivedFile[];
  /** Values of the path's `:name` segments; `:aid` and `:sid` are decimal integers. */
  path: Readonly<Record<string, string>>;
  /** The client's address. */
  address: string;
}

export interface UserCall extends Call {
  user: User;
}

export interface ManagerCall extends Call {
  service: ConpaasService;
}

/** A row of the Director's table: the router, 405 and the certificate rules derive from it. */
export type Endpoint = {
  methods: readonly ('GET' | 'POST')[];
  /** `/start/:type/:cloud?` */
  path: string;
  /** About this machine: also answered by a host that does not run the Director. */
  anywhere?: true;
} & (
  | { who: 'anyone'; run(director: Director, call: Call): Promise<Answer> }
  | { who: 'user'; run(director: Director, call: UserCall): Promise<Answer> }
  | { who: 'manager'; run(director: Director, call: ManagerCall): Promise<Answer> }
);

/** Failures are HTTP 200: any other status makes the clients print a hint about credentials and exit. */
export function failure(msg: string): Answer {
  return { json: { error: true, msg } };
}

export const FALSE: Answer = { json: false };
export const TRUE: Answer = { json: true };

/** For what the client is told in its own words; a fault of ours goes on. */
export function told(error: unknown): Answer {
  if (isFault(error) && error.status < 500) return failure(error.message);
  throw error;
}

export function integer(call: Call, name: string): number {
  const value = Number(call.path[name]);
  if (!Number.isSafeInteger(value)) throw new Fault('NotFound', 'Not an id.');
  return value;
}

/** A parameter that counts as absent when it is empty. */
export function parameter(call: Call, name: string): string | undefined {
  return call.parameters.get(name) || undefined;
}
