import type { Cluster } from './cluster.js';
import { at, type Json, type Obj } from './objects.js';

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: { name: string; key: string; optional?: boolean } };
}

/** The variables of a container, out of its own list and of secrets. */
export function environmentOf(cluster: Cluster, pod: Obj, spec: Json): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const from of (spec['envFrom'] as Json[]) ?? []) {
    const name = at(from, 'secretRef', 'name') as string | undefined;
    const secret = name === undefined ? undefined : cluster.read('secrets', pod.metadata.namespace, name);
    for (const [key, value] of Object.entries(secret?.data ?? {})) variables[key] = decode(value);
  }
  for (const { name, value, valueFrom } of (spec['env'] as Variable[]) ?? []) {
    const reference = valueFrom?.secretKeyRef;
    const secret = reference && cluster.read('secrets', pod.metadata.namespace, reference.name);
    variables[name] = reference ? decode(secret?.data?.[reference.key] ?? '') : (value ?? '');
  }
  return variables;
}

/** The first secret that a container names and that is not there. */
export function missingSecret(cluster: Cluster, pod: Obj, spec: Json): string | undefined {
  const names = [
    ...((spec['envFrom'] as Json[]) ?? []).map((from) => at(from, 'secretRef', 'name') as string | undefined),
    ...((spec['env'] as Variable[]) ?? []).map((one) => one.valueFrom?.secretKeyRef?.name),
  ];
  return names.find((name) => name !== undefined && !cluster.read('secrets', pod.metadata.namespace, name));
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}
