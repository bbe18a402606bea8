import type { OfferedNode } from '../../src/domain/model.js';
import { AdapterError, type Offer } from '../adapter.js';
import type { ImageStream } from './api-objects.js';
import type { Client } from './client.js';
import { IMAGE_STREAM } from './kinds.js';
import { DATABASES, type Database, RUNTIMES, type Runtime } from './runtimes.js';
import type { Settings } from './settings.js';

/** An image that is there for a container or database. */
export interface Image {
  /** As a reference of a build or of a look-up. */
  kind: 'ImageStreamTag' | 'DockerImage';
  name: string;
  namespace?: string;
  version?: string;
}

export interface Choice<T> {
  what: T;
  image: Image;
  remarks: string[];
}

export interface Catalogue {
  runtime(name: string, version: string | undefined): Choice<Runtime> | undefined;
  database(name: string, version: string | undefined): Choice<Database> | undefined;
  offer(): Offer;
}

export async function readCatalogue(client: Client, settings: Settings, signal: AbortSignal): Promise<Catalogue> {
  const { items } = await client.list<ImageStream>(IMAGE_STREAM, { namespace: settings.imageNamespace }, signal);
  return createCatalogue(items, settings);
}

type Named = { name: string; streams: readonly RegExp[]; otherwise?: string };

export function createCatalogue(streams: readonly ImageStream[], settings: Settings): Catalogue {
  const images = (one: Named, map: Readonly<Record<string, string>>, purpose: string): Image[] => {
    const configured = map[one.name];
    if (configured !== undefined) return [parseImage(configured, settings.imageNamespace)];
    for (const pattern of one.streams) {
      const found = streams
        .filter((stream) => pattern.test(stream.metadata.name))
        .flatMap((stream) => tagsOf(stream, purpose));
      if (found.length > 0) return found.map((image) => ({ ...image, namespace: settings.imageNamespace }));
    }
    return [];
  };
  const choose = <T extends Named>(
    table: readonly T[],
    map: Readonly<Record<string, string>>,
    purpose: string,
    name: string,
    version: string | undefined,
  ): Choice<T> | undefined => {
    const wanted = table.find((one) => one.name === name);
    if (!wanted) return undefined;
    const other = table.find((one) => one.name === wanted.otherwise);
    for (const what of other ? [wanted, other] : [wanted]) {
      const image = nearest(images(what, map, purpose), what === wanted ? version : undefined);
      if (!image) continue;
      const remarks: string[] = [];
      if (what !== wanted) remarks.push(`This cluster has no image for ${wanted.name}; ${what.name} takes its place.`);
      else if (version && image.version && !isWithin(image.version, version)) {
        remarks.push(`${wanted.name} ${version} is not offered; ${image.version} takes its place.`);
      }
      return { what, image, remarks };
    }
    return undefined;
  };
  const offered = (table: readonly Named[], map: Readonly<Record<string, string>>, purpose: string): OfferedNode[] =>
    table.flatMap((one) => {
      const found = images(one, map, purpose);
      const versions = [...new Set(found.flatMap((image) => image.version ?? []))].sort(compareVersions);
      return found.length === 0 ? [] : [{ name: one.name, versions }];
    });

  return {
    runtime: (name, version) => choose(RUNTIMES, settings.builders, 'builder', name, version),
    database: (name, version) => {
      // A template brings its own image.
      const configured = settings.databases[name];
      const what = DATABASES.find((one) => one.name === name);
      if (what && configured && isTemplate(configured))
        return { what, image: { kind: 'DockerImage', name: configured }, remarks: [] };
      return choose(DATABASES, settings.databases, 'database', name, version);
    },
    offer() {
      const containers = offered(RUNTIMES, settings.builders, 'builder');
      const databases = offered(DATABASES, settings.databases, 'database');
      const missing = RUNTIMES.map((one) => one.name).filter((name) => !containers.some((one) => one.name === name));
      const remarks =
        missing.length === 0
          ? []
          : [
              `No builder image in namespace ${settings.imageNamespace} for: ${missing.join(', ')}. An administrator can import one (oc import-image), or the option "builders" names one.`,
            ];
      return { containers, databases, services: [], memory: { default: settings.memory }, remarks };
    },
  };
}

/** `template:namespace/name` in the map of databases. */
export function isTemplate(text: string): boolean {
  return text.startsWith('template:');
}

/** `name:tag`, `namespace/name:tag`, or an image of a registry: `registry.example.org/team/name:tag`. */
export function parseImage(text: string, namespace: string): Image {
  const parts = text.split('/');
  const host = parts.length > 1 ? (parts[0] ?? '') : '';
  if (/[.:]/.test(host) || host === 'localhost' || parts.length > 2) return { kind: 'DockerImage', name: text };
  const name = parts.at(-1) ?? '';
  if (name === '' || name.startsWith(':')) throw new AdapterError('rejected', `"${text}" is no name of an image.`);
  const tagged = name.includes(':') ? name : `${name}:latest`;
  const version = versionOf(tagged.split(':')[0] ?? '', tagged.split(':')[1] ?? '');
  return { kind: 'ImageStreamTag', namespace: host || namespace, name: tagged, ...(version ? { version } : {}) };
}

/** The tags of a stream that have an image and are meant for the purpose, as far as their annotations say. */
function tagsOf(stream: ImageStream, purpose: string): Image[] {
  if (/runtime/.test(stream.metadata.name)) return [];
  const found = (stream.status?.tags ?? []).filter((tag) => (tag.items ?? []).length > 0);
  const meant = found.filter((tag) => {
    const words = stream.spec?.tags?.find((one) => one.name === tag.tag)?.annotations?.['tags'];
    if (words === undefined) return true;
    const list = words.split(',').map((word) => word.trim());
    return !list.includes('hidden') && (purpose !== 'builder' || list.includes('builder'));
  });
  return meant.map(({ tag }) => {
    const version = versionOf(stream.metadata.name, tag);
    return { kind: 'ImageStreamTag', name: `${stream.metadata.name}:${tag}`, ...(version ? { version } : {}) };
  });
}

/** `jboss-webserver57-openjdk11-tomcat9-openshift-ubi8` is Tomcat 9, `jboss-eap74-…` EAP 7.4, `openjdk-17-ubi8` 17, `20-ubi9` 20. */
export function versionOf(stream: string, tag: string): string | undefined {
  const tomcat = /tomcat-?(\d+)/.exec(stream)?.[1];
  if (tomcat) return tomcat;
  const eap = /eap-?(\d)(\d+)?/.exec(stream);
  if (eap) return [eap[1], eap[2]].filter(Boolean).join('.');
  return /^(?:openjdk-)?(\d+(?:\.\d+)*)/.exec(tag)?.[1];
}

/** The wanted version, or the nearest one; without a wish the tag `latest`, else the newest. */
export function nearest(images: readonly Image[], wanted: string | undefined): Image | undefined {
  const sorted = [...images].sort((a, b) => compareVersions(b.version ?? '', a.version ?? ''));
  if (!wanted) return sorted.find((one) => one.name.endsWith(':latest')) ?? sorted[0];
  const numbered = sorted.filter((one) => one.version !== undefined);
  const exact = numbered.find((one) => isWithin(one.version ?? '', wanted));
  if (exact) return exact;
  const distance = (version: string) => Math.abs(weight(version) - weight(wanted));
  return [...numbered].sort((a, b) => distance(a.version ?? '') - distance(b.version ?? ''))[0] ?? sorted[0];
}

/** 8.0 is within 8; 8 is taken as 8.0. */
function isWithin(version: string, wanted: string): boolean {
  return version === wanted || version.startsWith(`${wanted}.`) || wanted.startsWith(`${version}.`);
}

function weight(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return (Number.isFinite(major) ? major : 0) * 1000 + (Number.isFinite(minor) ? minor : 0);
}

function compareVersions(a: string, b: string): number {
  return weight(a) - weight(b);
}
