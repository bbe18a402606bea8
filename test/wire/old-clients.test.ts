import { oldClientsSuite } from './old-clients-suite.js';

describe('The old clients, unchanged, against a gateway with a simulated platform', () => {
  oldClientsSuite({ adapter: 'memory' });
});
