import { adapterContractSuite } from '../contract/adapter.js';
import { openCloudFoundryBench } from '../support/cloudfoundry-bench.js';

adapterContractSuite('cloudfoundry', openCloudFoundryBench);
