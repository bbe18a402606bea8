import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { isFault } from '../../src/domain/errors.js';
import type { Manifest } from '../../src/domain/manifest.js';
import { readBody } from '../../src/representations/bodies.js';
import { manifestRecord, writeManifest } from '../../src/representations/manifest-writer.js';
import { readXmlTree } from '../../src/representations/xml-tree.js';
import { holds, manifest } from './arbitrary.js';
import { GENERATION_16_APPLICATION, GENERATION_16_ENVIRONMENT, SERVLET_SAMPLE } from './samples.js';

const read = (text: string | Buffer): Manifest => readBody('manifest', 'xml', Buffer.from(text));
const readJson = (value: unknown): Manifest => readBody('manifest', 'json', Buffer.from(JSON.stringify(value)));
/** Around the parts of a manifest. */
const around = (parts: string) => `<paas_application_manifest name="M">${parts}</paas_application_manifest>`;

function faultOf(work: () => unknown) {
  try {
    work();
  } catch (error) {
    if (isFault(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('It was read');
}

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
    expect(read('<paas_environment name="E"/>').environment?.name).toBe('E');
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

describe('The reader of XML', () => {
  const text = around('<paas_application name="Größe"/>');
  const nameIn = (bytes: Buffer | string) => read(bytes).application?.name;

  test.each(['UTF8', 'UTF-8', 'utf-8', 'utf8'])('takes the encoding label %s', (label) => {
    expect(nameIn(`<?xml version="1.0" encoding="${label}"?>${text}`)).toBe('Größe');
  });

  test('takes a byte order mark, UTF-16 and Latin-1', () => {
    expect(nameIn(`\uFEFF<?xml version="1.0" encoding="UTF8"?>${text}`)).toBe('Größe');
    expect(nameIn(`\uFEFF${text}`)).toBe('Größe');
    expect(nameIn(Buffer.from(`\uFEFF<?xml version="1.0" encoding="UTF-16"?>${text}`, 'utf16le'))).toBe('Größe');
    expect(nameIn(Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${text}`, 'latin1'))).toBe('Größe');
  });

  test.each(['<!-- licence -->', '\n  <!-- a --> <!-- b -->\n', '\uFEFF<!-- é -->\n', '\r\n'])(
    'takes %j before the declaration',
    (before) => {
      expect(nameIn(`${before}<?xml version="1.0" encoding="UTF8"?>${text}`)).toBe('Größe');
    },
  );

  test('decodes references once, and leaves CDATA alone', () => {
    const tree = readXmlTree(Buffer.from('<a b="&amp;lt;&#65;&#x42;&quot;">&amp;amp;&#38;lt;<![CDATA[&amp;<]]></a>'));
    expect(tree.attributes.get('b')).toBe('&lt;AB"');
    expect(tree.text).toBe('&amp;&lt;&amp;<');
  });

  test.each([
    ['two roots', '<a/><b/>'],
    ['junk behind the root', '<a/>junk'],
    ['an open element', '<a><b></a>'],
    ['a bare ampersand', '<a b="&"/>'],
    ['an undefined entity', '<a>&nbsp;</a>'],
    ['< in an attribute', '<a b="<"/>'],
    ['an attribute twice', '<a b="1" b="2"/>'],
    ['a forbidden character', '<a>\u0001</a>'],
    ['a forbidden reference', '<a>&#1;</a>'],
    ['an unbound prefix', '<p:a/>'],
    ['an unknown encoding', '<?xml version="1.0" encoding="klingon"?><a/>'],
    ['nothing but white space', '   '],
    ['no XML at all', 'PK\u0003\u0004'],
  ])('refuses %s with line and column', (_, bad) => {
    expect(faultOf(() => read(bad))).toEqual({
      code: 'InvalidValue',
      message: expect.stringMatching(/not well-formed at line \d+, column \d+: \S/),
    });
  });

  test('counts lines from the beginning of what was sent', () => {
    const { message } = faultOf(() => read('<!--\n\n-->\n<?xml version="1.0"?>\n<a>\n<b></a>'));
    expect(message).toContain('line 6,');
  });

  test('refuses invalid UTF-8', () => {
    expect(faultOf(() => read(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0xfe, 0x3c, 0x2f, 0x61, 0x3e]))).code).toBe(
      'InvalidValue',
    );
  });

  test('refuses a DOCTYPE, with entities or without', () => {
    for (const doctype of [
      '<!DOCTYPE a>',
      '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
      '<!DOCTYPE a [<!ENTITY x "y">]>',
    ]) {
      expect(faultOf(() => read(`${doctype}<a>x</a>`))).toEqual({
        code: 'InvalidValue',
        message: expect.stringContaining('DOCTYPE'),
      });
    }
  });

  test('refuses entity bombs without unfolding them', () => {
    const levels = Array.from({ length: 12 }, (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(10)}">`).join('');
    const before = process.memoryUsage().rss;
    const { code } = faultOf(() => read(`<!DOCTYPE a [<!ENTITY e0 "bomb">${levels}]><a>&e12;</a>`));
    expect(code).toBe('InvalidValue');
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 ** 2);
  });

  test('takes 64 levels of elements and refuses 65', () => {
    const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth);
    expect(readXmlTree(Buffer.from(nested(64))).name).toBe('a');
    expect(faultOf(() => readXmlTree(Buffer.from(nested(65)))).message).toContain('64');
    expect(faultOf(() => readXmlTree(Buffer.from(nested(100_000)))).code).toBe('InvalidValue');
  });

  test('throws nothing but its own fault, whatever comes', () => {
    const pieces = fc.constantFrom(
      ...[
        '<',
        '>',
        '/',
        '"',
        '&',
        ';',
        '&#x',
        '<a',
        '</a>',
        '<a>',
        '<a/>',
        ' b="c"',
        '<![CDATA[',
        ']]>',
        '<!--',
        '-->',
        '<?xml',
      ],
      ...[
        ' version="1.0"',
        ' encoding="UTF8"',
        '?>',
        '<!DOCTYPE a [',
        ']>',
        '<!ENTITY x "y">',
        '&x;',
        '__proto__',
        ':',
        '\u0000',
      ],
      ...[
        '<paas_application name="a">',
        '</paas_application>',
        '<paas_environment memory="x"/>',
        'é',
        '\ud800',
        '\uFEFF',
      ],
    );
    const bytes = fc.oneof(
      fc.array(pieces, { maxLength: 30 }).map((parts) => Buffer.from(parts.join(''))),
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      fc.array(pieces, { maxLength: 30 }).map((parts) => Buffer.from(parts.join(''), 'utf16le')),
    );
    holds(
      fc.property(bytes, (input) => {
        try {
          read(input);
        } catch (error) {
          expect(isFault(error)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('uses memory and time in proportion to a document', () => {
    const heavy = [
      `<a>${'<b/>'.repeat(200_000)}</a>`,
      `<a ${Array.from({ length: 50_000 }, (_, n) => `a${n}="1"`).join(' ')}/>`,
      `<a b="${'&amp;'.repeat(150_000)}"/>`,
      `${'<!-- -->'.repeat(100_000)}<a/>`,
      `<a>${'&#65;'.repeat(150_000)}</a>`,
    ];
    for (const text of heavy) {
      const before = process.memoryUsage().rss;
      expect(readXmlTree(Buffer.from(text)).name).toBe('a');
      expect(process.memoryUsage().rss - before).toBeLessThan(600 * 1024 ** 2);
    }
  });
});

describe('The reader of JSON', () => {
  test.each(['', '[', '[]', 'null', '3', '"x"', '{"a":[[1]]}', '{"a":'])('refuses %j', (text) => {
    const { code } = faultOf(() => readBody('manifest', 'json', Buffer.from(text)));
    expect(['InvalidValue', 'MissingParameter']).toContain(code);
  });

  test('refuses what is nested too deep, without a stack overflow', () => {
    const text = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`;
    expect(faultOf(() => readBody('manifest', 'json', Buffer.from(text))).message).toContain('64');
    const wide = '{"a":['.repeat(50_000) + ']}'.repeat(50_000);
    expect(faultOf(() => readBody('manifest', 'json', Buffer.from(wide))).code).toBe('InvalidValue');
  });

  test('throws nothing but its own fault, whatever comes', () => {
    holds(
      fc.property(fc.json(), (text) => {
        try {
          readBody('manifest', 'json', Buffer.from(text));
        } catch (error) {
          expect(isFault(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('Users, passwords and keys', () => {
  test('are read from attributes, children and JSON alike', () => {
    const expected = { name: 'ada', password: ' p&w ', role: 'user', tenant: 'red' };
    expect(
      readBody('user', 'xml', Buffer.from('<user name="ada" password=" p&amp;w " role="user" tenant="red"/>')),
    ).toEqual(expected);
    expect(
      readBody(
        'user',
        'xml',
        Buffer.from('<user><name>ada</name><password> p&amp;w </password><role>user</role><tenant>red</tenant></user>'),
      ),
    ).toEqual(expected);
    expect(readBody('user', 'json', Buffer.from(JSON.stringify(expected)))).toEqual(expected);
  });

  test.each([
    ['xml', '<password value="n"/>'],
    ['xml', '<password password="n"/>'],
    ['xml', '<password>n</password>'],
    ['json', '{"password":"n"}'],
  ] as const)('a password in %s: %s', (format, text) => {
    expect(readBody('password', format, Buffer.from(text))).toEqual({ password: 'n' });
  });

  test('an empty body is a key without a label, and no user, password or descriptor', () => {
    expect(readBody('key', 'xml', Buffer.alloc(0))).toEqual({});
    expect(readBody('key', 'xml', Buffer.from('<key label="ci"/>'))).toEqual({ label: 'ci' });
    for (const kind of ['user', 'password', 'manifest'] as const) {
      expect(faultOf(() => readBody(kind, 'xml', Buffer.alloc(0))).code).toBe('MissingParameter');
    }
    expect(faultOf(() => readBody('password', 'xml', Buffer.from('<password/>'))).code).toBe('MissingParameter');
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
