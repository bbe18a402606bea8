import { Agent, type IncomingHttpHeaders, request as send } from 'node:http';
import { Agent as SecureAgent, request as sendSecurely } from 'node:https';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

export interface RawRequest {
  method?: string;
  /** `name:password` for Basic. */
  user?: string | undefined;
  headers?: Record<string, string>;
  body?: string | Buffer | Readable;
  signal?: AbortSignal;
  /** PEM; without it a certificate of any authority is accepted. */
  ca?: string;
}

export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  text: string;
}

/** One request on a connection of its own, nothing added that is not asked for but Host and, with a body, its length. */
export async function rawRequest(
  url: string,
  { method = 'GET', user, headers, body, signal, ca }: RawRequest = {},
): Promise<RawAnswer> {
  const secure = url.startsWith('https:');
  const options = {
    method,
    headers: {
      ...(user !== undefined && { Authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
      ...headers,
    },
    ...(signal && { signal }),
  };
  const agent = secure
    ? new SecureAgent({ rejectUnauthorized: ca !== undefined, ...(ca !== undefined && { ca }) })
    : new Agent();
  return await new Promise((resolve, reject) => {
    const outgoing = secure
      ? sendSecurely(url, { ...options, agent: agent as SecureAgent })
      : send(url, { ...options, agent });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      buffer(response).then(
        (content) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: content,
            text: content.toString(),
          }),
        reject,
      );
    });
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) outgoing.end(body);
    else body.on('error', (error) => outgoing.destroy(error)).pipe(outgoing);
  });
}
