import type { ImageStream } from '../../adapters/openshift/api-objects.js';
import { createCatalogue, nearest, parseImage, versionOf } from '../../adapters/openshift/catalogue.js';
import { ApiFailure, isPassing, toAdapterError, Unreachable } from '../../adapters/openshift/errors.js';
import { RUNTIMES, runtimeOf, wordIn } from '../../adapters/openshift/runtimes.js';
import { readSettings } from '../../adapters/openshift/settings.js';
import { SILENT, withDefaults } from '../support/openshift-bench.js';

const stream = (name: string, tags: Record<string, string | undefined>): ImageStream => ({
  metadata: { name },
  spec: {
    tags: Object.entries(tags).map(([tag, words]) => ({
      name: tag,
      annotations: words === undefined ? null : { tags: words },
    })),
  },
  status: {
    tags: Object.keys(tags).map((tag) => ({ tag, items: [{ image: 'sha256:1', dockerImageReference: 'x@sha256:1' }] })),
  },
});
const settings = (options: Record<string, unknown> = {}) =>
  readSettings({
    platform: 'OS',
    installation: 'abcdefgh',
    options: withDefaults({ server: 'https://a.example', token: 't', ...options }),
    log: SILENT,
  });

describe('the catalogue', () => {
  test.each([
    ['nodejs', '20-ubi9', '20'],
    ['mysql', '8.0-el9', '8.0'],
    ['java', 'openjdk-17-ubi8', '17'],
    ['jboss-webserver57-openjdk11-tomcat9-openshift-ubi8', '5.7.6', '9'],
    ['jboss-eap74-openjdk11-openshift', '7.4.0', '7.4'],
    ['nodejs', 'latest', undefined],
  ])('%s:%s is version %s', (name, tag, version) => expect(versionOf(name, tag)).toBe(version));

  test('shows what builds, not what is hidden, has no image, or only runs', () => {
    const empty: ImageStream = {
      ...stream('ruby', { latest: 'builder' }),
      status: { tags: [{ tag: 'latest', items: null }] },
    };
    const streams = [
      stream('nodejs', { '18-ubi8': 'builder,hidden', '20-ubi9': 'builder', latest: 'builder' }),
      stream('jboss-eap74-openjdk11-runtime-openshift', { latest: undefined }),
      stream('php', { latest: 'php' }),
      empty,
    ];
    const { containers, remarks } = createCatalogue(streams, settings()).offer();
    expect(containers).toEqual([{ name: 'nodejs', versions: ['20'] }]);
    expect(remarks.join()).toMatch(/tomcat.*php.*ruby/);
  });

  test("takes the wanted version, the nearest one with a remark, or the cluster's own choice", () => {
    const catalogue = createCatalogue(
      [stream('nodejs', { '18-ubi9': 'builder', '20-ubi9': 'builder', latest: 'builder' })],
      settings(),
    );
    expect(catalogue.runtime('nodejs', '20')?.image.name).toBe('nodejs:20-ubi9');
    expect(catalogue.runtime('nodejs', undefined)?.image.name).toBe('nodejs:latest');
    expect(catalogue.runtime('nodejs', '16')).toMatchObject({
      image: { name: 'nodejs:18-ubi9' },
      remarks: ['nodejs 16 is not offered; 18 takes its place.'],
    });
    expect(catalogue.runtime('php', undefined)).toBeUndefined();
    expect(nearest([], '1')).toBeUndefined();
  });

  test('lets the configuration name an image, of a stream or of a registry', () => {
    const options = { builders: { PHP: 'team/php:8.2', ruby: 'registry.example.org/ruby:3', python: 'python' } };
    const catalogue = createCatalogue([], settings(options));
    expect(catalogue.runtime('php', undefined)?.image).toEqual({
      kind: 'ImageStreamTag',
      namespace: 'team',
      name: 'php:8.2',
      version: '8.2',
    });
    expect(catalogue.runtime('ruby', undefined)?.image).toEqual({
      kind: 'DockerImage',
      name: 'registry.example.org/ruby:3',
    });
    expect(parseImage('python', 'openshift')).toEqual({
      kind: 'ImageStreamTag',
      namespace: 'openshift',
      name: 'python:latest',
    });
  });

  test('takes JBoss Web Server where there is no JBoss EAP', () => {
    const catalogue = createCatalogue(
      [stream('jboss-webserver57-openjdk11-tomcat9-openshift-ubi8', { latest: 'builder' })],
      settings(),
    );
    expect(catalogue.runtime('jboss', '7')).toMatchObject({
      what: { name: 'tomcat' },
      remarks: [expect.stringContaining('tomcat takes its place')],
    });
  });

  test.each([
    ['JBOSSAS_7', 'jboss'],
    ['tomcat', 'tomcat'],
    ['Node.js', 'nodejs'],
    ['spring', 'java'],
    ['jetty8', 'tomcat'],
    ['PHP5', 'php'],
    ['static', 'static'],
    ['quxlang', undefined],
  ])('the word %s means %s', (word, name) => expect(wordIn(RUNTIMES, word)?.name).toBe(name));

  test.each([
    [['package.json', 'index.html'], { name: 'nodejs' }],
    [['app/package.json', 'app/node_modules/x/package.json'], { name: 'nodejs', folder: 'app' }],
    [['a/b/package.json'], undefined],
    [['WEB-INF/web.xml', 'index.html'], { name: 'tomcat' }],
    [['site/index.html'], { name: 'static', folder: 'site' }],
    [['readme.txt'], undefined],
  ])('a zip with %j needs %j', (entries, wanted) => expect(runtimeOf('zip', entries)).toEqual(wanted));
});

describe('errors', () => {
  const failure = (code: number, message: string, reason = '', causes?: { reason?: string }[]) =>
    new ApiFailure(code, { message, reason, ...(causes ? { details: { causes } } : {}) });

  test.each<[unknown, string]>([
    [failure(401, 'Unauthorized'), 'unauthorized'],
    [failure(403, 'routes is forbidden: User "x" cannot create'), 'unauthorized'],
    [failure(403, 'pods "x" is forbidden: exceeded quota: small'), 'quota'],
    [failure(403, 'Pod "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi'), 'quota'],
    [failure(403, 'being terminated', 'Forbidden', [{ reason: 'NamespaceTerminating' }]), 'conflict'],
    [failure(404, 'not found'), 'not-found'],
    [failure(409, 'already exists'), 'conflict'],
    [failure(422, 'is invalid'), 'rejected'],
    [failure(429, 'too many'), 'unavailable'],
    [failure(500, 'etcdserver: timeout'), 'unavailable'],
    [failure(500, 'failed to create typed patch object'), 'rejected'],
    [failure(504, 'gateway timeout'), 'unavailable'],
    [new Unreachable('refused', 'x'), 'unavailable'],
    [new Unreachable('slow', 'x'), 'timeout'],
  ])('%s is %s', (error, kind) => expect(toAdapterError(error, 'testing').kind).toBe(kind));

  test('only what may pass is tried again', () => {
    const passing = [
      failure(429, ''),
      failure(503, ''),
      failure(500, 'etcd'),
      failure(409, 'the object has been modified', 'Conflict'),
      new Unreachable('cut', ''),
    ];
    const lasting = [
      failure(403, ''),
      failure(422, ''),
      failure(500, 'failed to create typed patch object'),
      failure(409, 'already exists', 'AlreadyExists'),
      new Unreachable('untrusted', ''),
    ];
    expect(passing.map(isPassing)).toEqual(passing.map(() => true));
    expect(lasting.map(isPassing)).toEqual(lasting.map(() => false));
    expect(
      isPassing(failure(409, 'the object has been modified', 'Conflict', [{ reason: 'FieldManagerConflict' }])),
    ).toBe(false);
  });

  test('a bug stays a bug', () =>
    expect(() => toAdapterError(new TypeError('x is undefined'), 'testing')).toThrow(TypeError));
});
