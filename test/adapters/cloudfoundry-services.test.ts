import { cloudFoundryDefinition } from '../../adapters/cloudfoundry/definition.js';
import { call } from '../contract/adapter-stage.js';
import { PASSWORDS } from '../support/cloudfoundry/seed.js';
import { contextFor, deploymentOf, environmentOf, openScenery, type Scenery } from '../support/cloudfoundry-bench.js';

let scenery: Scenery;
beforeEach(async () => {
  scenery = await openScenery();
});
afterEach(() => scenery.close());

const database = (name: string, version = '') => ({ name, contentType: 'database', version });
const make = (adapter = scenery.adapter, ...names: string[]) =>
  adapter.createEnvironment(environmentOf({ nodes: names.map((name) => database(name)) }), call());
const plansTaken = () =>
  scenery.fake.world.services.map(({ name, plan }) => `${name}: ${plan?.offering.name}/${plan?.name}`);

describe('databases', () => {
  test('are service instances: the only plan, or the first that is free, or what is configured', async () => {
    const { remarks } = await make(scenery.adapter, 'MYSQL_51', 'PostgreSQL');
    expect(plansTaken().sort()).toEqual([
      'coaps-tabcdefg-1-mysql-51: p.mysql/db-small',
      'coaps-tabcdefg-1-postgresql: postgres/small',
    ]);
    expect(remarks).toEqual([expect.stringContaining('postgres has several plans; the free plan small is taken')]);
    await scenery.adapter.deleteEnvironment(environmentOf(), call());
    const configured = await scenery.again({
      services: { postgres: { offering: 'postgres', plan: 'large', parameters: { size_gb: 7 } }, mysql: 'none' },
    });
    const report = await make(configured, 'postgresql_9', 'mysql');
    expect(plansTaken()).toEqual(['coaps-tabcdefg-1-postgresql-9: postgres/large']);
    expect(scenery.fake.world.services[0]?.parameters).toEqual({ size_gb: 7 });
    expect(report.remarks.join(' ')).toMatch(/"mysql" is left out/);
  });

  test('are given to the applications with their credentials, and go with the environment', async () => {
    const environment = environmentOf({ nodes: [database('mysql')] });
    const spec = await deploymentOf('one', { environment });
    await scenery.adapter.createEnvironment(environment, call());
    await scenery.adapter.deploy(spec, call());
    const { world } = scenery.fake;
    expect(world.bindings.map(({ last }) => last.state)).toEqual(['succeeded']);
    await scenery.adapter.undeploy(spec.key, call());
    expect([world.bindings.length, world.services.length]).toEqual([0, 1]);
    await scenery.adapter.deleteEnvironment(environment, call());
    expect(scenery.fake.inventory()).toEqual([]);
  });

  test('that an environment got later are made and bound by the next deploy', async () => {
    const spec = await deploymentOf('one');
    await scenery.adapter.deploy(spec, call());
    const environment = environmentOf({ nodes: [database('mysql')] });
    await scenery.adapter.deploy(await deploymentOf('two', { environment, versionId: 2 }), call());
    expect(scenery.fake.world.bindings.length).toBe(1);
  });

  test('that an environment no longer describes are kept, with a remark', async () => {
    await make(scenery.adapter, 'mysql', 'postgresql');
    const { remarks } = await make(scenery.adapter, 'mysql');
    expect(remarks).toEqual([
      expect.stringContaining('coaps-tabcdefg-1-postgresql is no longer described; it is kept'),
    ]);
    expect(scenery.fake.world.services.length).toBe(2);
  });

  test('two of one kind are two', async () => {
    await make(scenery.adapter, 'mysql', 'mysql');
    expect(scenery.fake.world.services.map(({ name }) => name).sort()).toEqual([
      'coaps-tabcdefg-1-mysql',
      'coaps-tabcdefg-1-mysql-2',
    ]);
  });

  test('of a broker that works asynchronously are waited for', async () => {
    const adapter = await scenery.again({ services: { postgresql: 'postgres/slow' } });
    await make(adapter, 'postgresql');
    expect(scenery.fake.world.services.map(({ last }) => last.state)).toEqual(['succeeded']);
    await adapter.deleteEnvironment(environmentOf(), call());
    expect(scenery.fake.inventory()).toEqual([]);
  });
});

describe('a broker’s refusal', () => {
  test.each([
    ['postgres/broken', 'no capacity left in zone z1'],
    ['postgres/late-broken', 'disk could not be attached'],
  ])('%s reaches the user, and nothing is left', async (choice, words) => {
    const adapter = await scenery.again({ services: { postgresql: choice } });
    await expect(make(adapter, 'mysql', 'postgresql')).rejects.toThrow(words);
    expect(scenery.fake.inventory()).toEqual([]);
  });

  test('to delete is told, and deleting again succeeds when it works again', async () => {
    const environment = environmentOf({ nodes: [database('mysql')] });
    const spec = await deploymentOf('one', { environment });
    await scenery.adapter.deploy(spec, call());
    scenery.fake.world.unbindFails = 'unbind is broken';
    await expect(scenery.adapter.undeploy(spec.key, call())).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('unbind is broken'),
    });
    delete scenery.fake.world.unbindFails;
    await scenery.adapter.undeploy(spec.key, call());
    await scenery.adapter.deleteEnvironment(environment, call());
    expect(scenery.fake.inventory()).toEqual([]);
  });

  test('an instance that failed before is replaced', async () => {
    const broken = await scenery.again({ services: { postgresql: 'postgres/broken' } });
    scenery.fake.trouble.plan({ fault: { kind: 'cut', when: 'before' }, on: /^DELETE/, times: 100 });
    await expect(make(broken, 'postgresql')).rejects.toThrow('no capacity');
    scenery.fake.trouble.clear();
    expect(scenery.fake.world.services.length).toBe(1);
    await make(scenery.adapter, 'postgresql');
    expect(scenery.fake.world.services.map(({ last }) => last.state)).toEqual(['succeeded']);
  });
});

describe('what there is not', () => {
  test.each([
    [{}, 'cassandra', /"cassandra" cannot be made: no offering is known for it.*postgres, mail, p\.mysql/],
    [{ services: { redis: 'p.redis' } }, 'redis', /the offering "p\.redis" for it is not available/],
    [{ services: { postgresql: 'postgres/huge' } }, 'postgresql', /has no plan "huge".*small \(free\).*large/],
  ])('is refused with what there is (%p)', async (options, name, words) => {
    const adapter = await scenery.again(options);
    await expect(make(adapter, name)).rejects.toMatchObject({
      kind: 'rejected',
      message: expect.stringMatching(words),
    });
    expect(scenery.fake.inventory()).toEqual([]);
  });

  test('a router is no matter, and a service is found by its name', async () => {
    const nodes = [
      { name: 'apache', contentType: 'router' },
      { name: 'mail', contentType: 'service' },
    ];
    const { remarks } = await scenery.adapter.createEnvironment(environmentOf({ nodes }), call());
    expect(remarks).toEqual([expect.stringContaining('The router "apache" is not needed')]);
    expect(plansTaken()).toEqual(['coaps-tabcdefg-1-mail: mail/free']);
  });
});

describe('what is offered', () => {
  test('containers by installed buildpacks, databases by the marketplace', async () => {
    const offer = await scenery.adapter.info(call());
    expect(offer.containers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['tomcat', 'node', 'php', 'static']),
    );
    expect(offer.databases.map(({ name }) => name).sort()).toEqual(['mysql', 'postgresql']);
    expect(offer.services.map(({ name }) => name)).toEqual(['mail']);
    expect(offer.memory?.maximum).toBe(10_240);
  });

  test('a buildpack that is called otherwise is found, one that is missing is told', async () => {
    const { world } = scenery.fake;
    for (const one of world.buildpacks) if (one.name === 'java_buildpack') one.name = 'java_buildpack_offline';
    world.buildpacks.splice(
      0,
      world.buildpacks.length,
      ...world.buildpacks.filter(({ name }) => name !== 'php_buildpack'),
    );
    const on = (name: string) => environmentOf({ nodes: [{ name, contentType: 'container' }] });
    await scenery.adapter.deploy(await deploymentOf('one', { environment: on('JBOSSAS_7') }), call());
    expect(world.apps[0]?.lifecycle.data.buildpacks).toEqual(['java_buildpack_offline']);
    await expect(scenery.adapter.createEnvironment(on('php'), call())).rejects.toThrow(
      /"php" is not known here. There is: .*tomcat/,
    );
    const custom = await scenery.again({ buildpacks: { php: ['go_buildpack', 'missing_buildpack'] } });
    await expect(custom.createEnvironment(on('php'), call())).rejects.toThrow(
      /"missing_buildpack" for php is not installed/,
    );
  });

  test('an enterprise archive runs only where a buildpack is configured for it', async () => {
    const spec = await deploymentOf('one');
    const ear = { ...spec, artefact: { ...spec.artefact, type: 'ear' as const } };
    await expect(scenery.adapter.deploy(ear, call())).rejects.toMatchObject({
      kind: 'not-supported',
      message: expect.stringContaining('buildpacks'),
    });
    const adapter = await scenery.again({ buildpacks: { jboss: 'java_buildpack' } });
    expect(adapter.capabilities.artefacts).toContain('ear');
  });
});

describe('coaps platform check', () => {
  const check = (changes: Record<string, unknown> = {}) =>
    cloudFoundryDefinition.check?.(contextFor(scenery.fake, changes), new AbortController().signal);
  const shown = (results: Awaited<ReturnType<typeof check>>) =>
    (results ?? []).map(({ ok, subject, text }) => `${ok ? 'ok' : '!!'} ${subject}: ${text}`);

  test('finds everything', async () => {
    const lines = shown(await check({ services: { mysql: 'p.mysql' }, buildpacks: { tomcat: 'java_buildpack' } }));
    expect(lines).toEqual([
      expect.stringMatching(/^ok Cloud Controller http.*: answers, API 3\.228\.0$/),
      'ok log-in and organisation "acme": logged in, found',
      'ok space "dev": found',
      'ok default domain: found: apps.cf.example',
      expect.stringMatching(/^ok buildpacks: run tomcat, /),
      'ok buildpack for tomcat: java_buildpack is installed',
      'ok marketplace: offers postgres, mail, p.mysql',
      'ok service for mysql: the offering p.mysql is there',
      'ok log cache: found',
    ]);
  });

  test.each([
    [
      { password: 'wrong' },
      /!! log-in and organisation "acme": .*refuses the log-in|!! log-in and organisation "acme": .*Bad credentials/,
    ],
    [{ org: 'globex' }, /!! .*There is no organisation "globex" that this user may see/],
    [{ space: 'test' }, /!! space "test": There is no space "test" in "acme".*SpaceDeveloper/],
    [{ domain: 'nope.example' }, /!! domain "nope.example": .*may not use a domain "nope.example"/],
    [
      { buildpacks: { php: 'nope_buildpack' } },
      /!! buildpack for php: nope_buildpack is not installed; there is: .*php_buildpack/,
    ],
    [{ services: { redis: 'p.redis' } }, /!! service for redis: the offering p\.redis is not visible/],
    [
      { apiUrl: 'http://127.0.0.1:9', patience: 0.1 },
      /!! Cloud Controller http:\/\/127\.0\.0\.1:9: .*cannot be reached/,
    ],
  ])('says in plain words what is missing (%p)', async (changes, words) => {
    expect(shown(await check(changes)).join('\n')).toMatch(words);
  });

  test.each([
    [{ apiUrl: 'api.example.org' }, /"apiUrl" must be the address/],
    [{ apiUrl: 'https://me:planted@api.example.org' }, /must hold no user/],
    [{ user: undefined }, /give user and password, or clientId/],
    [{ password: undefined }, /"password" is missing/],
    [{ ca: '/no/such/file.pem' }, /"ca" names a file that cannot be read/],
    [{ routeUrl: 'https://x' }, /"routeUrl" must be a URL with \{host\}/],
    [{ buildpacks: { php: 5 } }, /"buildpacks" must give "php"/],
    [{ services: { mysql: {} } }, /"services" must give "mysql"/],
    [{ startTimeout: -1 }, /"startTimeout" must be a number of seconds/],
  ])('options that cannot be right are refused by name (%p)', async (changes, words) => {
    await expect(check(changes)).rejects.toThrow(words);
  });

  test('a client with a secret logs in as well', async () => {
    const clientSecret = PASSWORDS.client;
    expect(shown(await check({ user: undefined, password: undefined, clientId: 'robot', clientSecret }))[1]).toMatch(
      /^ok log-in/,
    );
    expect(scenery.fake.uaa.grants).toEqual(['client_credentials']);
  });
});
