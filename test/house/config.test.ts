import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AdapterDefinition } from '../../adapters/adapter.js';
import { type Config, ConfigFault, loadConfig } from '../../src/config.js';

const nowhere: AdapterDefinition['create'] = () => Promise.reject(new Error('never opened here'));
const ADAPTERS: AdapterDefinition[] = [
  {
    name: 'conpaas',
    summary: '',
    options: [
      { name: 'embedded', type: 'boolean', help: '' },
      { name: 'director', type: 'string', required: true, help: 'URL of the Director.' },
    ],
    create: nowhere,
  },
  {
    name: 'cloudfoundry',
    summary: '',
    options: [
      { name: 'apiUrl', type: 'string', required: true, help: 'URL of the API.' },
      { name: 'password', type: 'string', secret: true, help: '' },
      { name: 'timeout', type: 'number', default: 60, help: '' },
      { name: 'skipTlsVerification', type: 'boolean', help: '' },
      { name: 'buildpacks', type: 'map', help: '' },
    ],
    create: nowhere,
  },
];

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'coaps-config-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function load(yaml?: string, env: NodeJS.ProcessEnv = {}, file?: string): Config {
  if (yaml !== undefined) writeFileSync(join(directory, file ?? 'coaps.yaml'), yaml);
  return loadConfig({ env, directory, adapters: ADAPTERS, file });
}

function faults(yaml?: string, env: NodeJS.ProcessEnv = {}, file?: string): readonly string[] {
  try {
    load(yaml, env, file);
  } catch (error) {
    if (error instanceof ConfigFault) return error.faults;
    throw error;
  }
  throw new Error('The configuration was accepted');
}

describe('the configuration', () => {
  it('needs no file: every value has a default, and the embedded platform is there', () => {
    const config = load();
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 8080, tls: {} });
    expect(config.data).toBe(join(directory, 'data'));
    expect(config.patience).toBe(600);
    expect(config.platforms.map(({ name, embedded }) => ({ name, embedded }))).toEqual([
      { name: 'CP', embedded: true },
    ]);
    expect(config.defaultPlatform).toBe('CP');
    expect(config.warnings).toEqual([]);
  });

  it('reads coaps.yaml of the directory, and environment variables override it', () => {
    const yaml = 'listen:\n  host: 0.0.0.0\n  port: 9000\ndata: state\n';
    expect(load(yaml)).toMatchObject({ listen: { host: '0.0.0.0', port: 9000 }, data: join(directory, 'state') });
    expect(load(yaml, { COAPS_PORT: '0', COAPS_HOST: '' }).listen).toMatchObject({ host: '0.0.0.0', port: 0 });
  });

  it('knows three kinds of places for artefacts, and no secret in their names', () => {
    const kept = load('artefacts: {store: s3://bucket/a/b, s3: {endpoint: http://127.0.0.1:9000/, accessKeyId: a}}', {
      COAPS_S3_SECRET_ACCESS_KEY: 's',
    }).artefacts;
    expect(kept).toMatchObject({
      store: 's3://bucket/a/b',
      s3: { endpoint: 'http://127.0.0.1:9000', region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 's' },
    });
    expect(load('', { COAPS_ARTEFACTS: '/mnt/shared' }).artefacts.store).toBe('/mnt/shared');
    for (const wrong of ['s3://', 's3://key:secret@bucket', 's3://Bucket', 'relative/folder', 's3://bucket/a?b'])
      expect(faults(undefined, { COAPS_ARTEFACTS: wrong })).toEqual([
        expect.stringMatching(/COAPS_ARTEFACTS artefacts.store: expected files/),
      ]);
    expect(faults('artefacts: {s3: {accessKeyId: a}}')).toEqual([
      expect.stringMatching(/artefacts.s3: .*belong together/),
    ]);
  });

  it('takes the file that --config or COAPS_CONFIG names, and refuses one that is not there', () => {
    expect(load('listen: {port: 1}', {}, 'other.yaml').listen.port).toBe(1);
    expect(load(undefined, { COAPS_CONFIG: 'other.yaml' }).listen.port).toBe(1);
    expect(faults(undefined, {}, 'missing.yaml')).toEqual([
      expect.stringMatching(/^missing\.yaml cannot be read: there is no such file/),
    ]);
  });

  it('puts environment variables in for ${NAME}, and says which one is not set and where', () => {
    const yaml = 'publicUrl: https://${HOST_NAME}/\nlisten: {port: "${A_PORT}"}\ndata: "$${kept}"\n';
    const config = load(yaml, { HOST_NAME: 'paas.example.org', A_PORT: '81' });
    expect(config).toMatchObject({ publicUrl: 'https://paas.example.org', listen: { port: 81 } });
    expect(config.data).toBe(join(directory, '${kept}'));
    expect(faults(yaml, { A_PORT: '81' })).toEqual(['coaps.yaml:1:12 the environment variable HOST_NAME is not set']);
  });

  it('reports all faults together, each with its place and its path', () => {
    const yaml = [
      'listen:',
      '  prot: 80',
      'patience: soon',
      'commonParameters: sometimes',
      'conpaas:',
      '  uids: 9-1',
      'limits: {upload: huge}',
    ].join('\n');
    expect(faults(yaml, { COAPS_PORT: '99999' })).toEqual([
      'environment variable COAPS_PORT listen.port: must be at most 65535',
      'coaps.yaml:2:3 listen.prot: is no setting; there are host, port, tls',
      'coaps.yaml:3:1 patience: expected a number of seconds',
      'coaps.yaml:4:1 commonParameters: expected optional or required',
      expect.stringMatching(/^coaps\.yaml:6:3 conpaas\.uids: expected two numbers/),
      expect.stringMatching(/^coaps\.yaml:7:10 limits\.upload: expected a size/),
    ]);
  });

  it('reports YAML that is none, doubled keys, and a document that is no map', () => {
    expect(faults('listen: {port: 80')[0]).toMatch(/^coaps\.yaml:1:\d+ /);
    expect(faults('data: a\ndata: b\n')[0]).toMatch(/^coaps\.yaml:2:1 Map keys must be unique/);
    expect(faults('- a\n- b\n')[0]).toMatch(/^coaps\.yaml:1:1 expected settings/);
  });

  it('reads sizes with units', () => {
    const { limits } = load('limits: {upload: 512 MiB, unpacked: 2G, descriptor: 4096}');
    expect(limits).toMatchObject({ upload: 512 * 1024 ** 2, unpacked: 2 * 1024 ** 3, descriptor: 4096 });
  });

  it('never shows a secret in a fault', () => {
    const text = faults('admin: {password: hunter2}\nsecretKey: abc\ndatabase: mysql://me:s3cret@db/x').join('\n');
    expect(text).toContain('admin.password: needs at least 8 characters');
    expect(text).not.toMatch(/hunter2|abc|s3cret/);
  });

  it('warns of secrets in a file that everybody can read', () => {
    const tls = 'listen: {tls: {cert: cert.pem, key: key.pem}}';
    const platforms = 'platforms: {CF: {adapter: cloudfoundry, apiUrl: https://a.example.org, password: hunter22}}';
    const yaml = `${tls}\nadmin: {password: "\${SECRET}"}\n${platforms}`;
    const file = join(directory, 'coaps.yaml');
    writeFileSync(join(directory, 'key.pem'), '');
    const env = { SECRET: 'out-of-the-environment' };
    writeFileSync(file, yaml);
    chmodSync(file, 0o644);
    chmodSync(join(directory, 'key.pem'), 0o644);
    expect(load(undefined, env).warnings).toEqual([
      expect.stringMatching(/coaps\.yaml holds platforms\.CF\.password and everybody .* chmod it to 600/),
      expect.stringMatching(/can read the key .*key\.pem: chmod it to 600/),
    ]);
    chmodSync(file, 0o640);
    chmodSync(join(directory, 'key.pem'), 0o600);
    expect(load(undefined, env).warnings).toEqual([]);
  });

  it('warns of a COAPS_ variable that is none of its own', () => {
    expect(load(undefined, { COAPS_PROT: '1', COAPS_USER: 'me' }).warnings).toEqual([
      expect.stringContaining('COAPS_PROT'),
    ]);
  });
});

describe('platforms in the configuration', () => {
  const cloudfoundry = 'platforms:\n  CF:\n    adapter: cloudfoundry\n    apiUrl: https://api.example.org\n';

  it('take their options from the file, each overridable by a variable, with the defaults of the adapter', () => {
    const env = {
      COAPS_PLATFORM_CF_API_URL: 'https://other.example.org',
      COAPS_PLATFORM_CF_SKIP_TLS_VERIFICATION: 'yes',
      COAPS_PLATFORM_CF_BUILDPACKS: '{tomcat: java_buildpack}',
      COAPS_PLATFORM_CF_PASSWORD: '12345678',
    };
    expect(load(cloudfoundry, env).platforms[0]?.options).toEqual({
      apiUrl: 'https://other.example.org',
      password: '12345678',
      timeout: 60,
      skipTlsVerification: true,
      buildpacks: { tomcat: 'java_buildpack' },
    });
    expect(load(cloudfoundry, env).warnings).toEqual([]);
  });

  it('can come from the environment alone', () => {
    const env = { COAPS_PLATFORM_CF_ADAPTER: 'cloudfoundry', COAPS_PLATFORM_CF_API_URL: 'https://api.example.org' };
    expect(load(undefined, env).platforms.map(({ name }) => name)).toEqual(['CF']);
  });

  it('are checked: adapter, options, types, names used twice, the default', () => {
    expect(faults('platforms: {X: {adapter: heroku}}')).toEqual([
      'coaps.yaml:1:17 platforms.X.adapter: there is no adapter "heroku"; there are conpaas, cloudfoundry',
    ]);
    expect(faults(`${cloudfoundry}    apiUlr: x\n    timeout: long\n`)).toEqual([
      expect.stringMatching(
        /^coaps\.yaml:5:5 platforms\.CF\.apiUlr: adapter cloudfoundry has no such option; it has adapter, /,
      ),
      'coaps.yaml:6:5 platforms.CF.timeout: expected a number',
    ]);
    expect(faults('platforms: {CF: {adapter: cloudfoundry}}')[0]).toMatch(
      /^coaps\.yaml:1:13 platforms\.CF\.apiUrl: is required \(or COAPS_PLATFORM_CF_API_URL\)/,
    );
    expect(faults(`${cloudfoundry}    aliases: [cf]\n`)[0]).toMatch(/the base \/cf-api\/rest is taken by platform CF/);
    expect(faults(`${cloudfoundry}defaultPlatform: OS\n`)).toEqual([
      'coaps.yaml:5:1 defaultPlatform: there is no platform "OS"; there are CF',
    ]);
    expect(faults('platforms: {"a b": {adapter: conpaas}}')[0]).toMatch(/platforms\.a b/);
    expect(faults('platforms: [CF]')[0]).toMatch(/^coaps\.yaml:1:1 platforms: expected platforms by name/);
  });
});
