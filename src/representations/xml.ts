import { create } from 'xmlbuilder2';
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js';
import { type Layout, layout } from './layout.js';
import type { ListShape, Shape, WireRecord } from './shape.js';
import { escapeAttribute, escapeText } from './text.js';

export const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';

/** A single document. */
export function writeXml(shape: Shape, record: WireRecord): string {
  return DECLARATION + elementText(layout(shape, record));
}

/**
 * xmlbuilder2 escapes some references twice and others not at all. Legal text holds no control characters, so these stand for what
 * needs escaping until xmlbuilder2 has written.
 */
const MARKS = ['&', '<', '>', '"', '\r', '\n', '\t'];
const mark = (text: string) => text.replace(/[&<>"\r\n\t]/g, (one) => String.fromCharCode(1 + MARKS.indexOf(one)));
const unmark = (text: string, escaped: (text: string) => string) =>
  text.replace(/[\u0001-\u0007]/g, (one) => escaped(MARKS[one.charCodeAt(0) - 1] as string));

/** An element that may be laid out for people. */
export function buildElement(tree: Layout, { pretty = false } = {}): string {
  const document = create();
  append(document, tree);
  const text = document.end({ headless: true, prettyPrint: pretty });
  return text
    .split(/("[^"]*")/)
    .map((part) => (part.startsWith('"') ? unmark(part, escapeAttribute) : unmark(part, escapeText)))
    .join('');
}

function append(parent: XMLBuilder, { name, attributes, children, text }: Layout): void {
  const element = parent.ele(name);
  for (const [key, value] of attributes) element.att(key, mark(value));
  for (const child of children) append(element, child);
  if (text !== '') element.txt(mark(text));
}

/** One element as text: a whole document's, or a row's of a list. */
export function elementText({ name, attributes, children, text }: Layout): string {
  let open = `<${name}`;
  for (const [key, value] of attributes) open += ` ${key}="${escapeAttribute(value)}"`;
  const inside = children.map(elementText).join('') + escapeText(text);
  return inside === '' ? `${open}/>` : `${open}>${inside}</${name}>`;
}

/** A list, in pieces: rows are taken one by one as the reader asks. `links` is called when the last row is written. */
export async function* writeXmlList(
  shape: ListShape,
  rows: AsyncIterable<WireRecord>,
  links: () => readonly Layout[],
): AsyncGenerator<string> {
  yield `${DECLARATION}<${shape.name}>`;
  for await (const row of rows) yield elementText(layout(shape.row, row));
  yield `${links().map(elementText).join('')}</${shape.name}>`;
}
