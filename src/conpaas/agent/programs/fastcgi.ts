/** A web server's side of FastCGI 1.0: one request on one connection. */
import { connect, type Socket } from 'node:net';
import { PassThrough, type Readable } from 'node:stream';

export interface FastCgiAnswer {
  status: number;
  headers: [string, string][];
  body: Readable;
}

const BEGIN = 1;
const END = 3;
const PARAMS = 4;
const STDIN = 5;
const STDOUT = 6;
const STDERR = 7;
const RESPONDER = 1;
const LONGEST_RECORD = 65_528;
const LONGEST_HEAD = 256 * 1024;

/** Resolves when the head of the answer is there. Destroying the body gives the request up. */
export function askFastCgi(
  socketPath: string,
  params: Readonly<Record<string, string>>,
  input: Readable,
): Promise<FastCgiAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const body = new PassThrough();
    const head = createHead((status, headers) => resolve({ status, headers, body }));
    let ended = false;
    sendRequest(socket, params, input);
    readRecords(socket, (type, content) => {
      if (type === END) {
        ended = true;
        socket.end();
      } else if (type === STDERR && content.length > 0) {
        process.stderr.write(content);
      } else if (type === STDOUT) {
        const rest = head(content);
        if (rest.length > 0 && !body.write(rest)) socket.pause();
      }
    });
    body.on('drain', () => socket.resume());
    body.on('close', () => socket.destroy());
    socket.on('error', () => {
      // 'close' follows, and knows whether the answer was complete.
    });
    socket.on('close', () => {
      const fault = new Error('The program broke its answer off.');
      if (ended) body.end();
      else body.destroy(fault);
      // Without effect once the head is out.
      reject(fault);
    });
    body.on('error', () => {});
  });
}

function sendRequest(socket: Socket, params: Readonly<Record<string, string>>, input: Readable): void {
  socket.write(record(BEGIN, Buffer.from([0, RESPONDER, 0, 0, 0, 0, 0, 0])));
  for (const piece of pieces(encodeParams(params))) socket.write(record(PARAMS, piece));
  socket.write(record(PARAMS, Buffer.alloc(0)));
  input.on('data', (chunk: Buffer) => {
    let flows = true;
    for (const piece of pieces(chunk)) flows = socket.write(record(STDIN, piece));
    if (!flows) input.pause();
  });
  socket.on('drain', () => input.resume());
  input.on('end', () => socket.write(record(STDIN, Buffer.alloc(0))));
  input.on('error', (error) => socket.destroy(error));
}

function record(type: number, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = 1;
  header[1] = type;
  header.writeUInt16BE(1, 2);
  header.writeUInt16BE(content.length, 4);
  return Buffer.concat([header, content]);
}

function* pieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += LONGEST_RECORD) yield content.subarray(at, at + LONGEST_RECORD);
}

function encodeParams(params: Readonly<Record<string, string>>): Buffer {
  const length = (text: Buffer) => {
    if (text.length < 128) return Buffer.from([text.length]);
    const long = Buffer.alloc(4);
    long.writeUInt32BE((text.length | 0x80000000) >>> 0);
    return long;
  };
  return Buffer.concat(
    Object.entries(params).flatMap(([name, value]) => {
      const [key, text] = [Buffer.from(name), Buffer.from(value)];
      return [length(key), length(text), key, text];
    }),
  );
}

function readRecords(socket: Socket, take: (type: number, content: Buffer) => void): void {
  let received: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    while (received.length >= 8) {
      const length = received.readUInt16BE(4);
      const whole = 8 + length + (received[6] ?? 0);
      if (received.length < whole) return;
      take(received[1] ?? 0, received.subarray(8, 8 + length));
      received = received.subarray(whole);
    }
  });
}

/** Takes the beginning of the output until the head is complete, and returns what belongs to the body. */
function createHead(done: (status: number, headers: [string, string][]) => void): (content: Buffer) => Buffer {
  let text: Buffer | undefined = Buffer.alloc(0);
  return (content) => {
    if (text === undefined) return content;
    text = Buffer.concat([text, content]);
    const end = /\r?\n\r?\n/.exec(text.subarray(0, LONGEST_HEAD).toString('latin1'));
    if (!end) return Buffer.alloc(0);
    const rest = text.subarray(end.index + end[0].length);
    const lines = text.subarray(0, end.index).toString('latin1').split(/\r?\n/);
    text = undefined;
    const headers = lines.flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()]] : [];
    });
    const status = headers.find(([name]) => name.toLowerCase() === 'status')?.[1];
    const isRedirect = headers.some(([name]) => name.toLowerCase() === 'location');
    done(
      status === undefined ? (isRedirect ? 302 : 200) : Number.parseInt(status, 10) || 500,
      headers.filter(([name]) => name.toLowerCase() !== 'status'),
    );
    return rest;
  };
}
