import { Readable } from 'node:stream';
import { type AdapterCall, AdapterError, type LogOptions } from '../adapter.js';
import { pauseFor, type Upstream } from '../upstream.js';
import type { Foundry } from './client.js';
import { hasStatus } from './errors.js';
import { type App, type Envelopes, read } from './resources.js';

/** What the log cache gives at once, at most. */
const BATCH = 1000;

type Envelope = Envelopes['envelopes']['batch'][number];

interface Wanted {
  lines: number;
  /** Milliseconds since 1970. */
  since?: number;
  /** Beginning of the source, e.g. `STG` or `APP`. */
  source?: string;
}

/** Recent lines of an app's output, oldest first. None where the platform keeps none. */
export async function recentLines(
  foundry: Foundry,
  guid: string,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<string[]> {
  const cache = await foundry.logCache(signal);
  if (!cache) return [];
  return (await recent(cache, guid, wanted, signal)).map(lineOf);
}

export async function logsOf(foundry: Foundry, app: App, options: LogOptions, call: AdapterCall): Promise<Readable> {
  const cache = await foundry.logCache(call.signal);
  if (!cache) throw new AdapterError('not-supported', 'This Cloud Foundry has no log cache.');
  const first =
    options.lines > 0 || options.follow
      ? await recent(cache, app.guid, { lines: Math.max(1, options.lines) }, call.signal)
      : [];
  const shown = options.lines > 0 ? first : [];
  if (!options.follow) return Readable.from(shown.map((envelope) => `${lineOf(envelope)}\n`));
  const start = first.at(-1)?.timestamp ?? String(BigInt(Date.now()) * 1_000_000n);
  return Readable.from(
    following(foundry, cache, app.guid, shown, { start, seen: new Set(first.map(identity)) }, call.signal),
  );
}

async function recent(
  cache: Upstream,
  guid: string,
  { lines, since, source }: Wanted,
  signal: AbortSignal,
): Promise<Envelope[]> {
  const newestFirst: Envelope[] = [];
  const start = since === undefined ? undefined : String(BigInt(Math.floor(since)) * 1_000_000n);
  for (let end: string | undefined; newestFirst.length < lines; ) {
    const asked = { descending: true, limit: BATCH, start_time: start, end_time: end };
    const batch = await readBatch(cache, guid, asked, signal);
    newestFirst.push(...batch.filter((one) => one.log && (one.tags?.['source_type'] ?? '').startsWith(source ?? '')));
    const oldest = batch.at(-1);
    if (batch.length < BATCH || !oldest || oldest.timestamp === end) break;
    end = oldest.timestamp;
  }
  return newestFirst.slice(0, lines).reverse();
}

/** Polls from the last time stamp on; several lines may carry the same one, so those already shown are remembered. */
async function* following(
  { settings }: Foundry,
  cache: Upstream,
  guid: string,
  shown: readonly Envelope[],
  from: { start: string; seen: Set<string> },
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (const envelope of shown) yield `${lineOf(envelope)}\n`;
  let { start, seen } = from;
  try {
    for (;;) {
      const batch = await readBatch(cache, guid, { limit: BATCH, start_time: start }, signal);
      for (const envelope of batch.filter((one) => one.log && !seen.has(identity(one)))) yield `${lineOf(envelope)}\n`;
      const last = batch.at(-1);
      if (last) {
        start = last.timestamp;
        seen = new Set(batch.filter((one) => one.timestamp === start).map(identity));
      }
      if (batch.length < BATCH) await pauseFor(settings.pollInterval, signal);
    }
  } catch (error) {
    // The reader's abort is the stream's ordinary end.
    if (!signal.aborted) throw error;
  }
}

async function readBatch(
  cache: Upstream,
  guid: string,
  query: Record<string, string | number | boolean | undefined>,
  signal: AbortSignal,
): Promise<Envelope[]> {
  try {
    const path = `/api/v1/read/${guid}`;
    const answer = await cache.request({ method: 'GET', path, query: { envelope_types: 'LOG', ...query }, signal });
    return read.envelopes(answer.body).envelopes.batch;
  } catch (error) {
    // An app that never wrote anything is unknown to the cache.
    if (hasStatus(error, 404)) return [];
    throw error;
  }
}

function lineOf({ timestamp, instance_id: instance, tags, log }: Envelope): string {
  const time = new Date(Number(BigInt(timestamp) / 1_000_000n)).toISOString();
  const text = Buffer.from(log?.payload ?? '', 'base64')
    .toString('utf8')
    .replace(/[\r\n]+$/, '');
  return `${time} [${tags?.['source_type'] ?? 'APP'}/${instance ?? '0'}] ${log?.type ?? 'OUT'} ${text}`;
}

function identity({ timestamp, instance_id: instance, log }: Envelope): string {
  return `${timestamp} ${instance} ${log?.type} ${log?.payload}`;
}
