import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { readBody } from '../../src/representations/bodies.js';
import { manifestRecord, writeManifest } from '../../src/representations/manifest-writer.js';
import { holds, manifest } from './arbitrary.js';
import { around, faultOf, read, readJson } from './reading.js';
import { GENERATION_16_APPLICATION, GENERATION_16_ENVIRONMENT, SERVLET_SAMPLE } from './samples.js';

describe('A descriptor', () => {
  test('of 1.5 is read with everything that it says', () => {
    expect(read(SERVLET_SAMPLE)).toEqual({
      name: 'ServletSampleApplicationManifest',
      description: 'This manifest describes a Sample Servlet.',
      application: {
        name: 'ServletSampleApplication',
        description: 'Sample Servlet application description.',
        environmentName: 'JavaWebEnv',
        versions: [
          {
            name: 'version1.0',
            label: '1.0',
            deployables: [
              {
                name: 'SampleServlet.war',
                contentType: 'artifact',
                location: 'C:\\Users\\sellami\\Desktop\\deployable',
                multitenancyLevel: 'SharedInstance',
              },
            ],
            instances: [{ name: 'Instance1', initialState: '1', defaultInstance: true }],
          },
        ],
      },
      environment: {
        name: 'JavaWebEnv',
        description: 'TomcatServerEnvironmentTemplate',
        template: 'TomcatEnvTemp',
        memory: 65,
        nodes: [{ name: 'tomcat', contentType: 'container', provider: 'CF' }],
        variables: {},
      },
    });
  });

  test('of 1.6 is read: environment and template are siblings inside the application, a comment stands before the declaration', () => {
    expect(read(GENERATION_16_ENVIRONMENT)).toEqual({
      name: 'ServletSampleApplicationManifest',
      environment: {
        name: 'JavaWebEnv',
        description: 'JavaWebApplicationsEnv',
        template: 'TomcatEnvTemp',
        provider: 'CF',
        nodes: [
          { name: 'JBOSSAS_7', contentType: 'container', version: '6.0.35', provider: 'CF' },
          { name: 'MYSQL_51', contentType: 'database', version: '6.0.35', provider: 'CF' },
        ],
        variables: {},
      },
    });
    expect(read(GENERATION_16_APPLICATION).application).toEqual({
      name: 'ServletSampleApplication',
      description: 'ServletSampleApplication',
      environmentName: 'JavaWebEnv',
      versions: [
        {
          label: '1.0',
          description: 'Version1.0',
          deployables: [
            {
              name: 'SampleServlet.war',
              contentType: 'artifact',
              location: 'E:\\Workshop\\deployable',
              multitenancyLevel: 'SharedInstance',
            },
          ],
          instances: [],
        },
      ],
    });
  });

  test('that is written is read back equal, from XML and from JSON', () => {
    holds(
      fc.property(manifest, (one) => {
        expect(read(writeManifest(one))).toEqual(one);
        expect(readJson(manifestRecord(one))).toEqual(one);
        expect(readJson({ paas_application_manifest: manifestRecord(one) })).toEqual(one);
      }),
    );
  });

  test('may have any root, and may be a part of a manifest', () => {
    const application = '<paas_application name="A"/>';
    expect(read(`<whatever>${application}</whatever>`).application?.name).toBe('A');
    expect(read(application).application?.name).toBe('A');
    expect(read('<paas_environment name="E"/>')).toEqual({ environment: { name: 'E', nodes: [], variables: {} } });
    expect(readJson({ paas_environment: { name: 'E' } })).toEqual({
      environment: { name: 'E', nodes: [], variables: {} },
    });
    expect(read('<paas_version label="2.0"/>').application?.versions).toEqual([
      { label: '2.0', deployables: [], instances: [] },
    ]);
    expect(read('<paas_version_instance name="I"/>').application?.versions[0]?.instances).toEqual([{ name: 'I' }]);
    expect(read('<p:x xmlns:p="urn:x"><p:paas_application name="A"/></p:x>').application?.name).toBe('A');
    expect(read('<x xmlns="ressources"><paas_application name="A"/></x>').application?.name).toBe('A');
  });

  test.each([
    ['environement', 'E'],
    ['environment', 'E'],
  ])('names its environment by %s', (attribute, value) => {
    expect(read(`<a><paas_application name="A" ${attribute}="${value}"/></a>`).application?.environmentName).toBe('E');
  });

  test.each(['initial_state', 'initial_stat', 'state'])('gives an instance its first state by %s', (attribute) => {
    const text = around(
      `<paas_application name="A"><paas_version><paas_version_instance ${attribute}="runing"/></paas_version></paas_application>`,
    );
    expect(read(text).application?.versions[0]?.instances).toEqual([{ initialState: 'runing' }]);
  });

  test('has descriptions as attribute or as child, and an empty one is none', () => {
    const application = (inner: string) => read(around(inner)).application?.description;
    expect(application('<paas_application name="A" description="as attribute"/>')).toBe('as attribute');
    expect(application('<paas_application name="A"><description> as child\n</description></paas_application>')).toBe(
      'as child',
    );
    expect(application('<paas_application name="A"><description></description></paas_application>')).toBeUndefined();
  });

  test('counts an instance without any attribute as none, and one with a description as one', () => {
    const instances = (inner: string) =>
      read(around(`<paas_application><paas_version>${inner}</paas_version></paas_application>`)).application
        ?.versions[0]?.instances;
    expect(instances('<paas_version_instance/>')).toEqual([]);
    expect(instances('<paas_version_instance description="d"/>')).toEqual([{ description: 'd' }]);
  });

  test('ignores what it does not know, whatever it is called', () => {
    const odd = '<constructor __proto__="x"/><toString/><__proto__ hasOwnProperty="1"><paas_node/></__proto__>';
    expect(
      read(around(`${odd}<paas_application name="A" access="public" __proto__="y">${odd}</paas_application>`)),
    ).toEqual({
      name: 'M',
      application: { name: 'A', versions: [] },
    });
  });

  test('carries variables, of both generations', () => {
    const young =
      '<paas_environment name="E"><paas_environment_template><paas_environment_configuration name="c">' +
      '<paas_environment_variable name="A" value="1"/><paas_environment_variable name="__proto__" value=""/>' +
      '</paas_environment_configuration></paas_environment_template></paas_environment>';
    const variables = read(around(young)).environment?.variables ?? {};
    expect(Object.entries(variables)).toEqual([
      ['A', '1'],
      ['__proto__', ''],
    ]);
    const old =
      '<paas_application><paas_environment name="E"/><paas_configuration_template name="T">' +
      '<paas_configuration_option option_name="B" value="2"/></paas_configuration_template></paas_application>';
    expect(read(around(old)).environment?.variables).toEqual({ B: '2' });
  });

  test.each([
    ['65MB', 'memory="65MB"'],
    ['-1', 'memory="-1"'],
    ['1e3', 'memory="1e3"'],
  ])('with the memory %s is refused, and says what was wrong', (memory, said) => {
    const text = around(`<paas_environment><paas_environment_template memory="${memory}"/></paas_environment>`);
    expect(faultOf(() => read(text))).toEqual({ code: 'InvalidValue', message: expect.stringContaining(said) });
  });

  test.each(['<other/>', '<a><b/></a>', '{"x":1}', '{"paas_node":{}}'])('that is none is refused: %s', (text) => {
    const format = text.startsWith('{') ? 'json' : 'xml';
    expect(faultOf(() => readBody('manifest', format, Buffer.from(text)))).toEqual({
      code: 'InvalidValue',
      message: expect.stringContaining('neither paas_application nor paas_environment'),
    });
  });
});

const samples = new URL('../../../shared/wire/samples/', import.meta.url);
const present = existsSync(samples);

(present ? describe : describe.skip)(
  'The sample documents beside the checkout (skipped where ../shared/wire is absent)',
  () => {
    const files = present ? readdirSync(samples).filter((file) => file.endsWith('.xml')) : ['none'];

    test.each(files)('%s is read', (file) => {
      const { application, environment } = read(readFileSync(new URL(file, samples)));
      if (file.includes('Environment')) expect(environment?.nodes.length).toBeGreaterThan(0);
      else expect(application).toBeDefined();
    });
  },
);
