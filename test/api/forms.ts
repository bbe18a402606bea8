import { createHash, randomBytes } from 'node:crypto';
import type { Listening } from './service.js';

export const PATH = '/app/21/version';
export const DESCRIPTOR = '<paas_version label="from the descriptor"/>';
export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
/** What an archive may hold by chance: everything that a boundary is made of. */
export const HARD = Buffer.concat([
  Buffer.from('PK\u0003\u0004\r\n--b\r\n--b-\r\n--'),
  randomBytes(70_000),
  Buffer.from('\r\n--bound\r\n\r\n--\r\n--b\r\r\n--'),
  Buffer.from([0, 13, 10, 45, 45]),
]);

export interface Piece {
  headers: string[];
  body: Buffer | string;
}
export function form(boundary: string, pieces: Piece[]): Buffer {
  return Buffer.concat([
    ...pieces.flatMap(({ headers, body }) => [
      Buffer.from(`--${boundary}\r\n${headers.join('\r\n')}\r\n\r\n`),
      Buffer.from(body),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}
export const disposition = (rest: string) => `Content-Disposition: form-data; ${rest}`;
export const file = (body: Buffer | string): Piece => ({
  headers: [disposition('name="file"; filename="a.zip"')],
  body,
});
export const descriptor: Piece = { headers: [disposition('name="descriptor"')], body: DESCRIPTOR };

/** Posts a form where versions are created. */
export async function postForm(
  service: Listening,
  pieces: Piece[],
  type = 'multipart/form-data; boundary=bounds',
): Promise<{ status: number; text: string; sha256: string | undefined }> {
  const { status, text } = await service.request(PATH, {
    method: 'POST',
    headers: { 'Content-Type': type },
    body: form('bounds', pieces),
  });
  return { status, text, sha256: /sha256="(\w+)"/.exec(text)?.[1] };
}
