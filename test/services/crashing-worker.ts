import type { StepMoment } from '../../src/services/operations/runner.js';
import { openTestServices } from '../support/services.js';
import { ATTEMPTS, type Attempt } from './attempts.js';

// Carries one action out on the data of `folder` and dies by SIGKILL at the given moment; -1: lives, and tells its moments.
const [folder = '', name = '', at = '-1'] = process.argv.slice(2);
const moments: [string, StepMoment][] = [];
const services = await openTestServices({
  folder,
  work: {
    leaseSeconds: 0.5,
    onStep(_taskId, step, moment) {
      if (moments.length === Number(at)) process.kill(process.pid, 'SIGKILL');
      moments.push([step, moment]);
    },
  },
});
await (ATTEMPTS[name] as Attempt).act(services);
process.stdout.write(JSON.stringify(moments));
await services.close();
