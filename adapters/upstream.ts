import { Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import axios from 'axios';
import type { OnCall } from './adapter.js';
import { attemptOnce, type UpstreamAnswer, type UpstreamRequest } from './upstream-attempt.js';
import { explainConnection, explainStatus, UpstreamError } from './upstream-error.js';
import type { TokenSource } from './upstream-token.js';

export type { UpstreamAnswer, UpstreamBody, UpstreamRequest } from './upstream-attempt.js';
export { UpstreamError, type UpstreamTrouble } from './upstream-error.js';
export { createTokenSource, orAbort, type Token, type TokenSource } from './upstream-token.js';

/** How a platform is spoken to over HTTP: one per origin. Times in milliseconds. */
export interface UpstreamSettings {
  /** Who it is, as errors call it, e.g. `Cloud Foundry`. */
  name: string;
  /** Every request goes to this origin and to no other; redirects are never followed. */
  baseUrl: string;
  /** PEM of the authority that signed its certificate. */
  ca?: string;
  skipTlsVerification?: boolean;
  /** For platforms that know their callers by certificates, or whose own certificate is judged by another rule than its host name. */
  tls?: Pick<AgentOptions, 'cert' | 'key' | 'minVersion' | 'ciphers' | 'checkServerIdentity'>;
  /** Longest silence: before an answer, or between two pieces of an upload. */
  requestTimeout: number;
  /** Longest that one call goes on repeating; a `Retry-After` beyond it ends the call at once. */
  patience: number;
  /** First pause before a repetition, doubled each time. */
  firstPause?: number;
  /** Calls at the same time; others wait in line. Uploads have a line of their own. */
  concurrency?: number;
  tokens?: TokenSource;
  /** Texts that must stand in no error, beside the token. */
  secrets?: () => readonly string[];
  onCall?: OnCall;
}

export interface Upstream {
  readonly baseUrl: string;
  /** Answers below 300 are returned, everything else is an UpstreamError; an abort rejects with the signal's reason. */
  request(request: UpstreamRequest): Promise<UpstreamAnswer>;
  /** Gives the connections back. */
  close(): void;
}

const MAXIMUM_ANSWER = 64 * 1024 * 1024;
const MAXIMUM_ATTEMPTS = 6;
const LONGEST_PAUSE = 10_000;

export function createUpstream(settings: UpstreamSettings): Upstream {
  const httpAgent = new HttpAgent({ keepAlive: true });
  const { checkServerIdentity, ...ours } = settings.tls ?? {};
  const httpsAgent = new HttpsAgent({
    keepAlive: true,
    rejectUnauthorized: !settings.skipTlsVerification,
    ...(checkServerIdentity ? { checkServerIdentity } : {}),
    // Once for all connections: reading certificates and keys costs more than a handshake, and old managers close after each answer.
    secureContext: createSecureContext({ ...(settings.ca === undefined ? {} : { ca: settings.ca }), ...ours }),
  });
  const http = axios.create({
    httpAgent,
    httpsAgent,
    // Following a redirect would hold an upload in memory, and carry headers to a stranger.
    maxRedirects: 0,
    proxy: false,
    maxBodyLength: Number.POSITIVE_INFINITY,
    maxContentLength: MAXIMUM_ANSWER,
    responseType: 'text',
    transformResponse: (text) => text,
    validateStatus: () => true,
  });
  const calls = createLine(settings.concurrency ?? 24);
  const uploads = createLine(8);
  const gate = createGate();

  async function attempt(
    asked: UpstreamRequest,
    token: string | undefined,
    onSend: () => void,
  ): Promise<UpstreamAnswer | UpstreamError> {
    try {
      const inLine = asked.stream ? uploads : calls;
      const answer = await inLine(asked.signal, () => {
        onSend();
        return measured(settings.onCall, asked.method, () => attemptOnce(http, settings, asked, token));
      });
      return answer.status < 300 ? answer : explainStatus(speakerOf(settings, token), asked, answer);
    } catch (error) {
      asked.signal.throwIfAborted();
      return explainConnection(speakerOf(settings, token), asked, error);
    }
  }

  async function request(asked: UpstreamRequest): Promise<UpstreamAnswer> {
    // Standing in line for others costs no patience.
    let giveUpAt: number | undefined;
    const limit = () => {
      giveUpAt ??= Date.now() + settings.patience;
      return giveUpAt;
    };
    let pause = settings.firstPause ?? 250;
    let renewed = false;
    for (let attempts = 1; ; attempts += 1) {
      await gate.pass(settings.name, giveUpAt ?? Date.now() + settings.patience, asked.signal);
      const token = settings.tokens && (await settings.tokens.get(asked.signal));
      const result = await attempt(asked, token, limit);
      gate.note(result);
      if (!(result instanceof UpstreamError)) return result;
      if (result.status === 401 && token !== undefined && !renewed) {
        renewed = true;
        settings.tokens?.refuse(token);
        continue;
      }
      if (!mayRepeat(asked, result) || attempts >= MAXIMUM_ATTEMPTS) throw result;
      const wait = Math.max(pause * (0.75 + Math.random() / 2), (result.retryAfter ?? 0) * 1000);
      if (Date.now() + wait > limit()) throw result;
      await pauseFor(wait, asked.signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  return {
    baseUrl: settings.baseUrl,
    request,
    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

/** Tells of one attempt and of what came of it. */
async function measured(
  tell: OnCall | undefined,
  method: string,
  work: () => Promise<UpstreamAnswer>,
): Promise<UpstreamAnswer> {
  const begun = performance.now();
  let status = 0;
  try {
    const answer = await work();
    status = answer.status;
    return answer;
  } finally {
    tell?.({ method, status, seconds: (performance.now() - begun) / 1000 });
  }
}

function speakerOf({ name, secrets }: UpstreamSettings, token: string | undefined) {
  return { name, secrets: [...(secrets?.() ?? []), ...(token === undefined ? [] : [token])] };
}

/** Waits, or rejects with the signal's reason. */
export async function pauseFor(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** A 429 and a refused connection did nothing, so anything may be asked again; other trouble only where twice is the same as once. */
function mayRepeat(asked: UpstreamRequest, trouble: UpstreamError): boolean {
  if (trouble.status === 429 || (trouble.trouble === 'refused' && trouble.passing)) return true;
  return trouble.passing && (asked.repeatable ?? asked.method !== 'POST');
}

/** At most `places` run at once; the rest wait in order, and leave the line when they are aborted. */
function createLine(places: number) {
  let free = places;
  const waiting: (() => void)[] = [];
  return async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1;
    else {
      await new Promise<void>((resolve, reject) => {
        const enter = () => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = () => {
          waiting.splice(waiting.indexOf(enter), 1);
          reject(signal.reason);
        };
        signal.addEventListener('abort', leave, { once: true });
        waiting.push(enter);
      });
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}

/** Closed while the platform's rate limit is spent: nobody asks, instead of everybody being refused. */
function createGate() {
  let closedUntil = 0;
  return {
    async pass(name: string, giveUpAt: number, signal: AbortSignal): Promise<void> {
      signal.throwIfAborted();
      while (Date.now() < closedUntil) {
        if (closedUntil > giveUpAt) {
          const retryAfter = Math.ceil((closedUntil - Date.now()) / 1000);
          throw new UpstreamError('status', `The rate limit of ${name} is spent; it opens again in ${retryAfter} s.`, {
            status: 429,
            retryAfter,
          });
        }
        // Spread, so that those who waited do not all ask in the same millisecond.
        await pauseFor(closedUntil - Date.now() + Math.random() * 100, signal);
      }
    },
    note(result: UpstreamAnswer | UpstreamError): void {
      if (!(result instanceof UpstreamError)) return;
      if (result.status === 429) closedUntil = Math.max(closedUntil, Date.now() + (result.retryAfter ?? 0) * 1000);
    },
  };
}
