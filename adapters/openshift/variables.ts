import { createHash } from 'node:crypto';
import type { EnvironmentSpec } from '../adapter.js';
import type { Secret } from './api-objects.js';
import { SECRET } from './kinds.js';
import { environmentLabels, LABEL, selector, VARIABLES } from './names.js';
import { applyOwned } from './ownership.js';
import type { Work } from './work.js';

const LEGAL = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

/** Keeps the environment's variables in a secret of its project. Returns remarks on what cannot be a variable. */
export async function ensureVariables(work: Work, namespace: string, environment: EnvironmentSpec): Promise<string[]> {
  const { client, call } = work;
  const entries = Object.entries(environment.variables);
  const legal = entries.filter(([name]) => LEGAL.test(name));
  const labels = environmentLabels(environment);
  await applyOwned<Secret>(
    client,
    SECRET,
    {
      apiVersion: SECRET.apiVersion,
      kind: SECRET.kind,
      metadata: { name: VARIABLES, namespace, labels },
      type: 'Opaque',
      data: Object.fromEntries(legal.map(([name, value]) => [name, encode(value)])),
    },
    labels,
    call.signal,
  );
  const refused = entries.filter(([name]) => !LEGAL.test(name)).map(([name]) => name);
  return refused.length === 0
    ? []
    : [`Not given to the applications, as no process can have variables of such names: ${refused.join(', ')}.`];
}

/** The secrets whose keys become variables of the environment's applications: databases first, as the environment's own words win. */
export async function variableSecrets(
  work: Work,
  namespace: string,
  environment: EnvironmentSpec,
): Promise<{ names: string[]; print: string }> {
  const { client, call } = work;
  const labels = environmentLabels(environment);
  const { items } = await client.list<Secret>(SECRET, { namespace, labels: selector(labels) }, call.signal);
  const databases = items.filter((secret) => secret.metadata.labels?.[LABEL.database] !== undefined);
  const own = items.filter((secret) => secret.metadata.name === VARIABLES);
  const secrets = [...databases.sort((a, b) => a.metadata.name.localeCompare(b.metadata.name)), ...own];
  const print = createHash('sha256');
  for (const { metadata, data = {} } of secrets) {
    for (const name of Object.keys(data).sort()) print.update(`${metadata.name}\0${name}\0${data[name]}\0`);
  }
  return { names: secrets.map((secret) => secret.metadata.name), print: print.digest('hex').slice(0, 16) };
}

export function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

export function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
