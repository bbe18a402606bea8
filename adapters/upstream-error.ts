import { SilenceError, type UpstreamAnswer, type UpstreamRequest } from './upstream-attempt.js';

/** `refused`: nothing was sent. `cut`, `timeout`: it may have been done all the same. `status`: an answer of 300 or more. */
export type UpstreamTrouble = 'refused' | 'cut' | 'timeout' | 'status';

/** What went wrong with a platform's HTTP. Holds no header, and no text that the settings call a secret. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly trouble: UpstreamTrouble;
  readonly status?: number;
  /** As answered, secrets removed. */
  readonly body?: unknown;
  /** Seconds. */
  readonly retryAfter?: number;
  /** It may be over at the next attempt. */
  readonly passing: boolean;

  constructor(
    trouble: UpstreamTrouble,
    message: string,
    details: {
      status?: number;
      body?: unknown;
      retryAfter?: number | undefined;
      cause?: unknown;
      passing?: boolean;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.trouble = trouble;
    this.passing = details.passing ?? false;
    if (details.status !== undefined) this.status = details.status;
    if (details.body !== undefined) this.body = details.body;
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter;
  }

  /** The platform may have done what was asked although no good answer came: look before asking again. */
  get uncertain(): boolean {
    const { trouble, status = 0 } = this;
    return trouble === 'cut' || trouble === 'timeout' || (status >= 500 && status !== 501);
  }
}

interface Speaker {
  name: string;
  secrets?: readonly string[];
}

export function explainStatus(speaker: Speaker, asked: UpstreamRequest, answer: UpstreamAnswer): UpstreamError {
  const { status, headers } = answer;
  const hide = hiding(speaker.secrets);
  const message =
    status < 400
      ? `${speaker.name} redirects ${what(asked)} to ${hide(headers['location'] ?? 'nowhere')}: configure the address that answers itself.`
      : `${speaker.name} answered ${what(asked)} with ${status}.`;
  return new UpstreamError('status', message, {
    status,
    body: typeof answer.body === 'string' ? hide(answer.body.slice(0, 2000)) : hideIn(answer.body, hide),
    retryAfter: retryAfterOf(status, headers),
    passing: [429, 500, 502, 503, 504].includes(status),
  });
}

const NOTHING_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);
const CONNECTION_LOST = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ERR_NETWORK', 'UND_ERR_SOCKET']);

export function explainConnection(speaker: Speaker, asked: UpstreamRequest, error: unknown): UpstreamError {
  // Never the error itself: axios' errors carry the request's headers, the token among them.
  const hide = hiding(speaker.secrets);
  const text = hide(textOf(error));
  const cause = new Error(text);
  if (error instanceof SilenceError) {
    const message = `${speaker.name} does not answer ${what(asked)}: ${text}.`;
    return new UpstreamError('timeout', message, { cause, passing: true });
  }
  const code = codeOf(error);
  if (NOTHING_SENT.has(code)) {
    const message = `${speaker.name} cannot be reached (${code}): is its address right, and is it up?`;
    return new UpstreamError('refused', message, { cause, passing: true });
  }
  if (/CERT|TLS|SSL|SELF_SIGNED|VERIFY/.test(code)) {
    const message = `The certificate of ${speaker.name} is not trusted (${code}): configure its authority.`;
    return new UpstreamError('refused', message, { cause });
  }
  const message = `The connection to ${speaker.name} broke at ${what(asked)} (${code || text}).`;
  return new UpstreamError('cut', message, { cause, passing: CONNECTION_LOST.has(code) });
}

/** Method and path; a query may hold what nobody should read. */
function what(asked: UpstreamRequest): string {
  return `${asked.method} ${asked.path.replace(/^https?:\/\/[^/]*/i, '').replace(/\?.*/s, '')}`;
}

/** Seconds: `Retry-After`, else, of a 429 only, until `X-RateLimit-Reset` (seconds since 1970; every counted answer carries it). */
function retryAfterOf(status: number, headers: UpstreamAnswer['headers']): number | undefined {
  const after = headers['retry-after'];
  if (after !== undefined) {
    const seconds = /^\d+$/.test(after) ? Number(after) : (Date.parse(after) - Date.now()) / 1000;
    if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds));
  }
  if (status !== 429) return undefined;
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN);
  return Number.isFinite(reset) ? Math.max(0, Math.ceil(reset - Date.now() / 1000)) : undefined;
}

function codeOf(error: unknown): string {
  for (let at = error; typeof at === 'object' && at !== null; at = (at as { cause?: unknown }).cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && code !== 'ERR_BAD_REQUEST') return code;
  }
  return '';
}

function textOf(error: unknown): string {
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : 'unknown';
}

function hiding(secrets: readonly string[] = []): (text: string) => string {
  return (text) => secrets.reduce((shown, secret) => (secret === '' ? shown : shown.replaceAll(secret, '***')), text);
}

function hideIn(body: unknown, hide: (text: string) => string): unknown {
  if (typeof body === 'string') return hide(body);
  if (Array.isArray(body)) return body.map((part) => hideIn(part, hide));
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, hideIn(value, hide)]));
}
