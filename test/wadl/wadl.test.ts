import { readFileSync, writeFileSync } from 'node:fs';
import { parameterNames } from '../../src/api/lookup.js';
import { TABLE } from '../../src/api/table.js';
import { readXmlTree, type XmlElement } from '../../src/representations/xml-tree.js';
import { writeWadl } from '../../wadl/wadl.js';
import { violations } from './schema-rules.js';

const BASE = 'http://127.0.0.1:8080/CF-api/rest/';
const VERSIONS = ['2006', '2009'] as const;
const written = {
  '2006': writeWadl(TABLE, { base: BASE, version: '2006' }),
  '2009': writeWadl(TABLE, { base: BASE, version: '2009' }),
};

/** The specification's annex 1: method ids, methods and paths, letter for letter; `{envId}/app/` without the slash that means nothing. */
const ANNEX: readonly (readonly [id: string, name: string, path: string])[] = [
  ['createApplication', 'POST', 'app'],
  ['findApplications', 'GET', 'app'],
  ['createApplicationVersionInstance', 'POST', 'app/{appId}/version/{versionId}/instance'],
  ['startApplicationVersionInstance', 'POST', 'app/{appId}/version/{versionId}/instance/{instanceId}/action/start'],
  ['stopApplicationVersionInstance', 'POST', 'app/{appId}/version/{versionId}/instance/{instanceId}/action/stop'],
  ['describeApplication', 'GET', 'app/{appId}'],
  ['deleteApplication', 'DELETE', 'app/{appId}/delete'],
  ['deleteApplications', 'DELETE', 'app/delete'],
  ['createApplicationVersion', 'POST', 'app/{appId}/version/create'],
  ['findApplicationVersions', 'GET', 'app/{appId}/version'],
  ['findEnvironments', 'GET', 'environment'],
  ['createEnvironment', 'POST', 'environment'],
  ['getEnvironment', 'GET', 'environment/{envId}'],
  ['deleteEnvironment', 'DELETE', 'environment/{envId}'],
  ['getDeployedApplicationVersionInstance', 'GET', 'environment/{envId}/app'],
  ['startEnvironment', 'POST', 'environment/{envId}/action/start'],
  ['stopEnvironment', 'POST', 'environment/{envId}/action/stop'],
  [
    'deployApplication',
    'POST',
    'environment/{envId}/action/deploy/app/{appId}/version/{versionId}/instance/{instanceId}',
  ],
  [
    'undeployApplication',
    'POST',
    'environment/{envId}/action/undeploy/app/{appId}/version/{versionId}/instance/{instanceId}',
  ],
];

const resourcesOf = (text: string) =>
  readXmlTree(Buffer.from(text)).children.find((child) => child.name === 'resources') as XmlElement;
const each = (element: XmlElement, name: string) => element.children.filter((child) => child.name === name);

describe.each(VERSIONS)('The WADL of %s', (version) => {
  const resources = resourcesOf(written[version]);

  test('keeps every rule of its schema', () => {
    expect(violations(written[version], version)).toEqual([]);
  });

  test('names its base, and every action once under its key', () => {
    expect(resources.attributes.get('base')).toBe(BASE);
    const ids = each(resources, 'resource')
      .flatMap((resource) => each(resource, 'method'))
      .flatMap((method) => method.attributes.get('id') ?? []);
    expect(ids.sort()).toEqual(Object.keys(TABLE).sort());
  });

  test('holds every address of every row, aliases as references', () => {
    const addresses = each(resources, 'resource').flatMap((resource) =>
      each(resource, 'method').map((method) => {
        const key = method.attributes.get('id') ?? method.attributes.get('href')?.slice(1);
        return `${key} /${resource.attributes.get('path')}`;
      }),
    );
    const expected = Object.entries(TABLE).flatMap(([key, row]) => [
      `${key} ${row.path}`,
      ...('aliases' in row ? row.aliases.map((alias) => `${key} ${alias.split(' ')[1]}`) : []),
    ]);
    expect(addresses.sort()).toEqual(expected.sort());
  });

  test('types every template parameter, and no other', () => {
    for (const resource of each(resources, 'resource')) {
      const declared = each(resource, 'param').map((param) => param.attributes.get('name'));
      expect(declared).toEqual(parameterNames(resource.attributes.get('path') ?? ''));
      for (const param of each(resource, 'param')) {
        expect(param.attributes.get('style')).toBe('template');
        expect(param.attributes.get('type')).toBe(
          ['name', 'keyId'].includes(param.attributes.get('name') ?? '') ? 'xs:string' : 'xs:int',
        );
      }
    }
  });

  test.each(ANNEX)('has the annex’s %s, %s %s', (id, name, path) => {
    const found = each(resources, 'resource').find((resource) => resource.attributes.get('path') === path);
    const methods = each(found as XmlElement, 'method').map(
      ({ attributes }) => attributes.get('id') ?? attributes.get('href')?.slice(1),
    );
    expect(methods).toContain(id);
    expect(written[version]).toContain(`<method id="${id}" name="${name}">`);
  });
});

describe('The annex’s own id for the description of a version', () => {
  test('is kept where the list of instances is: one address cannot have two ids', () => {
    expect(written['2006']).toContain('<method id="findApplicationVersionInstances" name="GET">');
    expect(written['2006']).toContain('<method id="describeApplicationVersion" name="GET">');
  });
});

test('The committed WADL is the one that is served; write it anew with UPDATE_WADL=1', () => {
  const file = new URL('../../wadl/application.wadl', import.meta.url);
  if (process.env['UPDATE_WADL']) writeFileSync(file, written['2006']);
  expect(readFileSync(file, 'utf8')).toBe(written['2006']);
});

describe('The rules of the schema', () => {
  const good = written['2006'];
  test.each<[string, string]>([
    ['an unknown element', good.replaceAll('resource', 'ressource')],
    ['another namespace', good.replace('2006/10', '2006/07')],
    ['an unknown attribute', good.replace('<method id=', '<method verb="x" id=')],
    ['an id twice', good.replace('id="findApplications"', 'id="createApplication"')],
    ['an id that is no name', good.replace('id="findApplications"', 'id="1 2"')],
    ['a reference to nothing', good.replace('href="#', 'href="#x')],
    ['a parameter without a style', good.replace(' style="template"', '')],
    ['an unknown style', good.replace('style="template"', 'style="path"')],
    ['a type of an unknown prefix', good.replace('type="xs:int"', 'type="xsd:int"')],
    ['a status that is no number', good.replace('status="200"', 'status="OK"')],
    ['a boolean that is none', good.replace('required="true"', 'required="yes"')],
    ['children in another order', good.replace('<response>', '<response/><request/><response>')],
    ['text between elements', good.replace('<response>', 'text<response>')],
    [
      'the form of 2009',
      written['2009'].replace('http://wadl.dev.java.net/2009/02', 'http://research.sun.com/wadl/2006/10'),
    ],
  ])('refuse %s', (_, bad) => {
    expect(bad).not.toBe(good);
    expect(violations(bad, '2006')).not.toEqual([]);
  });
});
