import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AdapterContext, AdapterError, type AdapterOptions, type OnCall } from '../adapter.js';

export interface Settings {
  director: string;
  /** PEM texts. */
  certificate: string;
  key: string;
  ca: string;
  managerPort: number;
  appPort: number;
  oldTls: boolean;
  /** Milliseconds. */
  requestTimeout: number;
  changeTimeout: number;
  onCall?: OnCall;
}

/** Throws AdapterError `rejected` that names the option. */
export async function readSettings({ options, onCall }: Pick<AdapterContext, 'options' | 'onCall'>): Promise<Settings> {
  const [certificate, key, ca] = await Promise.all([
    pem(options, 'certificate', 'cert.pem'),
    pem(options, 'key', 'key.pem'),
    pem(options, 'ca', 'ca_cert.pem'),
  ]);
  return {
    director: urlOf(options),
    certificate,
    key,
    ca,
    managerPort: Number(options['managerPort'] ?? 443),
    appPort: Number(options['appPort'] ?? 80),
    oldTls: options['oldTls'] === true,
    requestTimeout: Number(options['requestTimeout'] ?? 60) * 1000,
    changeTimeout: Number(options['changeTimeout'] ?? 900) * 1000,
    ...(onCall ? { onCall } : {}),
  };
}

function urlOf({ director }: AdapterOptions): string {
  if (typeof director === 'string' && URL.canParse(director) && new URL(director).protocol === 'https:') {
    return new URL(director).origin;
  }
  throw new AdapterError('rejected', 'Option "director" must be a URL such as https://director.example.org:5555.');
}

async function pem(options: AdapterOptions, name: string, file: string): Promise<string> {
  const { credentials, [name]: own } = options;
  const given = own ?? (typeof credentials === 'string' ? join(credentials, file) : undefined);
  if (typeof given !== 'string') {
    throw new AdapterError('rejected', `Option "${name}" is missing; or name a folder with ${file} as "credentials".`);
  }
  if (given.trimStart().startsWith('-----BEGIN ')) return given;
  try {
    return await readFile(given, 'utf8');
  } catch (cause) {
    throw new AdapterError('rejected', `Option "${name}": the file ${given} cannot be read.`, { cause });
  }
}
