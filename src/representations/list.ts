import type { WireRecord } from './shape.js';

/** A link that all rows of a kind have: only where it leads differs from row to row. */
export interface RowLink {
  rel: string;
  type: string | undefined;
  /** It carries the row's name. */
  named: boolean;
  /** Of its path: literal text and the name of a parameter in turn. */
  path: readonly string[];
}

/** One row, before its links are written. */
export interface Row {
  record: WireRecord;
  /** The same array for all rows of a kind. One whose path needs a parameter that the row has not is left out. */
  links: readonly RowLink[];
  params: Readonly<Record<string, string | number>>;
  name: string | undefined;
}

/** How the lists of one kind look in one form. */
export interface ListWriter {
  head: string;
  /** `index` counts from 0. */
  row(row: Row, index: number): string;
  tail(links: readonly WireRecord[]): string;
}

/** Characters of a piece, so that a row is not a packet. */
const PIECE = 64 * 1024;

/** A list, in pieces: items are taken one by one as the reader asks. `links` is called when the last one is written. */
export async function* listPieces<T>(
  writer: ListWriter,
  items: AsyncIterable<T> | Iterable<T>,
  rowOf: (item: T) => Row | Promise<Row>,
  links: () => readonly WireRecord[],
): AsyncGenerator<string> {
  let text = writer.head;
  let index = 0;
  for await (const item of items) {
    const row = rowOf(item);
    // Waiting for what is there already would take as long as writing it.
    text += writer.row(row instanceof Promise ? await row : row, index++);
    if (text.length < PIECE) continue;
    yield text;
    text = '';
  }
  yield text + writer.tail(links());
}

/** The path of one row's link after `base`; undefined when a parameter is missing. */
export function rowPath(base: string, path: readonly string[], params: Row['params']): string | undefined {
  let filled = base + (path[0] as string);
  for (let index = 1; index < path.length; index += 2) {
    const value = params[path[index] as string];
    if (value === undefined) return undefined;
    filled += (typeof value === 'number' ? value : encodeURIComponent(value)) + (path[index + 1] as string);
  }
  return filled;
}
