import { PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { Fault } from '../domain/errors.js';
import { GATEWAY } from './database-user.js';
import { type Database, dangling, unstorable } from './dialect.js';
import { otherGateways } from './notifications.js';

const MAX_CONNECTIONS = 10;
/** An arbitrary number that all gateways share. */
const MIGRATION_LOCK = 7_206_113;

const DEADLOCK = '40P01';
const SERIALIZATION_FAILURE = '40001';
const FOREIGN_KEY_VIOLATION = '23503';
const UNSTORABLE_TEXT = ['22021', '22P05'];
/** SQLSTATEs of a server that is away, full or shutting down, and what node-postgres and the socket say of it. */
const AWAY =
  /^(08...|25P03|57P0[1-5]|53[123]00|ECONNREFUSED|ECONNRESET|ENOENT|ENOTFOUND|ETIMEDOUT|EPIPE|EAI_AGAIN|EHOSTUNREACH)$/;
const AWAY_TEXTS =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** `onLost` hears of idle connections that break; the pool replaces them. */
export function postgresDatabase(url: string, onLost: (error: Error) => void, user = GATEWAY): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: user.program,
    idle_in_transaction_session_timeout: user.idleTransaction,
    types: { getTypeParser: parserOf },
  });
  pool.on('error', onLost);
  // The pool listens to idle connections only; one that breaks inside of a transaction would end the process. Its next query tells.
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    kysely: new PostgresDialect({ pool }),
    now: sql<number>`extract(epoch from clock_timestamp())::double precision`,
    rowLocks: true,
    migrationLock: sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`,
    others: (onChange) => otherGateways(url, onChange),
    isRetryable: (error) => [DEADLOCK, SERIALIZATION_FAILURE].includes(codeOf(error)),
    translate,
  };
}

/** node-postgres gives 64-bit integers and counts as text; ours stay far below 2^53. */
function parserOf(...[oid, format]: Parameters<typeof pg.types.getTypeParser>): (value: string) => unknown {
  return oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format);
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

function translate(error: unknown): unknown {
  const code = codeOf(error);
  if (UNSTORABLE_TEXT.includes(code)) return unstorable(error);
  if (code === FOREIGN_KEY_VIOLATION) return dangling(error);
  const message = (error as { message?: unknown } | undefined)?.message;
  if (AWAY.test(code) || (typeof message === 'string' && AWAY_TEXTS.test(message))) {
    return new Fault('ServiceUnavailable', 'The database cannot be reached; try again.', {
      retryAfter: 5,
      cause: error,
    });
  }
  return error;
}
