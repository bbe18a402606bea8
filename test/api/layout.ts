import type { Layout } from '../../src/representations/layout.js';
import type { Field, Shape, WireRecord } from '../../src/representations/shape.js';
import { legalText } from '../../src/representations/text.js';

/** How a record lies in XML: what the product's own writer, which makes no such tree, is held against. */
export function layout(shape: Shape, record: WireRecord): Layout {
  const attributes: [string, string][] = [];
  const children: Layout[] = [];
  let text = '';
  for (const field of shape.fields) {
    const value = record[field.member];
    if (value === undefined) continue;
    if (field.at === 'attribute') attributes.push([field.name, plain(value)]);
    else if (field.at === 'text') text = plain(value);
    else if (field.at === 'hosts') children.push(...bothForms(value as readonly string[]));
    else for (const one of Array.isArray(value) ? value : [value]) children.push(child(field, one));
  }
  return { name: shape.name, attributes, children, text };
}

function child(field: Field, value: unknown): Layout {
  if (typeof field.type === 'object') return { ...layout(field.type, value as WireRecord), name: field.name };
  return leaf(field.name, plain(value));
}

function bothForms(addresses: readonly string[]): Layout[] {
  if (addresses.length === 0) return [];
  const nested = addresses.map((address) => leaf('uri', plain(address)));
  return [leaf('uris', plain(addresses[0])), { name: 'uris', attributes: [], children: nested, text: '' }];
}

function leaf(name: string, text: string): Layout {
  return { name, attributes: [], children: [], text };
}

function plain(value: unknown): string {
  return legalText(String(value));
}
