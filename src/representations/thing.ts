import type { ListShape, Shape, WireRecord } from './shape.js';

/** What the API layer adds to a value: its own address and the links that the caller may follow. */
export interface Surroundings {
  /** Absolute address of the thing itself, where it has one. */
  self?: string;
  links: readonly WireRecord[];
}

/** How a value of the domain looks on the wire, as a document of its own. */
export interface Thing<T> {
  shape: Shape;
  record(value: T, surroundings: Surroundings): WireRecord;
}

/** How values look as the rows of a list. */
export interface Rows<T> {
  list: ListShape;
  record(value: T, surroundings: Surroundings): WireRecord;
}

/** A member with an empty list is left out: XML cannot tell it from none. */
export function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}

/** A record without its undefined members. */
export function defined(record: WireRecord): WireRecord {
  const made: Record<string, WireRecord[string]> = {};
  for (const name of Object.keys(record)) {
    if (record[name] !== undefined) made[name] = record[name];
  }
  return made;
}
