import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import axios, { isAxiosError } from 'axios';
import type { Method } from '../api/action.js';
import { readError } from './answer.js';
import { CommandFault } from './fault.js';

export interface Credentials {
  user: string;
  password: string;
}

export interface GatewayRequest {
  method: Method;
  /** Relative to the base, e.g. `/app/21`. */
  path: string;
  query?: Record<string, string> | undefined;
  accept?: 'application/xml' | 'application/json';
  headers?: Record<string, string>;
  body?: { type: string; content: string | Readable; length?: number } | undefined;
  signal?: AbortSignal | undefined;
}

export interface GatewayAnswer {
  status: number;
  type: string;
  location?: string;
  body: Readable;
}

/** A gateway somewhere, spoken to over HTTP as by anybody. */
export interface GatewayClient {
  /** e.g. `http://127.0.0.1:8080/CP-api/rest`. */
  readonly base: string;
  /** Sends it; anything but 2xx becomes a CommandFault with the gateway's own words. */
  send(request: GatewayRequest): Promise<GatewayAnswer>;
}

export function createClient(base: string, credentials: Credentials | undefined): GatewayClient {
  return { base, send };

  async function send({ method, path, query, accept, headers, body, signal }: GatewayRequest): Promise<GatewayAnswer> {
    const length = typeof body?.content === 'string' ? Buffer.byteLength(body.content) : body?.length;
    try {
      const {
        status,
        headers: got,
        data,
      } = await axios.request<IncomingMessage>({
        url: base + path,
        method,
        params: query,
        data: body?.content,
        responseType: 'stream',
        // A redirected POST would be sent again as a GET, or buffered whole to be sent again.
        maxRedirects: 0,
        maxBodyLength: Number.POSITIVE_INFINITY,
        validateStatus: () => true,
        ...(signal && { signal }),
        ...(credentials && { auth: { username: credentials.user, password: credentials.password } }),
        headers: {
          Accept: accept ?? 'application/xml',
          ...(body && { 'Content-Type': body.type }),
          ...(length !== undefined && { 'Content-Length': String(length) }),
          ...headers,
        },
      });
      const type = String(got['content-type'] ?? '');
      if (status >= 300) throw await refusal(status, type, data);
      const location = got['location'] as string | undefined;
      return { status, type, body: data, ...(location !== undefined && { location }) };
    } catch (error) {
      throw error instanceof CommandFault ? error : connectionFault(base, error);
    }
  }
}

async function refusal(status: number, type: string, body: Readable): Promise<CommandFault> {
  const content = await buffer(body);
  const error = type.startsWith('application/json') ? readJson(content) : readError(content);
  if (error?.value) return new CommandFault(`${error.code ?? status}: ${error.value}`);
  return new CommandFault(`The gateway answered ${status} without an explanation; is this the URL of a COAPS API?`);
}

function readJson(content: Buffer): ReturnType<typeof readError> {
  try {
    return JSON.parse(content.toString()) as ReturnType<typeof readError>;
  } catch {
    return undefined;
  }
}

/** The cause in words; the request and its credentials stay out of it. */
function connectionFault(base: string, error: unknown): CommandFault {
  const code = isAxiosError(error) ? error.code : undefined;
  if (code === 'ERR_CANCELED') return new CommandFault('Interrupted.');
  if (code === 'ECONNREFUSED')
    return new CommandFault(
      `No gateway answers at ${base}: start one with "coaps serve", or name another with COAPS_URL.`,
    );
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new CommandFault(`The host of ${base} is not known.`);
  return new CommandFault(`${base} cannot be used: ${error instanceof Error ? error.message : String(error)}`, 1, {
    cause: error,
  });
}
