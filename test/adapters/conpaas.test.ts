import { adapterContractSuite } from '../contract/adapter.js';
import { openConpaasBench } from '../support/conpaas-bench.js';

// A Director never throttles, and builds nothing that could fail before a start.
adapterContractSuite('conpaas', openConpaasBench, { without: ['throttled', 'stagingFails'], timeout: 120_000 });
