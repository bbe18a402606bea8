import { AdapterError } from '../adapter.js';
import type { ApiObject, Manifest } from './api-objects.js';
import type { Client } from './client.js';
import type { Kind } from './kinds.js';
import { carries } from './names.js';

/** Reads an object that must be ours. Undefined: there is none. Throws `conflict` when somebody else's has the name. */
export async function readOwned<T extends ApiObject>(
  client: Client,
  kind: Kind,
  where: { namespace: string; name: string; labels: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<T | undefined> {
  const found = await client.read<T>(kind, where.namespace, where.name, signal);
  if (found !== undefined && !carries(found.metadata, where.labels)) {
    throw new AdapterError(
      'conflict',
      `${kind.kind} "${where.name}" in project ${where.namespace} was not made by this gateway and is left alone. Rename or remove it.`,
    );
  }
  return found;
}

/**
 * Applies a manifest where there is nothing, or something that carries the same labels. The labels that identify are those given apart:
 * the manifest may have more.
 */
export async function applyOwned<T extends ApiObject>(
  client: Client,
  kind: Kind,
  manifest: Manifest,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<T> {
  const { name, namespace = '' } = manifest.metadata;
  await readOwned(client, kind, { namespace, name, labels }, signal);
  return await client.apply<T>(kind, manifest, signal);
}
