import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { PlatformAdapter } from '../../adapters/adapter.js';
import { openshiftDefinition } from '../../adapters/openshift/definition.js';
import { call } from '../contract/adapter-stage.js';
import { type Authority, makeAuthority } from '../support/openshift/authority.js';
import { type FakeOpenShift, startFakeOpenShift } from '../support/openshift.js';
import { openAdapter, SILENT, withDefaults } from '../support/openshift-bench.js';
import { failureOf } from '../support/openshift-stage.js';

const INSTALLATION = 'abcdefgh';

describe('an API server with TLS', () => {
  let folder: string;
  let authority: Authority;
  let fake: FakeOpenShift;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'openshift-tls-'));
    authority = await makeAuthority();
    const server = await authority.issue('api.cluster', ['127.0.0.1']);
    fake = await startFakeOpenShift({
      tls: { cert: server.cert, key: server.key, ca: authority.cert },
      observers: ['alice'],
    });
  });
  afterAll(async () => {
    await fake.close();
    rmSync(folder, { recursive: true });
  });

  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const kubeconfig = (name: string, user: object, more: { cluster?: object; contexts?: object[] } = {}): string =>
    write(
      name,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [
          {
            name: 'one',
            cluster: { server: fake.url, 'certificate-authority-data': base64(authority.cert), ...more.cluster },
          },
        ],
        users: [{ name: 'me', user }],
        contexts: [{ name: 'here', context: { cluster: 'one', user: 'me' } }, ...(more.contexts ?? [])],
        'current-context': 'here',
      }),
    );
  const byFile = (file: string, more: Record<string, unknown> = {}) =>
    openAdapter(fake, INSTALLATION, { server: undefined, token: undefined, kubeconfig: file, ...more });
  const observes = async (adapter: PlatformAdapter) => {
    try {
      return await adapter.observe(call());
    } finally {
      await adapter.close();
    }
  };

  test('is trusted by its authority, and by no other way unless told so', async () => {
    expect(await observes(await openAdapter(fake, INSTALLATION, { caFile: write('ca.pem', authority.cert) }))).toEqual(
      [],
    );
    expect(await observes(await openAdapter(fake, INSTALLATION, { skipTlsVerification: true }))).toEqual([]);
    const stranger = await openAdapter(fake, INSTALLATION);
    expect(await failureOf(observes(stranger))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('caFile'),
    });
  });

  test('is spoken to with each request told, and how it was answered', async () => {
    const told: { method: string; status: number; seconds: number }[] = [];
    const adapter = await openshiftDefinition.create({
      platform: 'OS',
      installation: INSTALLATION,
      options: withDefaults({ server: fake.url, token: fake.token('alice'), skipTlsVerification: true }),
      log: SILENT,
      onCall: (one) => void told.push(one),
    });
    expect(await observes(adapter)).toEqual([]);
    expect(told).toContainEqual({ method: 'GET', status: 200, seconds: expect.any(Number) });
  });

  test('is spoken to by a kubeconfig with a token', async () => {
    expect(await observes(await byFile(kubeconfig('token', { token: fake.token('alice') })))).toEqual([]);
  });

  test('is spoken to by a kubeconfig with a client certificate, inside or as files', async () => {
    const { cert, key } = await authority.issue('alice');
    const inside = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
    const files = { 'client-certificate': write('alice.pem', cert), 'client-key': write('alice.key', key) };
    for (const user of [inside, files]) {
      expect(await observes(await byFile(kubeconfig('certificate', user)))).toEqual([]);
    }
    const bob = await authority.issue('mallory');
    const stranger = kubeconfig('stranger', {
      'client-certificate-data': base64(bob.cert),
      'client-key-data': base64(bob.key),
    });
    expect(await observes(await byFile(stranger))).toEqual([]);
    const adapter = await byFile(stranger);
    const environment = { installation: INSTALLATION, envId: 1, name: 'E', nodes: [], variables: {} };
    await adapter.createEnvironment(environment, call());
    expect(
      fake.world.cluster.read('namespaces', undefined, `coaps-${INSTALLATION}-e1`)?.metadata.annotations,
    ).toMatchObject({
      'openshift.io/requester': 'mallory',
    });
    await adapter.deleteEnvironment(environment, call());
    await adapter.close();
  });

  test('is chosen by the context, and a missing one is named with those that there are', async () => {
    const file = kubeconfig(
      'contexts',
      { token: fake.token('alice') },
      { contexts: [{ name: 'gone', context: { cluster: 'two', user: 'me' } }] },
    );
    expect(await observes(await byFile(file, { context: 'here' }))).toEqual([]);
    expect(await failureOf(byFile(file, { context: 'nowhere' }))).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('here, gone'),
    });
    expect(await failureOf(byFile(file, { context: 'gone' }))).toMatchObject({ kind: 'rejected' });
    expect(await failureOf(byFile(join(folder, 'absent')))).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('kubeconfig'),
    });
  });

  test('goes on after somebody logged in again: the kubeconfig is read anew at a 401', async () => {
    const adapter = await byFile(kubeconfig('renewed', { token: fake.token('alice') }));
    expect(await adapter.observe(call())).toEqual([]);
    const token = fake.expire('alice');
    expect(await failureOf(adapter.observe(call()))).toMatchObject({ kind: 'unauthorized' });
    kubeconfig('renewed', { token });
    expect(await adapter.observe(call())).toEqual([]);
    await adapter.close();
  });

  test('gets a token from the helper program that a kubeconfig names', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: fake.token('alice') },
    };
    const args = ['-e', `console.log(${JSON.stringify(JSON.stringify(credential))})`];
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args,
      interactiveMode: 'Never',
    };
    expect(await observes(await byFile(kubeconfig('helper', { exec })))).toEqual([]);
  });

  test('keeps its connections between requests', async () => {
    const adapter = await byFile(kubeconfig('kept', { token: fake.token('alice') }));
    await adapter.observe(call());
    const before = fake.connections();
    for (let round = 0; round < 5; round += 1) await adapter.observe(call());
    expect(fake.connections()).toBe(before);
    await adapter.close();
  });
});

describe('options that contradict each other', () => {
  test.each([
    [{ server: undefined, token: undefined }, 'give either "kubeconfig", or "server" and "token"'],
    [{ token: undefined }, '"server" needs a "token"'],
    [{ kubeconfig: 'x' }, 'exclude each other'],
    [{ server: 'nonsense' }, 'must be a URL'],
    [{ projectPrefix: 'Big_Name' }, 'projectPrefix'],
    [{ projectPrefix: 'openshift-shop' }, 'may not begin with'],
    [{ builders: { php: 7 } }, 'builders.php'],
  ])('%j', async (options, words) => {
    const given = withDefaults({ server: 'https://api.example.org', token: 'secret-token', ...options });
    const context = { platform: 'OS', installation: INSTALLATION, options: given, log: SILENT };
    const failure = await failureOf(openshiftDefinition.create(context));
    expect(failure).toMatchObject({ kind: 'rejected', message: expect.stringContaining(words) });
    expect(failure.message).not.toContain('secret-token');
  });
});

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
