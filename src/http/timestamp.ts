import { Fault } from '../domain/errors.js';
import type { Target } from './address.js';

/** Seconds by which a request's clock may differ from ours. */
const WINDOW = 15 * 60;

/** `Timestamp` is the number of seconds since 1970 (§3). `now` in milliseconds. Throws Fault `InvalidValue`, `RequestExpired`. */
export function checkTimestamp(query: Target['query'], now: number): void {
  const text = query.find(([name]) => name === 'Timestamp')?.[1];
  if (text === undefined) return;
  if (!/^\d{1,12}$/.test(text)) throw new Fault('InvalidValue', 'Timestamp is a number of seconds since 1970 (UTC).');
  if (Math.abs(now / 1000 - Number(text)) > WINDOW) {
    throw new Fault('RequestExpired', 'The Timestamp is more than 15 minutes from the time of this gateway.');
  }
}
