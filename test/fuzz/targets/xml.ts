import { isDeepStrictEqual } from 'node:util';
import { isFault } from '../../../src/domain/errors.js';
import { escapeAttribute, escapeText } from '../../../src/representations/text.js';
import { MAXIMUM_DEPTH, readXmlTree, type XmlElement } from '../../../src/representations/xml-tree.js';
import { type Target, Violation } from '../target.js';

const MANIFEST = `<?xml version="1.0" encoding="UTF8"?>
<!-- a licence --><paas_application_manifest xmlns="" name="M"><description>Tom &amp; Jerry &#x263A;</description>
<paas_application name="A" environment='E'><![CDATA[<raw>]]></paas_application></paas_application_manifest>`;

/** Bytes of any encoding into a tree, or a Fault. */
export const XML: Target = {
  name: 'xml',
  covers: ['/src/representations/', '/fast-xml-parser/', '/libxml2-wasm/'],
  seeds: () => [
    Buffer.from(MANIFEST),
    Buffer.from('<a/>'),
    Buffer.from('\ufeff<?xml version="1.0"?><a b="1" c:d="2" xmlns:c="u"><c:e/>text<f>&lt;</f></a>'),
    Buffer.from('\ufeff<a>größe</a>', 'utf16le'),
    Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe4</a>', 'latin1'),
    Buffer.from('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'),
  ],
  words: [
    '<a>',
    '</a>',
    '<a/>',
    '<?xml version="1.0"?>',
    'encoding="',
    'UTF-16',
    'UTF8',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '&amp;',
    '&#0;',
    '&#xD800;',
    '&#x10FFFF;',
    '&#x110000;',
    '&#38;#60;',
    '<!DOCTYPE a>',
    '<!ENTITY',
    'xmlns=""',
    'xmlns:x="',
    'x:',
    '__proto__',
    'constructor',
    '#text',
    '#cdata',
    ':@',
    '<?pi ?>',
    "'",
    '"',
    '=',
    '>',
    '\ufeff',
    '\0',
    '\r\n',
    '\t',
    '\xff\xfe',
    '\xed\xa0\x80',
    '@a="',
    '<<',
  ],
  open: async () => ({ run: async (input) => judge(input), close: async () => {} }),
};

function judge(input: Buffer): void {
  let tree: XmlElement;
  try {
    tree = readXmlTree(input);
  } catch (error) {
    if (isFault(error) && error.code === 'InvalidValue') return;
    throw error;
  }
  check(tree, 1);
  const written = write(tree);
  const again = readXmlTree(Buffer.from(written));
  if (!isDeepStrictEqual(plain(tree), plain(again)))
    throw new Violation(`read otherwise after it was written as ${written}`);
}

const NAME = /^[^\s<>&"'=/]+$/u;
const ILLEGAL = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

function check({ name, attributes, children, text }: XmlElement, depth: number): void {
  if (depth > MAXIMUM_DEPTH) throw new Violation(`it is nested ${depth} deep`);
  for (const one of [name, ...attributes.keys()])
    if (!NAME.test(one)) throw new Violation(`a name is ${JSON.stringify(one)}`);
  for (const one of [text, ...attributes.values()])
    if (ILLEGAL.test(one)) throw new Violation(`a text holds what XML cannot: ${JSON.stringify(one)}`);
  for (const child of children) check(child, depth + 1);
}

function write({ name, attributes, children, text }: XmlElement): string {
  const pairs = [...attributes].map(([key, value]) => ` ${key}="${escapeAttribute(value)}"`).join('');
  return `<${name}${pairs}>${escapeText(text)}${children.map(write).join('')}</${name}>`;
}

function plain({ name, attributes, children, text }: XmlElement): unknown {
  return [name, [...attributes], text, children.map(plain)];
}
