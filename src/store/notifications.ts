import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import type { Part } from '../domain/revisions.js';
import type { Others } from './dialect.js';

const CHANNEL = 'coaps_changes';
/** PostgreSQL takes less than 8000 bytes. */
const LONGEST = 7000;
/** Milliseconds after which what was heard is too old to rely on, and after which it is asked again. */
const VALID = 1000;
const ASK_AFTER = 250;
const REST_AFTER_FAILURE = 1000;
/** For a server that does not answer. */
const PATIENCE = 5000;

/**
 * Changes travel by NOTIFY in the transaction that makes them. Silence is no proof that nothing has changed: the line may be dead, or
 * lead through a pooler that drops notifications. So this process notifies itself now and then, as long as somebody asks. Notifications
 * come in the order of the commits; when its own one is back, so is every change that was committed before it was sent.
 */
export function otherGateways(url: string, onChange: (parts?: readonly Part[]) => void): Others {
  const me = randomUUID();
  let line: Promise<pg.Client> | undefined;
  let probes = 0;
  let sent: { probe: string; at: number } | undefined;
  let isAsking = false;
  let askAt = Number.NEGATIVE_INFINITY;
  let informedAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  const lose = (): void => {
    const broken = line;
    line = undefined;
    sent = undefined;
    informedAt = Number.NEGATIVE_INFINITY;
    // What came while nobody listened is not known.
    onChange();
    void hangUp(broken);
  };
  const hear = ({ payload = '' }: pg.Notification): void => {
    if (!payload.startsWith('?')) onChange(partsIn(payload));
    if (payload !== sent?.probe) return;
    informedAt = sent.at;
    sent = undefined;
  };
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: PATIENCE,
      query_timeout: PATIENCE,
      application_name: 'coaps-gateway changes',
    });
    client.on('notification', hear);
    client.on('error', lose);
    await client.connect();
    await client.query(`listen ${CHANNEL}`);
    return client;
  };
  const ask = async (): Promise<void> => {
    isAsking = true;
    try {
      line ??= connect();
      const client = await line;
      const probe = `?${me}${++probes}`;
      askAt = performance.now() + ASK_AFTER;
      sent = { probe, at: performance.now() };
      await client.query('select pg_notify($1, $2)', [CHANNEL, probe]);
    } catch {
      askAt = performance.now() + REST_AFTER_FAILURE;
      lose();
    } finally {
      isAsking = false;
    }
  };
  return {
    isInformed() {
      const now = performance.now();
      if (!closed && !isAsking && now > askAt) void ask();
      return now - informedAt < VALID;
    },
    announcement(parts) {
      const text = JSON.stringify(parts);
      return sql`select pg_notify(${CHANNEL}, ${Buffer.byteLength(text) < LONGEST ? text : ''})`;
    },
    async close() {
      closed = true;
      await hangUp(line);
    },
  };
}

async function hangUp(line: Promise<pg.Client> | undefined): Promise<void> {
  try {
    await (await line)?.end();
  } catch {
    // It never was one, or is broken already.
  }
}

/** Undefined, which stands for all, also for what cannot be read. */
function partsIn(payload: string): Part[] | undefined {
  try {
    return JSON.parse(payload) as Part[];
  } catch {
    return undefined;
  }
}
