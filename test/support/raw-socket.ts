import { connect, type Socket } from 'node:net';

export interface SocketAnswer {
  status: number;
  /** Names in lower case; a repeated one keeps the last value. */
  headers: Record<string, string>;
  body: Buffer;
  text: string;
}

/**
 * Sends bytes as they are and reads one answer, by its length, its chunks or the end of the connection. For clients whose requests
 * no HTTP library would write. `keep` leaves the connection open and gives it back.
 */
export async function sendRaw(port: number, bytes: Buffer | string, host = '127.0.0.1'): Promise<SocketAnswer> {
  const socket = connect(port, host);
  try {
    socket.write(bytes);
    return await readAnswer(socket);
  } finally {
    socket.destroy();
  }
}

export async function readAnswer(socket: Socket): Promise<SocketAnswer> {
  let seen = Buffer.alloc(0);
  return await new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      const answer = parse(seen, false);
      if (answer) resolve(answer);
    });
    socket.on('end', () => {
      const answer = parse(seen, true);
      if (answer) resolve(answer);
      else reject(new Error(`The connection ended after: ${seen.toString('latin1').slice(0, 200)}`));
    });
  });
}

function parse(bytes: Buffer, ended: boolean): SocketAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [line = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(line.split(' ')[1]);
  if (status === 100) return parse(bytes.subarray(end + 4), ended);
  const headers = Object.fromEntries(
    lines.map((header) => [
      header.slice(0, header.indexOf(':')).toLowerCase(),
      header.slice(header.indexOf(':') + 1).trim(),
    ]),
  );
  const rest = bytes.subarray(end + 4);
  const body = bodyOf(rest, headers, ended);
  return body && { status, headers, body, text: body.toString() };
}

function bodyOf(rest: Buffer, headers: Record<string, string>, ended: boolean): Buffer | undefined {
  if (headers['transfer-encoding'] === 'chunked') return chunks(rest);
  const length = headers['content-length'];
  if (length === undefined) return ended ? rest : undefined;
  return rest.length >= Number(length) ? rest.subarray(0, Number(length)) : undefined;
}

function chunks(rest: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = rest.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const size = Number.parseInt(rest.subarray(at, end).toString('latin1'), 16);
    if (size === 0) return Buffer.concat(parts);
    if (rest.length < end + 2 + size + 2) return undefined;
    parts.push(rest.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
