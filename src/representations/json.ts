import { Fault } from '../domain/errors.js';
import { type ListWriter, type Row, rowPath } from './list.js';
import type { Field, ListShape, Shape, WireRecord } from './shape.js';
import { legalText } from './text.js';

/** A record is its JSON form already; its texts are those that XML would hold. */
export function writeJson(record: WireRecord | readonly WireRecord[]): string {
  return JSON.stringify(record, (_, value: unknown) => (typeof value === 'string' ? legalText(value) : value));
}

/** Rows under the list's name, and its links. `base`: what stands before the paths of the rows' links. */
export function jsonList({ name }: ListShape, base: string): ListWriter {
  return {
    head: `{${JSON.stringify(name)}:[`,
    row(row, index) {
      const links = linksOf(row, base);
      return (index === 0 ? '' : ',') + writeJson(links.length > 0 ? { ...row.record, links } : row.record);
    },
    tail: (links) => `],"links":${writeJson(links)}}`,
  };
}

function linksOf({ links, params, name }: Row, base: string): WireRecord[] {
  return links.flatMap(({ rel, type, named, path }) => {
    const href = rowPath(base, path, params);
    return href === undefined ? [] : [{ rel, type, href, ...(named && { name }) }];
  });
}

/** Reads the JSON form of a thing. What the shape does not name is ignored; a wrong type is a Fault `InvalidValue`. */
export function readJson(shape: Shape, value: unknown): WireRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Fault('InvalidValue', `"${shape.name}" is not an object.`);
  }
  const source = value as Record<string, unknown>;
  const record: WireRecord = {};
  for (const field of shape.fields) {
    if (!Object.hasOwn(source, field.member) || source[field.member] === undefined) continue;
    record[field.member] = readMember(field, source[field.member]) as WireRecord[string];
  }
  return record;
}

function readMember(field: Field, value: unknown): unknown {
  if (!field.many) return readOne(field, value);
  if (!Array.isArray(value)) throw new Fault('InvalidValue', `"${field.member}" is not an array.`);
  return value.map((one) => readOne(field, one));
}

function readOne(field: Field, value: unknown): unknown {
  if (typeof field.type === 'object') return readJson(field.type, value);
  const fits = field.type === 'integer' ? Number.isSafeInteger(value) : typeof value === field.type;
  if (!fits) throw new Fault('InvalidValue', `"${field.member}" is not of the type ${field.type}.`);
  return value;
}
