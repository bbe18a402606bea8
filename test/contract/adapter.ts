import assert from 'node:assert/strict';
import { LIFE_CASES } from './adapter-life.js';
import { type AdapterBench, type AdapterTrouble, type Mend, openStage, type Stage, same } from './adapter-stage.js';
import { TROUBLE_CASES } from './adapter-trouble.js';
import { UNHAPPY_CASES } from './adapter-unhappy.js';

export { type AdapterBench, type AdapterTrouble, artefactOf } from './adapter-stage.js';

/** One sentence of the contract in `adapters/adapter.ts`, as a function that throws when the adapter breaks it. */
export interface AdapterCase {
  name: string;
  /** The switch that the case needs on the platform. */
  needs?: keyof AdapterTrouble;
  run(stage: Stage, trouble: () => Promise<Mend> | Mend): Promise<void>;
}

export const ADAPTER_CASES: readonly AdapterCase[] = [...LIFE_CASES, ...UNHAPPY_CASES, ...TROUBLE_CASES];

/** Runs one case on a stage of its own, and holds the platform afterwards against what was there before. */
export async function runAdapterCase(one: AdapterCase, bench: AdapterBench): Promise<void> {
  const stage = await openStage(bench);
  try {
    const before = await stage.everything();
    await one.run(stage, () => {
      const begin = one.needs && bench.trouble?.[one.needs];
      assert.ok(begin, `this platform has no switch "${one.needs}"`);
      return begin.call(bench.trouble);
    });
    await stage.clear();
    same(await stage.everything(), before, 'nothing is left on the platform after the case');
  } finally {
    await stage.close();
  }
}

export interface SuiteOptions {
  /** Milliseconds for each case. */
  timeout?: number;
  /** The switches that the bench cannot have. Their cases are shown as skipped; any other missing switch fails. */
  without?: readonly (keyof AdapterTrouble)[];
}

/** The one suite: what every adapter does, as jest tests. */
export function adapterContractSuite(
  name: string,
  open: () => Promise<AdapterBench>,
  options: SuiteOptions = {},
): void {
  const { timeout = 60_000, without = [] } = options;
  describe(`the adapter ${name}`, () => {
    let bench: AdapterBench;
    beforeAll(async () => {
      bench = await open();
    }, timeout);
    afterAll(() => bench?.close(), timeout);

    for (const one of ADAPTER_CASES) {
      const register = one.needs && without.includes(one.needs) ? test.skip : test;
      register(one.name, () => runAdapterCase(one, bench), timeout);
    }
  });
}
