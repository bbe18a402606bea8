import { XMLParser } from 'fast-xml-parser';
import { ParseOption, XmlDocument, XmlParseError } from 'libxml2-wasm';
import { Fault } from '../domain/errors.js';

/** An element that was read: names without prefix, text decoded, comments and processing instructions gone. */
export interface XmlElement {
  name: string;
  attributes: ReadonlyMap<string, string>;
  children: readonly XmlElement[];
  /** Its own text, pieces joined. */
  text: string;
}

export const MAXIMUM_DEPTH = 64;

/**
 * Reads bytes of any encoding into a tree. libxml2 judges them: well-formed, one root, legal characters, no DOCTYPE; fast-xml-parser
 * then makes the tree of what libxml2 wrote out in UTF-8. Throws nothing but Fault `InvalidValue`, with line and column.
 */
export function readXmlTree(bytes: Buffer): XmlElement {
  try {
    return toElement(rootOf(parser().parse(normalised(bytes))), 1);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('InvalidValue', 'The XML document cannot be read.', { cause: error });
  }
}

const NOTHING_FROM_OUTSIDE = ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE;

function normalised(bytes: Buffer): string {
  const { start, lines } = declarationStart(bytes);
  let document: XmlDocument;
  try {
    document = XmlDocument.fromBuffer(start === 0 ? bytes : bytes.subarray(start), { option: NOTHING_FROM_OUTSIDE });
  } catch (error) {
    throw notWellFormed(error, lines);
  }
  try {
    if (document.dtd) {
      throw new Fault(
        'InvalidValue',
        'A document type declaration (DOCTYPE) is not accepted. Send the document without it.',
      );
    }
    return document.toString({ format: false });
  } finally {
    document.dispose();
  }
}

function notWellFormed(error: unknown, linesBefore: number): Fault {
  const detail = error instanceof XmlParseError ? error.details[0] : undefined;
  const where = detail ? ` at line ${detail.line + linesBefore}, column ${detail.col}` : '';
  const why = (detail?.message ?? (error as Error | undefined)?.message ?? '').trim();
  return new Fault('InvalidValue', `The XML document is not well-formed${where}: ${why}.`, { cause: error });
}

/** The manifests of 2012 carry a licence comment before the XML declaration; without it they are well-formed. */
function declarationStart(bytes: Buffer): { start: number; lines: number } {
  const bom = bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
  let at = skipSpace(bytes, bom);
  while (bytes.subarray(at, at + 4).equals(Buffer.from('<!--'))) {
    const end = bytes.indexOf('-->', at + 4);
    if (end === -1) return { start: 0, lines: 0 };
    at = skipSpace(bytes, end + 3);
  }
  if (at === bom || !bytes.subarray(at, at + 5).equals(Buffer.from('<?xml'))) return { start: 0, lines: 0 };
  return { start: at, lines: bytes.subarray(0, at).reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0) };
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

type Piece = Record<string, Piece[] | Record<string, string> | string>;
/** No name can hold it, so that no element is taken for a member of Object. */
const TAG = '<';

function parser(): XMLParser {
  return new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    processEntities: false,
    removeNSPrefix: true,
    ignoreDeclaration: true,
    ignorePiTags: true,
    cdataPropName: '#cdata',
    maxNestedTags: 1000,
    // Empty elements come here twice.
    transformTagName: (name) => (name.startsWith(TAG) ? name : TAG + name),
    onDangerousProperty: (name) => name,
  });
}

function rootOf(pieces: Piece[]): Piece {
  const root = pieces.find((piece) => nameOf(piece) !== undefined);
  if (!root) throw new Fault('InvalidValue', 'The XML document has no root element.');
  return root;
}

function nameOf(piece: Piece): string | undefined {
  return Object.keys(piece)
    .find((key) => key.startsWith(TAG))
    ?.slice(TAG.length);
}

function toElement(piece: Piece, depth: number): XmlElement {
  if (depth > MAXIMUM_DEPTH) {
    throw new Fault('InvalidValue', `The XML document is nested deeper than ${MAXIMUM_DEPTH} elements.`);
  }
  const name = nameOf(piece) as string;
  const children: XmlElement[] = [];
  let text = '';
  for (const child of piece[TAG + name] as Piece[]) {
    if (typeof child['#text'] === 'string') text += decode(child['#text']);
    else if (Array.isArray(child['#cdata'])) text += String(child['#cdata'][0]?.['#text'] ?? '');
    else children.push(toElement(child, depth + 1));
  }
  const attributes = new Map<string, string>();
  for (const [key, value] of Object.entries((piece[':@'] ?? {}) as Record<string, string>)) {
    attributes.set(key.slice(1), decode(value));
  }
  return { name, attributes, children, text };
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** The five names and the numbers are all that is left once libxml2 has let a document without DOCTYPE through. */
function decode(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (_, hex?: string, decimal?: string, name?: string) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number.parseInt(decimal, 10));
    return NAMED[name as string] ?? '';
  });
}
