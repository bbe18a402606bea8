import { type AdapterContext, AdapterError } from '../adapter.js';

/** The options, read once. Times are milliseconds here. */
export interface Settings {
  platform: string;
  installation: string;
  server?: string;
  token?: string;
  caFile?: string;
  skipTlsVerification: boolean;
  kubeconfig?: string;
  context?: string;
  projectPrefix: string;
  imageNamespace: string;
  builders: Readonly<Record<string, string>>;
  databases: Readonly<Record<string, string>>;
  routeDomain?: string;
  tls: boolean;
  storage: string;
  storageClass?: string;
  memory: number;
  requestTimeout: number;
  buildStartTimeout: number;
  buildTimeout: number;
  rolloutTimeout: number;
  deleteTimeout: number;
}

const PREFIX = /^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$/;
const RESERVED = /^(openshift|kube)(-|$)/;

/** Throws `rejected` when options contradict each other; the form of each was checked against the definition before. */
export function readSettings({ platform, installation, options }: AdapterContext): Settings {
  const text = (name: string): string | undefined =>
    typeof options[name] === 'string' && options[name] !== '' ? options[name] : undefined;
  const number = (name: string, otherwise: number): number =>
    typeof options[name] === 'number' ? options[name] : otherwise;
  const settings: Settings = {
    platform,
    installation,
    skipTlsVerification: options['skipTlsVerification'] === true,
    projectPrefix: text('projectPrefix') ?? 'coaps',
    imageNamespace: text('imageNamespace') ?? 'openshift',
    builders: texts(options['builders'], 'builders'),
    databases: texts(options['databases'], 'databases'),
    tls: options['tls'] !== false,
    storage: text('storage') ?? '1Gi',
    memory: number('memory', 512),
    requestTimeout: number('requestTimeout', 30) * 1000,
    buildStartTimeout: number('buildStartTimeout', 300) * 1000,
    buildTimeout: number('buildTimeout', 1800) * 1000,
    rolloutTimeout: number('rolloutTimeout', 300) * 1000,
    deleteTimeout: number('deleteTimeout', 300) * 1000,
  };
  for (const name of ['server', 'token', 'caFile', 'kubeconfig', 'context', 'routeDomain', 'storageClass'] as const) {
    const value = text(name);
    if (value !== undefined) settings[name] = value;
  }
  refuseContradictions(settings);
  return settings;
}

function refuseContradictions(settings: Settings): void {
  const faults: string[] = [];
  if (!settings.kubeconfig && !settings.server) faults.push('give either "kubeconfig", or "server" and "token"');
  if (settings.kubeconfig && settings.server) faults.push('"kubeconfig" and "server" exclude each other');
  if (settings.server && !settings.token) faults.push('"server" needs a "token"');
  if (settings.context && !settings.kubeconfig) faults.push('"context" is only for a kubeconfig');
  if (settings.server && !URL.canParse(settings.server))
    faults.push('"server" must be a URL such as https://api.cluster.example.org:6443');
  if (!PREFIX.test(settings.projectPrefix)) {
    faults.push('"projectPrefix" must be 1 to 20 lower-case letters, digits and dashes, beginning with a letter');
  }
  if (RESERVED.test(settings.projectPrefix))
    faults.push('"projectPrefix" may not begin with openshift- or kube-: the cluster keeps these names');
  if (faults.length > 0)
    throw new AdapterError('rejected', `Options of platform ${settings.platform}: ${faults.join('; ')}.`);
}

function texts(value: unknown, name: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [key, text] of Object.entries((value ?? {}) as Record<string, unknown>)) {
    if (typeof text !== 'string' || text === '') {
      throw new AdapterError(
        'rejected',
        `Option "${name}.${key}" must be the name of an image, such as "nodejs:22-ubi9".`,
      );
    }
    result[key.toLowerCase()] = text;
  }
  return result;
}
