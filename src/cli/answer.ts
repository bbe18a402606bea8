import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { LISTS, type ListKind, THINGS, type ThingKind } from '../representations/kinds.js';
import { errorShape } from '../representations/message.js';
import type { Shape, WireRecord } from '../representations/shape.js';
import { recordOf } from '../representations/xml-record.js';
import { readXmlTree, type XmlElement } from '../representations/xml-tree.js';
import { CommandFault } from './fault.js';

/** Reads an answer of the XML API, and checks that it is what was asked for: anything else is not from a COAPS API. */
export async function readThing(kind: ThingKind, body: Readable): Promise<WireRecord> {
  const { shape }: { shape: Shape } = THINGS[kind];
  return recordOf(shape, await root(shape.name, body));
}

export async function readRows(kind: ListKind, body: Readable): Promise<WireRecord[]> {
  const { name, row } = LISTS[kind].list;
  const { children } = await root(name, body);
  return children.filter((child) => child.name === row.name).map((child) => recordOf(row, child));
}

/** Code and text of an error document; undefined when it is none. */
export function readError(content: Buffer): { code?: string; value?: string } | undefined {
  try {
    return recordOf(errorShape, readXmlTree(content));
  } catch {
    return undefined;
  }
}

/** A member that the answer must have. */
export function idOf(record: WireRecord, member: string): number {
  const value = record[member];
  if (typeof value !== 'number') throw new CommandFault(`The gateway's answer has no ${member}.`);
  return value;
}

export function recordsOf(record: WireRecord, member: string): WireRecord[] {
  const value = record[member];
  return Array.isArray(value) ? (value as WireRecord[]) : [];
}

export function textOf(record: WireRecord, member: string): string {
  const value = record[member];
  return value === undefined ? '' : String(value);
}

async function root(name: string, body: Readable): Promise<XmlElement> {
  const content = await buffer(body);
  let tree: XmlElement | undefined;
  try {
    tree = readXmlTree(content);
  } catch {
    // What is no XML is told below.
  }
  if (tree?.name !== name)
    throw new CommandFault(`The gateway answered with something that is no <${name}>; is this the URL of a COAPS API?`);
  return tree;
}
