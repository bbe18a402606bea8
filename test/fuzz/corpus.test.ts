import { corpusOf } from './corpus.js';
import { TARGETS } from './targets/index.js';

/** What `npm run fuzz` has found once, and what it begins with. */
describe.each(TARGETS.map((target) => [target.name, target] as const))('whatever arrives for %s', (name, target) => {
  test('is understood or refused, with nothing left behind', async () => {
    const open = await target.open();
    try {
      const inputs = [
        ...(await target.seeds()).map((bytes, index) => ({ name: `seed ${index}`, bytes })),
        ...corpusOf(name),
      ];
      for (const input of inputs) {
        const failure = await open.run(input.bytes).then(
          () => undefined,
          (error: Error) => error.message,
        );
        expect({ input: input.name, failure }).toEqual({ input: input.name, failure: undefined });
      }
    } finally {
      await open.close();
    }
  });
});
