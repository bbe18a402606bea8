import { request } from 'node:http';
import { makeZip } from '../../contract/archive.js';
import type { FakeOpenShift } from '../openshift.js';

/** The bytes of a recorded body. */
export function bodyOf(body: unknown): string | Buffer | undefined {
  if (body === null || body === undefined) return undefined;
  if (typeof body === 'string') return body;
  const binary = (body as { $binary?: { base64?: string; bytes: number } }).$binary;
  if (!binary)
    return JSON.stringify(body).replace('<1.1 MB>', 'x'.repeat(1_100_000)).replace('<3.3 MB>', 'x'.repeat(3_300_000));
  if (binary.base64 !== undefined) return Buffer.from(binary.base64, 'base64');
  // Bytes that were left out of the recording: an archive of two files does for them.
  return binary.bytes < 1000 ? ARCHIVE : Buffer.alloc(binary.bytes, 'x');
}

const ARCHIVE = await makeZip({ 'package.json': '{}', 'server.js': '// nothing' });

interface Sending {
  method: string;
  path: string;
  headers: Record<string, string>;
  text?: string | Buffer | undefined;
  /** Milliseconds between the first and the second half of the body. */
  hold?: number;
  /** Ends the connection in the middle of the body. */
  cut?: boolean;
}

export function send(
  fake: FakeOpenShift,
  sending: Sending,
): Promise<{ status: number; headers: Record<string, string>; body: unknown }> {
  const { hostname, port } = new URL(fake.url);
  // Without a length a DELETE has no body.
  if (sending.text !== undefined && !sending.hold)
    sending.headers['content-length'] = String(sending.cut ? 100_000 : Buffer.byteLength(sending.text));
  return new Promise((resolve, reject) => {
    const made = request(
      { hostname, port, method: sending.method, path: sending.path, headers: sending.headers, agent: false },
      (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(pieces).toString('utf8');
          const headers = answer.headers as Record<string, string>;
          resolve({
            status: answer.statusCode ?? 0,
            headers,
            body: read(text, sending.path, headers['content-type'] ?? ''),
          });
        });
      },
    );
    made.on('error', (error) => (sending.cut ? resolve({ status: 0, headers: {}, body: null }) : reject(error)));
    const bytes = Buffer.from(sending.text ?? '');
    if (sending.cut) {
      made.write(bytes.subarray(0, 200));
      setTimeout(() => made.destroy(), 50);
    } else if (sending.hold) {
      made.write(bytes.subarray(0, bytes.length / 2));
      setTimeout(() => made.end(bytes.subarray(bytes.length / 2)), sending.hold);
    } else made.end(sending.text);
  });
}

function read(text: string, path: string, type: string): unknown {
  if (/watch=true/.test(path))
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown);
  if (text === '') return null;
  return type.startsWith('application/json') ? (JSON.parse(text) as unknown) : text;
}
