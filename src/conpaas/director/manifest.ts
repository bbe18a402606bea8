import { SERVICE_TYPES, type ServiceType } from '../../domain/conpaas.js';
import { Fault } from '../../domain/errors.js';

/** A service of a manifest, checked. */
export interface ManifestService {
  type: ServiceType;
  name?: string;
  start: boolean;
  /** Of each role, the packed ones counted: 1 is what a started service has. */
  instances: Record<string, number>;
  archive?: string;
  startupScript?: string;
  /** mysql: of the user `mysqldb`. */
  password?: string;
  /** mysql: URL of what its databases shall hold. */
  dump?: string;
  /** Ours. */
  variables: Record<string, string>;
  /** Ours; MiB. */
  memory?: number;
}

export interface Manifest {
  application: string;
  services: ManifestService[];
}

/** `undefined` for what the original answers with a bare `false`; a Fault InvalidValue has its texts. */
export function readManifest(text: string): Manifest | undefined {
  const document = parsed(text);
  if (!document) return;
  const { Application: application, Services: services } = document;
  if (typeof application !== 'string' || application === '') {
    throw new Fault('InvalidValue', 'Application is not defined');
  }
  if (!Array.isArray(services)) return { application, services: [] };
  if (services.some((service) => !isObject(service) || typeof service['Type'] !== 'string')) return;
  return { application, services: services.map((service) => serviceOf(service as Record<string, unknown>)) };
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function serviceOf(given: Record<string, unknown>): ManifestService {
  const type = SERVICE_TYPES.find((known) => known === (given['Type'] === 'galera' ? 'mysql' : given['Type']));
  if (!type) throw new Fault('InvalidValue', `Service ${String(given['Type'])} does not exists`);
  const memory = given['Memory'];
  return {
    type,
    start: Number(given['Start'] ?? 0) === 1 || given['Start'] === true,
    instances: numbersOf(given['StartupInstances']),
    variables: textsOf(given['Variables']),
    ...optional('name', given['ServiceName'] ?? given['FrontendName']),
    ...optional('archive', given['Archive']),
    ...optional('startupScript', given['StartupScript']),
    ...(type === 'mysql' ? { ...optional('password', given['Password']), ...optional('dump', given['Dump']) } : {}),
    ...(typeof memory === 'number' && Number.isSafeInteger(memory) && memory > 0 ? { memory } : {}),
  };
}

function optional<K extends string>(key: K, value: unknown): { [_ in K]?: string } {
  return typeof value === 'string' && value !== '' ? ({ [key]: value } as { [_ in K]?: string }) : {};
}

function numbersOf(value: unknown): Record<string, number> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new Fault('InvalidValue', 'StartupInstances must be an object');
  return Object.fromEntries(
    Object.entries(value).map(([role, count]) => {
      const number = Number(count);
      if (!Number.isSafeInteger(number) || number < 0 || number > 1000) {
        throw new Fault('InvalidValue', `StartupInstances: ${role} must be a number`);
      }
      return [role, number];
    }),
  );
}

function textsOf(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new Fault('InvalidValue', 'Variables must be an object');
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
