import Sequencer from '@jest/test-sequencer';

/** What takes longest, though its file may be short: a long test that starts last is waited for by everybody. */
const LONGEST = [
  'adapters/conpaas',
  'house/crash',
  'adapters/cloudfoundry-trouble',
  'house/bad-input',
  'adapters/openshift-killed',
  'wire/embedded',
  'cli/actions',
  'conpaas/crash',
  'adapters/openshift-recordings',
  'services/crash',
  'adapters/cloudfoundry-gateway',
  'adapters/openshift-interrupted',
  'cli/push',
  'store/postgres',
  'adapters/openshift',
  'conpaas/agent-care',
  'conpaas/wordpress',
  'adapters/cloudfoundry-killed',
  'adapters/cloudfoundry-load',
  'conpaas/life',
  'crash/crash',
  'conpaas/mysql',
  'cli/demo',
  'adapters/openshift-rollout',
  'conpaas/agent-java',
  'conpaas/manager',
  'cli/serve',
  'conpaas/agent-life',
  'conpaas/agent-scripts',
  'adapters/cloudfoundry-contract',
  'house/shared-work',
  'conpaas/agent-proxy',
  'cli/backup',
  'house/two-hosts',
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
