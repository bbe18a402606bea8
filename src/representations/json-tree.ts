import { Fault } from '../domain/errors.js';
import { MAXIMUM_DEPTH, type XmlElement } from './xml-tree.js';

/**
 * Reads a JSON document into the same tree as an XML one: members are attributes, objects elements, arrays repeated elements.
 * An object with one member that is an object is that member's wrapping. Throws nothing but Fault `InvalidValue`.
 */
export function readJsonTree(bytes: Buffer): XmlElement {
  const value = parse(bytes);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Fault('InvalidValue', 'The JSON document is not an object.');
  }
  const members = Object.entries(value);
  const [only] = members;
  if (members.length === 1 && only && isObject(only[1])) return elementOf(only[0], only[1], 1);
  return elementOf('', value as Record<string, unknown>, 1);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : 'it is not UTF-8';
    throw new Fault('InvalidValue', `The JSON document cannot be read: ${why}.`, { cause: error });
  }
}

function elementOf(name: string, value: Record<string, unknown>, depth: number): XmlElement {
  if (depth > MAXIMUM_DEPTH) {
    throw new Fault('InvalidValue', `The JSON document is nested deeper than ${MAXIMUM_DEPTH} objects.`);
  }
  const attributes = new Map<string, string>();
  const children: XmlElement[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (Array.isArray(member)) for (const one of member) children.push(childOf(key, one, depth));
    else if (isObject(member)) children.push(elementOf(key, member, depth + 1));
    else if (member !== null) attributes.set(key, String(member));
  }
  return { name, attributes, children, text: '' };
}

function childOf(name: string, value: unknown, depth: number): XmlElement {
  if (isObject(value)) return elementOf(name, value, depth + 1);
  if (Array.isArray(value)) throw new Fault('InvalidValue', `"${name}" is an array of arrays.`);
  return { name, attributes: new Map(), children: [], text: value === null ? '' : String(value) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
