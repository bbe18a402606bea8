import { appendFile, open, rename, stat } from 'node:fs/promises';

/** A service's own log: what its manager did. */
export interface ManagerLog {
  note(text: string): void;
  /** The newest part of it, whole lines. */
  tail(): Promise<string>;
  /** Nothing is written any more when it resolves. */
  close(): Promise<void>;
}

/** Bytes of one file; there are at most two. */
const LARGEST = 512 * 1024;
const SHOWN = 64 * 1024;

export function openManagerLog(file: string, clock: () => Date): ManagerLog {
  let written: Promise<void> = Promise.resolve();

  async function write(line: string): Promise<void> {
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    if (size > LARGEST) await rename(file, `${file}.1`);
    await appendFile(file, line, { mode: 0o600 });
  }

  let closed = false;
  return {
    note(text) {
      if (closed) return;
      const line = `${clock().toISOString()} ${text}\n`;
      // A full disk must not stop a service.
      written = written.then(() => write(line)).catch(() => undefined);
    },
    async close() {
      closed = true;
      await written;
    },
    async tail() {
      await written;
      return await tailOf(file, SHOWN);
    },
  };
}

/** The last bytes of a file from the beginning of a line on; nothing when there is no file. */
export async function tailOf(file: string, bytes: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    const text = buffer.subarray(0, bytesRead).toString('utf8');
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    await handle.close();
  }
}
