import * as fc from 'fast-check';
import { isFault } from '../../src/domain/errors.js';
import { readBody } from '../../src/representations/bodies.js';
import { readXmlTree } from '../../src/representations/xml-tree.js';
import { holds } from './arbitrary.js';
import { around, faultOf, read } from './reading.js';

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
