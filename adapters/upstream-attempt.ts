import { Readable } from 'node:stream';
import type { AxiosInstance } from 'axios';

export interface UpstreamRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Relative to the base, or an absolute URL of which path and query are taken (a `Location`, a `next`). */
  path: string;
  query?: Readonly<Record<string, string | number | boolean | undefined>>;
  headers?: Readonly<Record<string, string>>;
  json?: unknown;
  form?: Readonly<Record<string, string>>;
  stream?: UpstreamBody;
  signal: AbortSignal;
  /** Doing it twice is the same as doing it once. Default: every method but POST. */
  repeatable?: boolean;
}

/** A body of known size that is never in memory as a whole. */
export interface UpstreamBody {
  type: string;
  /** Bytes. */
  size: number;
  /** Fresh bytes each time it is called: every attempt needs its own. */
  open(): AsyncIterable<Uint8Array>;
}

export interface UpstreamAnswer {
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** Parsed where it is JSON, else the text. */
  body: unknown;
}

/** No byte came or went for too long. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';
}

/** Sends once. Rejects with whatever the connection did; every status is an answer here. */
export async function attemptOnce(
  http: AxiosInstance,
  settings: { baseUrl: string; requestTimeout: number },
  asked: UpstreamRequest,
  token: string | undefined,
): Promise<UpstreamAnswer> {
  asked.signal.throwIfAborted();
  const ending = new AbortController();
  const silence = setTimeout(
    () => ending.abort(new SilenceError(`no answer for ${settings.requestTimeout / 1000} s`)),
    settings.requestTimeout,
  );
  const onAbort = () => ending.abort(asked.signal.reason);
  asked.signal.addEventListener('abort', onAbort, { once: true });
  const body = bodyOf(asked, () => silence.refresh());
  try {
    const answer = await http.request<string>({
      method: asked.method,
      url: urlOf(settings.baseUrl, asked),
      signal: ending.signal,
      data: body.data,
      headers: {
        accept: 'application/json',
        ...body.headers,
        ...asked.headers,
        ...(token === undefined ? {} : { authorization: `bearer ${token}` }),
      },
    });
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(answer.headers)) headers[name.toLowerCase()] = String(value);
    return { status: answer.status, headers, body: parsed(answer.data) };
  } catch (error) {
    throw ending.signal.aborted ? ending.signal.reason : error;
  } finally {
    clearTimeout(silence);
    asked.signal.removeEventListener('abort', onAbort);
    // axios leaves the source open when the answer comes before its end, or the call is aborted.
    if (body.data instanceof Readable) body.data.destroy();
  }
}

function bodyOf(asked: UpstreamRequest, alive: () => void): { data?: unknown; headers: Record<string, string> } {
  const { json, form, stream } = asked;
  if (stream) {
    const data = Readable.from(counted(stream, alive), { objectMode: false });
    // A destroyed source must not end the process when axios has let go of it already.
    data.on('error', () => {});
    return { data, headers: { 'content-type': stream.type, 'content-length': String(stream.size) } };
  }
  if (form) {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { data: new URLSearchParams(form).toString(), headers };
  }
  if (json === undefined) return { headers: {} };
  return { data: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
}

/** A source that gives less than it promised would leave the platform waiting; one that gives more would be cut without a word. */
async function* counted(stream: UpstreamBody, alive: () => void): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const chunk of stream.open()) {
    sent += chunk.byteLength;
    if (sent > stream.size) break;
    alive();
    yield chunk;
  }
  if (sent !== stream.size) throw new Error(`the source gave ${sent} bytes instead of ${stream.size}`);
}

function urlOf(baseUrl: string, asked: UpstreamRequest): string {
  const absolute = /^https?:\/\//i.test(asked.path) ? new URL(asked.path) : undefined;
  const path = absolute ? absolute.pathname + absolute.search : asked.path;
  const url = new URL(baseUrl.replace(/\/+$/, '') + (path.startsWith('/') ? path : `/${path}`));
  for (const [name, value] of Object.entries(asked.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

function parsed(text: unknown): unknown {
  if (typeof text !== 'string' || !/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
