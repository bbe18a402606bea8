import Sequencer from '@jest/test-sequencer';

/** What takes longest, though its file may be short: a long test that starts last is waited for by everybody. */
const LONGEST = [
  'adapters/openshift-killed',
  'wire/embedded',
  'adapters/conpaas',
  'house/crash',
  'services/crash',
  'conpaas/crash',
  'adapters/cloudfoundry-killed',
  'cli/push',
  'cli/actions',
  'crash/crash',
  'adapters/cloudfoundry-trouble',
  'adapters/cloudfoundry-gateway',
  'store/postgres',
  'conpaas/wordpress',
  'adapters/openshift',
].map((name) => `/test/${name}.test.ts`);

/** Jest's order (by the last run's times where it knows them, else by size), after the longest. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const place = LONGEST.findIndex((name) => path.endsWith(name));
      return place === -1 ? LONGEST.length : place;
    };
    return super.sort(tests).sort((one, other) => rank(one) - rank(other));
  }
}
