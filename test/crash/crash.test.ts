import { postgresMissing } from '../support/postgres.js';
import { runCrash } from './run.js';

/** The short form of `npm run test:crash`: another seed in each run, so that many short ones see as much as a long one. */
const SEED = String(Date.now() % 1_000_000);

test(`whatever is killed, everything that was acknowledged is there (seed ${SEED})`, async () => {
  const missing = postgresMissing();
  const report = await runCrash({
    ...{
      seed: SEED,
      store: missing ? 'sqlite' : 'postgres',
      seconds: 6,
      clients: 6,
      pause: [500, 2000],
      leaseSeconds: 2,
    },
    ...{ tell: () => undefined, interval: 10 },
  });
  const { violations, histories, logs } = report;
  expect({ violations, histories, logs }).toEqual({ violations: [], histories: [], logs: undefined });
  // It has seen something.
  expect(report.counts['acknowledged']).toBeGreaterThan(0);
  expect(Object.values(report.kills).reduce((sum, kills) => sum + kills, 0)).toBeGreaterThan(0);
}, 600_000);
