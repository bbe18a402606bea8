import { randomBytes } from 'node:crypto';
import type { ConpaasService, ConpaasStore, ServiceGoal } from '../../domain/conpaas.js';
import type { AddressBook } from '../addresses.js';
import { APPLICATION_DATABASE, APPLICATION_USER } from '../agent/mariadb/accounts.js';

/** How an application comes into a database; known from the service's birth, whether its server runs or not. */
export interface DatabaseAccess {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  /** `mysql://user:password@host:port/database` */
  url: string;
}

/** The accounts of a new mysql service: the applications' own. */
export function firstAccounts(): Record<string, string> {
  // Legal in a URL as it is.
  return { [APPLICATION_USER]: randomBytes(18).toString('base64url') };
}

export function accessTo({ endpoint, current, goal }: ConpaasService, addresses: AddressBook): DatabaseAccess {
  const { host, port } = addresses.databaseAt(endpoint);
  const password = (goal ?? current).settings.accounts?.[APPLICATION_USER] ?? '';
  const [user, database] = [APPLICATION_USER, APPLICATION_DATABASE];
  const url = `mysql://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
  return { host, port, user, password, database, url };
}

/**
 * What the services of a ConPaaS application get of its databases: `DATABASE_URL` for the oldest, `MYSQL_HOST`, `_PORT`, `_USER`,
 * `_PASSWORD`, `_DATABASE`, `_URL` for it and `MYSQL_2_…` for the next one.
 */
export async function databaseVariables(
  { store, addresses }: { store: ConpaasStore; addresses: AddressBook },
  { aid, uid, host }: ConpaasService,
): Promise<Record<string, string>> {
  const services = (await store.services({ aid, uid, host })).filter(isDatabase);
  const variables = services.map((service, index): Record<string, string> => {
    const prefix = index === 0 ? 'MYSQL' : `MYSQL_${index + 1}`;
    const access = accessTo(service, addresses);
    return {
      ...(index === 0 ? { DATABASE_URL: access.url } : {}),
      [`${prefix}_HOST`]: access.host,
      [`${prefix}_PORT`]: String(access.port),
      [`${prefix}_USER`]: access.user,
      [`${prefix}_PASSWORD`]: access.password,
      [`${prefix}_DATABASE`]: access.database,
      [`${prefix}_URL`]: access.url,
    };
  });
  return Object.assign({}, ...variables) as Record<string, string>;
}

function isDatabase({ type, goal }: ConpaasService): boolean {
  return type === 'mysql' && goal?.aim !== 'deleted';
}

/** The goal with the variables of the application's databases; what its owner set wins. */
export async function withDatabases(
  shop: { store: ConpaasStore; addresses: AddressBook },
  service: ConpaasService,
  goal: ServiceGoal,
): Promise<ServiceGoal> {
  const variables = { ...(await databaseVariables(shop, service)), ...goal.settings.variables };
  return { ...goal, settings: { ...goal.settings, variables } };
}
