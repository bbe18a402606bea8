import { AdapterError } from '../../adapters/adapter.js';
import { ConpaasRefusal, translate } from '../../adapters/conpaas/errors.js';

/** Failures have status 200 and no code: nothing but their words tells them apart. */
test.each([
  ['Cannot perform requested operation in current state', 'conflict'],
  ["Wrong service state: was expecting one of ['RUNNING'] but current state is 'INIT'", 'conflict'],
  ['The user has not enough credits', 'quota'],
  ['Invalid arguments DETAIL:Missing "state"', 'rejected'],
])('ConPaaS says "%s": %s', (words, kind) => {
  const translated = translate(new ConpaasRefusal(words, {}));
  expect(translated).toBeInstanceOf(AdapterError);
  expect(translated).toMatchObject({ kind, message: words });
});

test('with Retry-After it is a passing trouble, whatever it says', () => {
  const translated = translate(new ConpaasRefusal('Wrong service state', { 'retry-after': '7' }));
  expect(translated).toMatchObject({ kind: 'unavailable', retryAfter: 7 });
});
