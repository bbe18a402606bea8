import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectSecurely } from 'node:tls';
import { Violation } from './target.js';

/** Milliseconds until somebody has to have answered or hung up. */
const LIMIT = 10_000;

/** Sends the bytes on a connection of its own and gives everything that comes back until its end. */
export function exchange(to: { port: number; host: string } | ConnectionOptions, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket: Socket = 'ca' in to ? connectSecurely(to) : connect(to as { port: number; host: string });
    const limit = setTimeout(() => {
      reject(new Violation(`nobody answered or hung up within ${LIMIT / 1000} seconds`));
      socket.destroy();
    }, LIMIT);
    socket.on('data', (chunk) => chunks.push(chunk));
    // Who hangs up in the middle of our bytes resets the connection; what was said before that counts.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(limit);
      resolve(Buffer.concat(chunks));
    });
    socket.write(bytes);
  });
}

/** What cannot stand in a header would end it, and with it the request that is meant. */
export function headerText(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, '')
    .slice(0, 4000);
}

/** An input's first line, and the rest. */
export function firstLine(input: Buffer): [line: string, rest: Buffer] {
  const end = input.indexOf(0x0a);
  return end === -1
    ? [headerText(input), Buffer.alloc(0)]
    : [headerText(input.subarray(0, end)), input.subarray(end + 1)];
}

export function answerIn(bytes: Buffer): { status: number; body: Buffer } {
  const head = bytes.indexOf('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(bytes.toString('latin1', 0, 20))?.[1] ?? 0);
  return { status, body: bytes.subarray(head === -1 ? bytes.length : head + 4) };
}
