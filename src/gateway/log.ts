import { destination, type Logger, pino } from 'pino';

export type Log = Logger;

/** Members that hold secrets, wherever in a log line they stand (redaction knows exact depths only). */
const SECRETS = [
  'password',
  'secret',
  'secretKey',
  'token',
  'authorization',
  'Authorization',
  'cookie',
  'clientSecret',
  'privateKey',
];

/**
 * JSON lines on stderr, readable ones on a terminal. Written synchronously: what was logged before a crash is there after it.
 */
export async function openLog(level: string): Promise<Log> {
  const paths = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]);
  const options = {
    level,
    base: null,
    redact: { paths, censor: '[secret]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  if (!process.stderr.isTTY) return pino(options, destination({ fd: 2, sync: true }));
  const { default: pretty } = await import('pino-pretty');
  return pino(
    options,
    pretty({ destination: 2, sync: true, colorize: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' }),
  );
}
