import { randomBytes } from 'node:crypto';
import type { Manifest } from './api-objects.js';
import { DEPLOYMENT, SECRET, SERVICE, VOLUME_CLAIM } from './kinds.js';
import { ANNOTATION } from './names.js';
import type { Database } from './runtimes.js';
import type { Settings } from './settings.js';
import { decode, encode } from './variables.js';

interface Place {
  namespace: string;
  name: string;
  labels: Record<string, string>;
  database: Database;
}

const USER = 'coaps';
const DATABASE = 'coaps';

/**
 * The variables that applications get, and from which the database takes its own: `MYSQL_HOST`, `_PORT`, `_USER`, `_PASSWORD`,
 * `_DATABASE`, `_URL`; from the second database of a kind on with its number: `MYSQL_2_HOST`. The first one is `DATABASE_URL`, too.
 * A password is made once and kept.
 */
export function databaseSecret(place: Place & { existing: Readonly<Record<string, string>> }): Manifest {
  const { database, existing } = place;
  const prefix = place.name.slice('db-'.length).replace(/-/g, '_').toUpperCase();
  const secret = (key: string): string => (existing[key] === undefined ? newPassword() : decode(existing[key]));
  const password = secret(`${prefix}_PASSWORD`);
  const { user, administrator } = database.variables;
  const login = user === undefined ? `:${password}` : `${USER}:${password}`;
  const path = user === undefined ? '' : `/${DATABASE}`;
  const url = `${database.scheme}://${login}@${place.name}:${database.port}${path}`;
  const isFirst = place.name === `db-${database.name}`;
  const values: Record<string, string> = {
    ...(isFirst && user !== undefined ? { DATABASE_URL: url } : {}),
    [`${prefix}_HOST`]: place.name,
    [`${prefix}_PORT`]: String(database.port),
    [`${prefix}_PASSWORD`]: password,
    [`${prefix}_URL`]: url,
    ...(user === undefined ? {} : { [`${prefix}_USER`]: USER, [`${prefix}_DATABASE`]: DATABASE }),
    ...(administrator === undefined ? {} : { [`${prefix}_ADMIN_PASSWORD`]: secret(`${prefix}_ADMIN_PASSWORD`) }),
  };
  return {
    apiVersion: SECRET.apiVersion,
    kind: SECRET.kind,
    metadata: { name: place.name, namespace: place.namespace, labels: place.labels },
    type: 'Opaque',
    data: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, encode(value)])),
  };
}

/** Legal in a URL as it is. */
function newPassword(): string {
  return randomBytes(18).toString('base64url');
}

export function databaseManifests(place: Place & { image: string; tag: string; settings: Settings }): {
  claim: Manifest;
  service: Manifest;
  deployment: Manifest;
} {
  const { namespace, name, labels, database, settings } = place;
  const metadata = { name, namespace, labels };
  const memory = `${database.memory}Mi`;
  return {
    claim: {
      apiVersion: VOLUME_CLAIM.apiVersion,
      kind: VOLUME_CLAIM.kind,
      metadata,
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: settings.storage } },
        ...(settings.storageClass === undefined ? {} : { storageClassName: settings.storageClass }),
      },
    },
    service: {
      apiVersion: SERVICE.apiVersion,
      kind: SERVICE.kind,
      metadata,
      spec: { selector: labels, ports: [{ name: 'database', port: database.port, targetPort: database.port }] },
    },
    deployment: {
      apiVersion: DEPLOYMENT.apiVersion,
      kind: DEPLOYMENT.kind,
      metadata: { ...metadata, annotations: { [ANNOTATION.image]: place.tag } },
      spec: {
        replicas: 1,
        progressDeadlineSeconds: Math.max(2, Math.ceil(settings.rolloutTimeout / 1000)),
        selector: { matchLabels: labels },
        // Two processes on one volume would spoil it.
        strategy: { type: 'Recreate' },
        template: {
          metadata: { labels },
          spec: {
            containers: [
              {
                name: 'database',
                image: place.image,
                ports: [{ name: 'database', containerPort: database.port }],
                env: variablesOf(place),
                resources: { limits: { memory }, requests: { memory } },
                readinessProbe: { tcpSocket: { port: database.port }, periodSeconds: 2, timeoutSeconds: 2 },
                volumeMounts: [{ name: 'data', mountPath: database.folder }],
              },
            ],
            volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }],
          },
        },
      },
    },
  };
}

function variablesOf({ name, database }: Place): object[] {
  const prefix = name.slice('db-'.length).replace(/-/g, '_').toUpperCase();
  const { user, password, database: schema, administrator } = database.variables;
  const pairs = [
    [user, 'USER'],
    [password, 'PASSWORD'],
    [schema, 'DATABASE'],
    [administrator, 'ADMIN_PASSWORD'],
  ] as const;
  return pairs.flatMap(([variable, key]) =>
    variable === undefined ? [] : [{ name: variable, valueFrom: { secretKeyRef: { name, key: `${prefix}_${key}` } } }],
  );
}
