import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isPassing } from '../passing.js';

/** What an endpoint of the Director or a method of a manager gives back. */
export type Answer =
  | { json: unknown }
  | { text: string; type?: string }
  | { bytes: Buffer; type: string; name: string }
  /** A file that stays where it is. */
  | { file: string; type?: string; name: string }
  /** Sent while it grows; the client's end ends it. */
  | { stream: Readable; type: string; name?: string };

/** Sends it and ends the connection: old clients read to the end of the stream, whatever the length says. */
export async function send(response: ServerResponse, status: number, answer: Answer): Promise<void> {
  if ('file' in answer) return await sendFile(response, answer);
  if ('stream' in answer) return await sendStream(response, answer);
  const { body, type } = rendered(answer);
  response.writeHead(status, { ...COMMON, 'Content-Type': type, 'Content-Length': body.length, ...naming(answer) });
  response.end(body);
}

/**
 * Failures come with status 200, as old clients want them; by this header ours know one that passes by itself (the store is away) from
 * a refusal.
 */
export function tellWhenAgain(response: ServerResponse, error: unknown): void {
  if (isPassing(error)) response.setHeader('Retry-After', String(error.retryAfter));
}

const COMMON = { Connection: 'close', 'Cache-Control': 'no-store' };

function rendered(answer: Exclude<Answer, { file: string } | { stream: Readable }>): { body: Buffer; type: string } {
  if ('json' in answer) return { body: Buffer.from(JSON.stringify(answer.json)), type: 'application/json' };
  if ('text' in answer) return { body: Buffer.from(answer.text), type: answer.type ?? 'text/plain; charset=utf-8' };
  return { body: answer.bytes, type: answer.type };
}

/** The original's managers write "attachement" (sic); no client looks at it. */
function naming(answer: Answer): Record<string, string> {
  if (!('name' in answer) || answer.name === undefined) return {};
  const plain = answer.name.replace(/[^\w.+-]/g, '_');
  return { 'Content-Disposition': `attachment; filename=${plain}` };
}

async function sendFile(
  response: ServerResponse,
  answer: { file: string; type?: string; name: string },
): Promise<void> {
  const { size } = await stat(answer.file);
  response.writeHead(200, {
    ...COMMON,
    'Content-Type': answer.type ?? 'application/octet-stream',
    'Content-Length': size,
    ...naming(answer),
  });
  await pipeline(createReadStream(answer.file), response).catch(() => response.destroy());
}

async function sendStream(
  response: ServerResponse,
  answer: { stream: Readable; type: string; name?: string },
): Promise<void> {
  response.writeHead(200, { ...COMMON, 'Content-Type': answer.type, ...naming(answer) });
  response.flushHeaders();
  await pipeline(answer.stream, response).catch(() => response.destroy());
}
