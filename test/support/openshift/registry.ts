import { createHash } from 'node:crypto';
import { type Json, now, type Obj } from './objects.js';
import { need } from './resources.js';
import type { World } from './world.js';

export const REGISTRY = 'image-registry.openshift-image-registry.svc:5000';

/** What is in an image, as far as it decides what its container does. */
export interface Image {
  digest: string;
  reference: string;
  /** Of an application: files by name. Of a database: none. */
  files: Map<string, Buffer>;
  size: number;
}

export interface Registry {
  /** Pushes to a tag of a stream and tells the digest. */
  push(namespace: string, stream: string, tag: string, files: Map<string, Buffer>, labels?: Json): Image;
  /** By any reference: with tag or digest. */
  find(reference: string): Image | undefined;
  prune(digest: string): void;
}

export function createRegistry(world: World): Registry {
  const images = new Map<string, Image>();
  const { cluster } = world;

  return {
    push(namespace, stream, tag, files) {
      const hash = createHash('sha256');
      for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
        hash.update(name).update('\0').update(bytes).update('\0');
      const digest = `sha256:${hash.update(`${namespace}/${stream}`).digest('hex')}`;
      const reference = `${REGISTRY}/${namespace}/${stream}@${digest}`;
      const size = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
      const image: Image = { digest, reference, files, size };
      images.set(digest, image);
      cluster.update('imagestreams', namespace, stream, (object) => {
        const tags = (object.status?.['tags'] ?? []) as { tag: string; items: Json[] }[];
        object.status = { ...object.status, tags };
        const found = tags.find((one) => one.tag === tag);
        const item = { created: now(), dockerImageReference: reference, image: digest, generation: 2 };
        if (!found) tags.push({ tag, items: [item] });
        else if (found.items[0]?.['image'] !== digest) found.items.unshift(item);
        const references = (object.spec?.['tags'] ?? []) as Json[];
        object.spec = { ...object.spec, tags: references };
        if (references.some((one) => one['name'] === tag)) return;
        references.push({
          name: tag,
          annotations: null,
          from: { kind: 'DockerImage', name: `${REGISTRY}/${namespace}/${stream}:${tag}` },
          generation: 2,
          importPolicy: { insecure: true, importMode: 'Legacy' },
          referencePolicy: { type: 'Source' },
        });
        object.metadata.annotations = {
          ...object.metadata.annotations,
          'openshift.io/image.dockerRepositoryCheck': now(),
        };
      });
      return image;
    },
    find(reference) {
      const digest = /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];
      if (digest) return images.get(digest);
      const [, namespace = '', name = '', tag = ''] = /^[^/]+\/([^/]+)\/([^/:]+):([^/:]+)$/.exec(reference) ?? [];
      const newest = tagOf(cluster.read('imagestreams', namespace, name), tag);
      return newest === undefined ? undefined : images.get(newest);
    },
    prune: (digest) => void images.delete(digest),
  };
}

/** The newest digest under a tag. */
export function tagOf(stream: Obj | undefined, tag: string): string | undefined {
  const tags = (stream?.status?.['tags'] ?? []) as { tag: string; items: { image: string }[] }[];
  return tags.find((one) => one.tag === tag)?.items[0]?.image;
}

/** The streams that a cluster has from the start, each with an image under each tag. */
const SAMPLES: readonly (readonly [stream: string, purpose: string, tags: readonly string[]])[] = [
  ['nodejs', 'builder,nodejs', ['20-ubi9', '22-ubi9', 'latest']],
  ['httpd', 'builder,httpd', ['2.4-ubi9', 'latest']],
  ['php', 'builder,php', ['8.2-ubi9', '8.3-ubi9', 'latest']],
  ['python', 'builder,python', ['3.11-ubi9', '3.12-ubi9', 'latest']],
  ['ruby', 'builder,ruby', ['3.3-ubi9', 'latest']],
  ['java', 'builder,java', ['openjdk-17-ubi8', 'openjdk-21-ubi8', 'latest']],
  ['jboss-webserver57-openjdk11-tomcat9-openshift-ubi8', 'builder,tomcat,java', ['5.7.6', 'latest']],
  ['jboss-webserver60-openjdk17-tomcat10-openshift-ubi8', 'builder,tomcat,java', ['6.0.5', 'latest']],
  ['jboss-eap74-openjdk11-openshift', 'builder,eap,javaee', ['7.4.0', 'latest']],
  ['jboss-eap74-openjdk11-runtime-openshift', 'eap,javaee,runtime', ['7.4.0', 'latest']],
  ['mysql', 'database,mysql', ['8.0-el9', 'latest']],
  ['mariadb', 'database,mariadb', ['10.11-el9', 'latest']],
  ['postgresql', 'database,postgresql', ['13-el9', '16-el9', 'latest']],
  ['redis', 'database,redis', ['7-el9', 'latest']],
];

export function addSamples(world: World, registry: Registry): void {
  for (const [stream, purpose, tags] of SAMPLES) {
    world.cluster.insert(need('imagestreams'), {
      kind: 'ImageStream',
      apiVersion: 'image.openshift.io/v1',
      metadata: { name: stream, namespace: 'openshift' },
      spec: {
        lookupPolicy: { local: false },
        tags: tags.map((name) => ({
          name,
          annotations: { tags: purpose },
          from: { kind: 'DockerImage', name: `registry.example.org/${stream}:${name}` },
          referencePolicy: { type: 'Local' },
        })),
      },
      status: { dockerImageRepository: `${REGISTRY}/openshift/${stream}` },
    });
    for (const tag of tags)
      registry.push('openshift', stream, tag, new Map([['image', Buffer.from(`${stream}:${tag}`)]]));
  }
}

/** `web:latest` as an object of its own. */
export function imageStreamTag(world: World, registry: Registry, namespace: string, name: string): Obj | undefined {
  const [stream = '', tag = ''] = name.split(':');
  const object = world.cluster.read('imagestreams', namespace, stream);
  const digest = tagOf(object, tag);
  const image = digest && registry.find(`${REGISTRY}/${namespace}/${stream}@${digest}`);
  if (!object || !image) return undefined;
  const reference = ((object.spec?.['tags'] ?? []) as Json[]).find((one) => one['name'] === tag);
  return {
    kind: 'ImageStreamTag',
    apiVersion: 'image.openshift.io/v1',
    metadata: metadataOf(object, name),
    tag: reference ?? {
      name: tag,
      annotations: null,
      generation: null,
      importPolicy: {},
      referencePolicy: { type: 'Source' },
    },
    generation: 2,
    lookupPolicy: object.spec?.['lookupPolicy'] ?? { local: false },
    image: imageBody(image),
  };
}

export function imageStreamImage(world: World, registry: Registry, namespace: string, name: string): Obj | undefined {
  const [stream = '', digest = ''] = name.split('@');
  const object = world.cluster.read('imagestreams', namespace, stream);
  const tags = (object?.status?.['tags'] ?? []) as { items: { image: string }[] }[];
  const image = registry.find(`${REGISTRY}/${namespace}/${stream}@${digest}`);
  if (!object || !image || !tags.some((tag) => tag.items.some((item) => item.image === digest))) return undefined;
  const { creationTimestamp = null, annotations } = object.metadata;
  return {
    kind: 'ImageStreamImage',
    apiVersion: 'image.openshift.io/v1',
    metadata: { name, namespace, creationTimestamp, ...(annotations ? { annotations } : {}) },
    image: imageBody(image),
  };
}

function metadataOf(stream: Obj, name: string): Obj['metadata'] {
  const { namespace = '', uid = '', resourceVersion = '', creationTimestamp = null } = stream.metadata;
  return { name, namespace, uid, resourceVersion, creationTimestamp };
}

function imageBody(image: Image): Json {
  const layer = {
    name: image.digest,
    size: image.size,
    mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  };
  return {
    metadata: {
      name: image.digest,
      uid: `${image.digest.slice(7, 15)}-0000-4000-8000-000000000000`,
      resourceVersion: '1',
      creationTimestamp: now(),
      annotations: { 'image.openshift.io/dockerLayersOrder': 'ascending' },
    },
    dockerImageReference: image.reference,
    dockerImageMetadata: {
      kind: 'DockerImage',
      apiVersion: 'image.openshift.io/1.0',
      Id: image.digest,
      Created: null,
      ContainerConfig: {},
      Config: {
        Env: ['PATH=/usr/bin:/bin'],
        Cmd: ['/bin/sh', '-c', 'exec node ${APP_MAIN:-server.js}'],
        WorkingDir: '/workspace',
      },
      Architecture: 'amd64',
      Size: image.size,
    },
    dockerImageMetadataVersion: '1.0',
    dockerImageLayers: [layer],
    dockerImageManifestMediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  };
}
