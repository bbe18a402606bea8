import type { Link } from '../api/links.js';
import type { WireRecord } from '../representations/shape.js';
import { type Exchange, hrefOf } from './exchange.js';

/** Links as they stand in a document: absolute. */
export function linkRecords(exchange: Exchange, links: readonly Link[]): WireRecord[] {
  return links.map(({ rel, type, name, path }) => ({ rel, type, href: hrefOf(exchange, path), name }));
}
