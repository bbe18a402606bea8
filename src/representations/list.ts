import type { WireRecord } from './shape.js';

/** How the lists of one kind look in one form. */
export interface ListWriter {
  head: string;
  /** `index` counts from 0. */
  row(record: WireRecord, index: number): string;
  tail(links: readonly WireRecord[]): string;
}

/** Characters of a piece, so that a row is not a packet. */
const PIECE = 64 * 1024;

/** A list, in pieces: items are taken one by one as the reader asks. `links` is called when the last one is written. */
export async function* listPieces<T>(
  writer: ListWriter,
  items: AsyncIterable<T> | Iterable<T>,
  recordOf: (item: T) => WireRecord | Promise<WireRecord>,
  links: () => readonly WireRecord[],
): AsyncGenerator<string> {
  let text = writer.head;
  let index = 0;
  for await (const item of items) {
    const record = recordOf(item);
    // Waiting for what is there already would take as long as writing it.
    text += writer.row(record instanceof Promise ? await record : record, index++);
    if (text.length < PIECE) continue;
    yield text;
    text = '';
  }
  yield text + writer.tail(links());
}
