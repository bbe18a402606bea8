import { fileURLToPath } from 'node:url';
import { run } from './processes.mjs';

const GENERATOR = fileURLToPath(new URL('generator.mjs', import.meta.url));

/**
 * Load by a process of its own (generator.mjs). `requests`: each connection goes through them in turn, from a place of its own. Gives
 * requests per second and milliseconds; throws when an answer is not the expected one.
 */
export async function load({ url, requests, connections = 32, seconds, rate, expect = [200] }) {
  const options = { url, requests, connections, seconds, rate };
  const result = JSON.parse(await run(GENERATOR, [], JSON.stringify(options)));
  const strange = Object.entries(result.statuses).filter(([status]) => !expect.includes(Number(status)));
  if (strange.length > 0 || result.errors > 0 || result.count === 0) {
    throw new Error(`${url}: ${result.errors} errors, answers by status ${JSON.stringify(result.statuses)}`);
  }
  return result;
}

/** Several things measured in turn, again and again, so that what else the machine does hits all of them. The results of each, by its name. */
export async function inTurn(rounds, things) {
  const results = Object.fromEntries(Object.keys(things).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const entries = Object.entries(things);
    for (const [name, measure] of round % 2 ? entries.reverse() : entries) results[name].push(await measure());
  }
  return results;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function quantile(values, part) {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))];
}

/** Round by round, and of that the median: both sides of a ratio were measured next to each other. */
export function ratios(ours, theirs) {
  return ours.map((value, index) => value / theirs[index]);
}
