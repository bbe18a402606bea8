/**
 * A gateway as `coaps serve` runs it, which kills itself (SIGKILL) in the middle of its work. The file that it is given says when: at
 * which moment of the steps that follow, counted from 0. While there is no such file, nothing is counted. Each moment is printed.
 * The other argument: seconds of its leases.
 */
import { existsSync, readFileSync } from 'node:fs';
import { ADAPTERS } from '../../dist/adapters/registry.js';
import { loadConfig } from '../../dist/src/config.js';
import { openGateway } from '../../dist/src/gateway.js';

const [, , order, leaseSeconds = '1'] = process.argv;
let count = 0;
const onStep = (_taskId, step, moment) => {
  if (!existsSync(order)) {
    count = 0;
    return;
  }
  process.stdout.write(`moment ${step} ${moment}\n`);
  if (count === Number(readFileSync(order, 'utf8'))) process.kill(process.pid, 'SIGKILL');
  count += 1;
};
const config = loadConfig({ env: process.env, directory: process.cwd(), adapters: ADAPTERS });
const gateway = await openGateway(config, { work: { onStep, leaseSeconds: Number(leaseSeconds) } });
for (const { name, url } of await gateway.listen()) process.stdout.write(`${name}  ${url}\n`);
process.once('SIGTERM', () => gateway.close());
