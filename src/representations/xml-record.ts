import { Fault } from '../domain/errors.js';
import type { Field, ScalarType, Shape, WireRecord } from './shape.js';
import { readXmlTree, type XmlElement } from './xml-tree.js';

/** Reads the XML form of a thing. What the shape does not name is ignored. Throws nothing but Fault `InvalidValue`. */
export function readXml(shape: Shape, bytes: Buffer): WireRecord {
  return recordOf(shape, readXmlTree(bytes));
}

export function recordOf(shape: Shape, element: XmlElement): WireRecord {
  const record: WireRecord = {};
  for (const field of shape.fields) {
    const value = memberOf(field, element);
    if (value !== undefined) record[field.member] = value as WireRecord[string];
  }
  return record;
}

function memberOf(field: Field, element: XmlElement): unknown {
  if (field.at === 'attribute') {
    const text = element.attributes.get(field.name);
    return text === undefined ? undefined : scalar(field, text);
  }
  if (field.at === 'text') return element.text === '' && !field.required ? undefined : element.text;
  const found = element.children.filter((child) => child.name === field.name);
  if (found.length === 0) return undefined;
  if (field.at === 'hosts') return found[1]?.children.map((child) => child.text);
  const values = found.map((child) =>
    typeof field.type === 'object' ? recordOf(field.type, child) : scalar(field, child.text),
  );
  return field.many ? values : values[0];
}

function scalar(field: Field, text: string): string | number | boolean {
  const type = field.type as ScalarType;
  if (type === 'string') return text;
  if (type === 'boolean') return text === 'true' || text === '1';
  if (!/^-?\d{1,16}$/.test(text)) throw new Fault('InvalidValue', `"${field.name}" is not an integer.`);
  return Number(text);
}
