import { AdapterError, type EnvironmentSpec } from '../adapter.js';
import type { ApiObject, Deployment, Manifest } from './api-objects.js';
import {
  CONFIG_MAP,
  DEPLOYMENT,
  type Kind,
  PROCESSED_TEMPLATE,
  ROUTE,
  SECRET,
  SERVICE,
  SERVICE_ACCOUNT,
  TEMPLATE,
  VOLUME_CLAIM,
} from './kinds.js';
import { environmentLabels, LABEL, selector } from './names.js';
import { applyOwned, readOwned } from './ownership.js';
import { untilReady } from './rollout.js';
import type { Database } from './runtimes.js';
import type { Work } from './work.js';

const KNOWN: readonly Kind[] = [SECRET, CONFIG_MAP, SERVICE_ACCOUNT, VOLUME_CLAIM, SERVICE, DEPLOYMENT, ROUTE];

interface Template extends ApiObject {
  parameters?: { name: string; value?: string }[];
  objects?: (ApiObject & Record<string, unknown>)[];
}

/**
 * A database from a template of the cluster. Its parameters draw passwords anew each time it is processed, so an object that is there is
 * left as it is: the first run decides.
 */
export async function applyTemplate(
  work: Work,
  namespace: string,
  environment: EnvironmentSpec,
  name: string,
  database: Database,
  reference: string,
): Promise<void> {
  const { client, call } = work;
  const labels = { ...environmentLabels(environment), [LABEL.database]: name };
  const objects = await processed(work, namespace, name, database, reference);
  for (const object of objects) {
    const kind = kindOf(object, reference);
    const where = { namespace, name: object.metadata.name, labels };
    if ((await readOwned(client, kind, where, call.signal)) !== undefined) continue;
    await applyOwned(client, kind, labelled(object, kind, namespace, labels), labels, call.signal);
  }
  const selection = { namespace, labels: selector(labels) };
  const deployments = await client.list<Deployment>(DEPLOYMENT, selection, call.signal);
  for (const { metadata } of deployments.items) {
    await untilReady(work, {
      namespace,
      name: metadata.name,
      labels: selector(labels),
      title: `database ${metadata.name}`,
    });
  }
}

/** The template's objects with its parameters filled in; nothing is stored by that. */
async function processed(
  { client, call }: Work,
  namespace: string,
  name: string,
  database: Database,
  reference: string,
): Promise<Manifest[]> {
  const [from = '', template = ''] = reference.slice('template:'.length).split('/');
  const found = await client.read<Template>(TEMPLATE, from, template, call.signal);
  if (!found)
    throw new AdapterError(
      'not-supported',
      `There is no template "${template}" in namespace ${from} (option "databases").`,
    );
  const ours: Record<string, string> = { DATABASE_SERVICE_NAME: name, NAMESPACE: from };
  const parameters = (found.parameters ?? []).map((one) =>
    ours[one.name] === undefined ? one : { ...one, value: ours[one.name] },
  );
  const body = { ...found, metadata: { name: found.metadata.name, namespace }, parameters };
  const result = await client.create<Template>(PROCESSED_TEMPLATE, namespace, body, call.signal);
  if ((result.objects ?? []).length === 0)
    throw new AdapterError('rejected', `Template "${template}" for ${database.name} makes no objects.`);
  return (result.objects ?? []) as unknown as Manifest[];
}

function kindOf(object: Manifest, reference: string): Kind {
  const kind = KNOWN.find((one) => one.kind === object.kind && one.apiVersion === object.apiVersion);
  if (kind) return kind;
  throw new AdapterError(
    'not-supported',
    `${reference} makes a ${object.kind} (${object.apiVersion}), which this gateway does not follow. Use a template with Deployments, or an image.`,
  );
}

/** Pods get the labels as well: by them they are watched. */
function labelled(object: Manifest, kind: Kind, namespace: string, labels: Record<string, string>): Manifest {
  const manifest: Manifest = {
    ...object,
    metadata: { ...object.metadata, namespace, labels: { ...object.metadata.labels, ...labels } },
  };
  if (kind !== DEPLOYMENT) return manifest;
  const spec = object['spec'] as { template: { metadata?: { labels?: object } } };
  const template = {
    ...spec.template,
    metadata: { ...spec.template.metadata, labels: { ...spec.template.metadata?.labels, ...labels } },
  };
  return { ...manifest, spec: { ...spec, template } };
}
