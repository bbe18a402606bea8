import { openshiftDefinition } from '../../adapters/openshift/definition.js';
import { artefactOf, call } from '../contract/adapter-stage.js';
import { makeZip } from '../contract/archive.js';
import { hasContract, readContract } from '../support/openshift/contract.js';
import { OPENSHIFT_TYPES } from '../support/openshift/openshift-types.js';
import { type FakeOpenShift, startFakeOpenShift } from '../support/openshift.js';
import { openAdapter, SILENT, withDefaults } from '../support/openshift-bench.js';

const INSTALLATION = 'wirewire';
// Without the contracts beside the checkout there is nothing to compare with.
const compare = hasContract ? describe : describe.skip;

compare('what goes over the wire to OpenShift (skipped without ../shared/contracts)', () => {
  test('is all as the server describes itself: requests closed, answers of the fake, too', async () => {
    const fake = await startFakeOpenShift();
    const contract = readContract();
    const faults = new Set<string>();
    const operations = new Set<string>();
    fake.onAnswer((seen, code, body) => {
      operations.add(`${seen.method} ${seen.path.replace(/\/(namespaces|projects)\/[^/]+/, '/$1/…')}`);
      for (const fault of contract.faults(seen, code, body)) faults.add(fault);
    });
    try {
      await useEverything(fake);
    } finally {
      await fake.close();
    }
    expect([...faults]).toEqual([]);
    expect(operations.size).toBeGreaterThan(40);
  });

  test('the fake knows no OpenShift field that the server does not', () => {
    const contract = readContract();
    const names: Record<string, string> = {
      CommonSpec: '',
      Reference: '',
      LookupPolicy: 'ImageLookupPolicy',
      ReferencePolicy: 'TagReferencePolicy',
      BinarySource: 'BinaryBuildSource',
      SourceStrategy: 'SourceBuildStrategy',
      RouteTarget: 'RouteTargetReference',
      RouteTls: 'TLSConfig',
      Ingress: '',
    };
    for (const [type, fields] of Object.entries(OPENSHIFT_TYPES)) {
      const name = names[type] ?? type;
      if (name === '') continue;
      const known = contract.fieldsOf(name);
      expect([type, known !== undefined]).toEqual([type, true]);
      expect([type, Object.keys(fields).filter((field) => !known?.includes(field))]).toEqual([type, []]);
    }
  });
});

/** One of each thing that the adapter can do. */
async function useEverything(fake: FakeOpenShift): Promise<void> {
  const adapter = await openAdapter(fake, INSTALLATION, { storageClass: 'fast' });
  const options = withDefaults({ server: fake.url, token: fake.token('alice') });
  const context = { platform: 'OS', installation: INSTALLATION, options, log: SILENT };
  const nodes = [
    { name: 'node.js', contentType: 'container', version: '22' },
    { name: 'MYSQL_51', contentType: 'database' },
  ];
  const environment = {
    installation: INSTALLATION,
    envId: 3,
    name: 'JavaWebEnv',
    nodes,
    variables: { GREETING: 'hello' },
    disk: 200,
  };
  const key = { installation: INSTALLATION, appId: 5, envId: 3, instanceId: 1 };
  const server = "require('http').createServer((q, r) => r.end(process.env.GREETING)).listen(8080)";
  const artefact = artefactOf(
    'shop.zip',
    'zip',
    await makeZip({ 'shop/package.json': '{"main":"server.js"}', 'shop/server.js': server }),
  );
  const spec = { key, versionId: 1, applicationName: 'Pet Clinic', environment, artefact, processes: 1 };
  await openshiftDefinition.check?.(context, AbortSignal.timeout(10_000));
  await adapter.info(call());
  await adapter.createEnvironment(environment, call());
  await adapter.deploy(spec, call());
  await openshiftDefinition.check?.(context, AbortSignal.timeout(10_000));
  const started = await adapter.start(key, call());
  expect(await fake.visit(started.uri)).toEqual({ status: 200, text: 'hello' });
  await adapter.scale(key, 2, call());
  const second = artefactOf(
    'shop.zip',
    'zip',
    await makeZip({ 'package.json': '{}', 'server.js': server.replace('process.env.GREETING', '"two"') }),
  );
  await adapter.deploy({ ...spec, versionId: 2, artefact: second, processes: 2 }, call());
  expect(await fake.visit(started.uri)).toEqual({ status: 200, text: 'two' });
  for await (const _ of await adapter.logs(key, { lines: 5, follow: false }, call()));
  await adapter.observe(call());
  await adapter.restart(key, call());
  await adapter.stop(key, call());
  const war = artefactOf('clinic.war', 'war', Buffer.from('PK a web archive'));
  const tomcat = { ...environment, nodes: [{ name: 'tomcat', contentType: 'container' }] };
  await adapter.deploy({ ...spec, key: { ...key, instanceId: 2 }, environment: tomcat, artefact: war }, call());
  fake.trouble.buildFails = true;
  const broken = { ...spec, key: { ...key, instanceId: 3 }, artefact: second };
  await expect(adapter.deploy(broken, call())).rejects.toMatchObject({ kind: 'failed' });
  await adapter.undeploy(key, call());
  await adapter.deleteEnvironment(environment, call());
  await adapter.close();
}
