import { AdapterError, type EnvironmentSpec } from '../adapter.js';
import type { Deployment, ImageStream, Secret } from './api-objects.js';
import { type Catalogue, type Image, isTemplate } from './catalogue.js';
import { databaseManifests, databaseSecret } from './database-manifests.js';
import { DEPLOYMENT, IMAGE_STREAM, SECRET, SERVICE, VOLUME_CLAIM } from './kinds.js';
import { ANNOTATION, environmentLabels, LABEL, selector } from './names.js';
import { applyOwned, readOwned } from './ownership.js';
import { untilReady } from './rollout.js';
import { DATABASES, type Database, wordIn } from './runtimes.js';
import { applyTemplate } from './templates.js';
import type { Work } from './work.js';

interface Wanted {
  /** Of its objects: the kind, and a number from the second of a kind on. */
  name: string;
  database: Database;
  image: Image;
}

/** Which databases an environment asks for. Throws `not-supported` before anything is made. */
export function planDatabases(
  catalogue: Catalogue,
  environment: EnvironmentSpec,
): { wanted: Wanted[]; remarks: string[] } {
  const wanted: Wanted[] = [];
  const remarks: string[] = [];
  for (const node of environment.nodes) {
    if (node.contentType === 'container') continue;
    const word = wordIn(DATABASES, node.name);
    if (node.contentType !== 'database' && !word) {
      remarks.push(`Node ${node.name} (${node.contentType}) has no counterpart on OpenShift and is ignored.`);
      continue;
    }
    const choice = word && catalogue.database(word.name, node.version || undefined);
    if (!choice) {
      const names = catalogue.offer().databases.map((one) => one.name);
      throw new AdapterError(
        'not-supported',
        `This cluster has no image for the database "${node.name}". It has: ${names.join(', ') || 'none'}.`,
      );
    }
    const same = wanted.filter((one) => one.database === choice.what).length;
    wanted.push({
      name: `db-${choice.what.name}${same === 0 ? '' : `-${same + 1}`}`,
      database: choice.what,
      image: choice.image,
    });
    remarks.push(...choice.remarks);
  }
  return { wanted, remarks };
}

/** Makes the databases and waits until they take connections. One that is no longer described stays, with its data. */
export async function ensureDatabases(
  work: Work,
  namespace: string,
  environment: EnvironmentSpec,
  wanted: readonly Wanted[],
): Promise<string[]> {
  for (const one of wanted) {
    work.call.step('database', { text: one.name });
    if (isTemplate(one.image.name))
      await applyTemplate(work, namespace, environment, one.name, one.database, one.image.name);
    else await ensureDatabase(work, namespace, environment, one);
  }
  const names = wanted.map((one) => one.name);
  const labels = `${selector(environmentLabels(environment))},${LABEL.database}`;
  const { items } = await work.client.list<Deployment>(DEPLOYMENT, { namespace, labels }, work.call.signal);
  const left = items
    .map((item) => item.metadata.labels?.[LABEL.database] ?? '')
    .filter((name) => !names.includes(name));
  return left.length === 0 ? [] : [`No longer described, but kept with their data: ${left.join(', ')}.`];
}

async function ensureDatabase(
  work: Work,
  namespace: string,
  environment: EnvironmentSpec,
  { name, database, image }: Wanted,
): Promise<void> {
  const { client, settings, call } = work;
  const labels = { ...environmentLabels(environment), [LABEL.database]: name };
  const where = { namespace, name, labels };
  const secret = await readOwned<Secret>(client, SECRET, where, call.signal);
  const running = await readOwned<Deployment>(client, DEPLOYMENT, where, call.signal);
  const tag = `${image.namespace ?? ''}/${image.name}`;
  // A newer image under the same tag is no reason to restart a database.
  const kept =
    running?.metadata.annotations?.[ANNOTATION.image] === tag
      ? running.spec.template?.spec?.containers?.[0]?.image
      : undefined;
  const reference = kept ?? (await resolve(work, image));
  await applyOwned(
    client,
    SECRET,
    databaseSecret({ namespace, name, labels, database, existing: secret?.data ?? {} }),
    labels,
    call.signal,
  );
  const { claim, service, deployment } = databaseManifests({
    namespace,
    name,
    labels,
    database,
    image: reference,
    tag,
    settings,
  });
  // What a claim asks for cannot be changed: other settings are for databases to come.
  if (!(await readOwned(client, VOLUME_CLAIM, where, call.signal))) {
    await client.apply(VOLUME_CLAIM, claim, call.signal);
  }
  await applyOwned(client, SERVICE, service, labels, call.signal);
  await applyOwned(client, DEPLOYMENT, deployment, labels, call.signal);
  await untilReady(work, { namespace, name, labels: selector(labels), title: `database ${name}` });
}

/** A pod names an image, not a tag of a stream. */
async function resolve({ client, call }: Work, image: Image): Promise<string> {
  if (image.kind === 'DockerImage') return image.name;
  const [name = '', tag = ''] = image.name.split(':');
  const stream = await client.read<ImageStream>(IMAGE_STREAM, image.namespace, name, call.signal);
  const newest = stream?.status?.tags?.find((one) => one.tag === tag)?.items?.[0];
  if (!stream || !newest) {
    throw new AdapterError(
      'not-supported',
      `The image stream tag ${image.namespace}/${image.name} has no image. An administrator can import it.`,
    );
  }
  const policy = stream.spec?.tags?.find((one) => one.name === tag)?.referencePolicy?.type;
  const repository = stream.status?.dockerImageRepository;
  // The registry that the image comes from may want a log-in that the cluster's own registry has.
  return policy === 'Local' && repository !== undefined ? `${repository}@${newest.image}` : newest.dockerImageReference;
}
