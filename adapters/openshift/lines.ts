import type { Readable } from 'node:stream';

/** Characters. A longer line comes in pieces: a process that never ends its line fills no memory. */
const LONGEST = 16 * 1024 * 1024;

/** The lines of an answer as they come. Throws when it is cut or destroyed; what there was of a line by then is not given. */
export async function* readLines(answer: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let line = '';
  for await (const piece of answer) {
    const [end = '', ...others] = decoder.decode(piece as Buffer, { stream: true }).split('\n');
    line += end;
    for (const next of others) {
      yield line.replace(/\r$/, '');
      line = next;
    }
    if (line.length < LONGEST) continue;
    yield line;
    line = '';
  }
  if (line !== '') yield line;
}
