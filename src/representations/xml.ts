import { create } from 'xmlbuilder2';
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js';
import type { Layout } from './layout.js';
import { linkShape } from './link.js';
import { type ListWriter, type RowLink, rowPath } from './list.js';
import type { Field, ListShape, Shape, WireRecord } from './shape.js';
import { escapeAttribute, escapeText, legalText } from './text.js';

export const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';

/** A single document. */
export function writeXml(shape: Shape, record: WireRecord): string {
  return DECLARATION + elementText(shape, record);
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

/** An element as text, in one go: it is made for each row of a list, so no tree stands between. `more`: what follows its children. */
export function elementText(shape: Shape, record: WireRecord, name = shape.name, more = ''): string {
  let open = `<${name}`;
  let inside = '';
  let text = '';
  for (const field of shape.fields) {
    const value = record[field.member];
    if (value === undefined) continue;
    if (field.at === 'attribute') open += ` ${field.name}="${attributeText(value)}"`;
    else if (field.at === 'text') text = contentText(value);
    else if (field.at === 'hosts') inside += bothForms(value as readonly string[]);
    else if (Array.isArray(value)) for (const one of value) inside += childText(field, one);
    else inside += childText(field, value);
  }
  inside += text + more;
  return inside === '' ? `${open}/>` : `${open}>${inside}</${name}>`;
}

function childText({ name, type }: Field, value: unknown): string {
  return typeof type === 'object' ? elementText(type, value as WireRecord, name) : leafText(name, value);
}

function bothForms(addresses: readonly string[]): string {
  if (addresses.length === 0) return '';
  return `${leafText('uris', addresses[0])}<uris>${addresses.map((address) => leafText('uri', address)).join('')}</uris>`;
}

function leafText(name: string, value: unknown): string {
  const text = contentText(value);
  return text === '' ? `<${name}/>` : `<${name}>${text}</${name}>`;
}

/** Nearly every value: legal, and nothing in it to escape. */
const PLAIN = /^[ !#-%'-;=?-~]*$/;

function attributeText(value: unknown): string {
  const text = String(value);
  return PLAIN.test(text) ? text : escapeAttribute(legalText(text));
}

function contentText(value: unknown): string {
  const text = String(value);
  return PLAIN.test(text) ? text : escapeText(legalText(text));
}

/** `base`: what stands before the paths of the rows' links. */
export function xmlList({ name, row }: ListShape, base: string): ListWriter {
  const known = new Map<readonly RowLink[], LinkStart[]>();
  return {
    head: `${DECLARATION}<${name}>`,
    row({ record, links, params, name: title }) {
      let starts = known.get(links);
      if (!starts) {
        starts = links.map((link) => ({ ...link, start: linkStart(link, base) }));
        known.set(links, starts);
      }
      const named = title === undefined ? '' : ` name="${attributeText(title)}"`;
      let text = '';
      for (const link of starts) {
        // Numbers and percent escapes: nothing in the rest of an address is to be escaped.
        const address = rowPath(link.start, link.path, params);
        if (address !== undefined) text += `${address}"${link.named ? named : ''}/>`;
      }
      return elementText(row, record, row.name, text);
    },
    tail: (links) => `${links.map((link) => elementText(linkShape, link)).join('')}</${name}>`,
  };
}

/** With the text before the first parameter of its address. */
interface LinkStart extends RowLink {
  start: string;
}

function linkStart({ rel, type }: RowLink, base: string): string {
  return elementText(linkShape, { rel, type, href: base }).slice(0, -'"/>'.length);
}
