import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { call } from '../contract/adapter-stage.js';
import { openApiJudge } from '../support/cloudfoundry/openapi.js';
import { deploymentOf, environmentOf, openScenery, type Scenery } from '../support/cloudfoundry-bench.js';

/** Beside the checkout; not part of the project. */
const DOCUMENT = join(import.meta.dirname, '../../../shared/contracts/cloudfoundry-v3.openapi.json');
const present = existsSync(DOCUMENT);

if (!present) test.skip(`the OpenAPI document is not at ${DOCUMENT}`, () => {});

const NODES = [
  { name: 'tomcat', contentType: 'container' },
  { name: 'MYSQL_51', contentType: 'database' },
];

(present ? describe : describe.skip)('on the wire to the Cloud Controller', () => {
  let scenery: Scenery;
  beforeAll(async () => {
    scenery = await openScenery({ records: true });
  });
  afterAll(() => scenery?.close());

  test('every request and every answer is as the platform’s own OpenAPI document describes it', async () => {
    const { adapter, fake } = scenery;
    const environment = environmentOf({ nodes: NODES, variables: { GREETING: 'hello' }, memory: 65 });
    await adapter.info(call());
    await adapter.createEnvironment(environment, call());
    const first = await deploymentOf('one', { environment });
    await adapter.deploy(first, call());
    await adapter.start(first.key, call());
    await adapter.scale(first.key, 2, call());
    await adapter.deploy(await deploymentOf('two', { environment, versionId: 2 }), call());
    await text(await adapter.logs(first.key, { lines: 5, follow: false }, call()));
    fake.world.cells.staging = 'NoAppDetectedError - An app was not successfully detected by any available buildpack';
    await expect(adapter.deploy(await deploymentOf('three', { environment, versionId: 3 }), call())).rejects.toThrow(
      'Staging failed',
    );
    delete fake.world.cells.staging;
    fake.world.cells.instances = 'crash';
    await expect(adapter.deploy(await deploymentOf('four', { environment, versionId: 4 }), call())).rejects.toThrow(
      'crashed',
    );
    await expect(adapter.restart(first.key, call())).rejects.toThrow('crashed');
    await adapter.observe(call());
    delete fake.world.cells.instances;
    await adapter.stop(first.key, call());
    await adapter.undeploy(first.key, call());
    await adapter.deleteEnvironment(environment, call());
    const judge = openApiJudge(DOCUMENT);
    expect(fake.exchanges.length).toBeGreaterThan(100);
    expect([...new Set(fake.exchanges.flatMap(judge))]).toEqual([]);
  });

  test('the judge finds what is wrong', () => {
    const judge = openApiJudge(DOCUMENT);
    const exchange = {
      method: 'POST',
      path: '/v3/apps?colour=red',
      requestBody: { relationships: {} },
      status: 201,
      headers: {},
      responseBody: { guid: 5 },
    };
    expect(judge(exchange).join('\n')).toMatch(
      /colour(.|\n)*request: it must have required property 'name'(.|\n)*answer: .*guid must be string/,
    );
    expect(judge({ ...exchange, path: '/v3/nope' })).toEqual([expect.stringContaining('no such operation')]);
  });
});
