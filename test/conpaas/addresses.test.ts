import { createServer } from 'node:net';
import { createConpaasAdapter } from '../../adapters/conpaas/index.js';
import { type AddressOptions, createAddressBook } from '../../src/conpaas/addresses.js';
import { artefactOf } from '../contract/adapter.js';
import { makeZip } from '../contract/archive.js';
import { openSystem } from './system-rig.js';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const OPTIONS: AddressOptions = {
  range: '127.99.0.0/24',
  managerPort: 8443,
  appPort: 8000,
  databasePort: 3306,
  installation: 'abc',
};

const service = (manager: { address: string; port: number }) => ({ manager }) as never;

describe('the book of addresses', () => {
  test('gives addresses of the range, each once before any comes again', async () => {
    const book = createAddressBook(OPTIONS);
    const seen = new Set<string>();
    for (let round = 0; round < 80; round++) {
      for (const { address, port } of [...(await book.managerCandidates()), ...(await book.endpointCandidates())]) {
        expect([address.startsWith('127.99.0.'), port]).toEqual([true, 0]);
        if (seen.size < 250) expect(seen.has(address)).toBe(false);
        seen.add(address);
        if (seen.size >= 250) return;
      }
    }
    throw new Error(`only ${seen.size} addresses came`);
  });

  test('passes over what another program holds', async () => {
    const narrow = { ...OPTIONS, range: '127.99.1.0/30' };
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(8443, '127.99.1.1', resolve));
    const offered = (await createAddressBook(narrow).managerCandidates()).map(({ address }) => address);
    await new Promise((resolve) => server.close(resolve));
    expect(offered).toEqual(['127.99.1.2']);
  });

  test('shows bare addresses where there are many, and ports where there is one', () => {
    const book = createAddressBook(OPTIONS);
    expect(book.managerName(service({ address: '127.99.0.7', port: 0 }))).toBe('127.99.0.7');
    expect(book.managerAt(service({ address: '127.99.0.7', port: 0 }))).toEqual({ host: '127.99.0.7', port: 8443 });
    expect(book.managerName(service({ address: '127.0.0.1', port: 18_443 }))).toBe('127.0.0.1:18443');
    expect(book.publicUrl({ address: '127.99.0.7', port: 0 })).toBe('http://127.99.0.7:8000');
    const usual = createAddressBook({ ...OPTIONS, appPort: 80 });
    expect(usual.publicUrl({ address: '127.99.0.7', port: 0 })).toBe('http://127.99.0.7');
    const apps = { host: '0.0.0.0', ports: { first: 20_000, last: 20_001 }, publicHost: 'apps.example.org' };
    const shared = createAddressBook({ ...OPTIONS, apps });
    expect(shared.publicUrl({ address: '0.0.0.0', port: 20_000 })).toBe('http://apps.example.org:20000');
    // Databases are for this machine alone, wherever applications listen.
    expect(shared.databaseAt({ address: '0.0.0.0', port: 20_001 })).toEqual({ host: '127.0.0.1', port: 20_001 });
    expect(book.databaseAt({ address: '127.99.0.7', port: 0 })).toEqual({ host: '127.99.0.7', port: 3306 });
  });

  test.each(['nonsense', '127.0.0.0/4', '300.1.1.1/16', '127.77.0.0/40'])('refuses the range %s', (range) => {
    expect(() => createAddressBook({ ...OPTIONS, range })).toThrow(/conpaas\.addresses/);
  });
});

test('with one address and ports, services start, scale and are reached by their ports', async () => {
  // As on macOS.
  const rig = await openSystem({ addresses: '127.0.0.1' });
  try {
    const installation = rig.store.installation;
    const options = { ...rig.conpaas.adapterOptions };
    const adapter = await createConpaasAdapter({ platform: 'CP', installation, options, log: SILENT });
    const call = () => ({ signal: AbortSignal.timeout(120_000), step: () => undefined });
    const environment = { installation, envId: 1, name: 'Env', nodes: [], variables: {} };
    await adapter.createEnvironment(environment, call());
    const artefact = artefactOf('site.zip', 'zip', await makeZip({ 'index.html': 'by port' }));
    const keys = [1, 2].map((appId) => ({ installation, appId, envId: 1, instanceId: 1 }));
    for (const key of keys) {
      await adapter.deploy({ key, versionId: 1, applicationName: 'a', environment, artefact, processes: 1 }, call());
      const { uri } = await adapter.start(key, call());
      expect(uri).toMatch(/^http:\/\/127\.0\.0\.1:\d{5}$/);
      expect(await (await fetch(uri ?? '')).text()).toBe('by port');
    }
    const [first] = keys;
    if (!first) throw new Error('no key');
    expect(await adapter.scale(first, 2, call())).toMatchObject({ processes: 2, state: 'STARTED' });
    const reports = await adapter.observe(call());
    expect(new Set(reports.map(({ uri }) => uri)).size).toBe(2);
    for (const { uri } of reports) expect(await (await fetch(uri ?? '')).text()).toBe('by port');
    for (const key of keys) await adapter.undeploy(key, call());
    await adapter.deleteEnvironment(environment, call());
    await adapter.close();
  } finally {
    await rig.close();
  }
}, 180_000);
