import { adapterContractSuite } from '../contract/adapter.js';
import { openOpenShiftBench } from '../support/openshift-bench.js';

adapterContractSuite('openshift', openOpenShiftBench);
