/**
 * A gateway as `coaps serve` runs it, with a lease of as many seconds as it is told: what a killed one held is taken over sooner, so that
 * a short run sees more of it.
 */
import { ADAPTERS } from '../../dist/adapters/registry.js';
import { loadConfig } from '../../dist/src/config.js';
import { openGateway } from '../../dist/src/gateway.js';

const [, , leaseSeconds] = process.argv;
process.umask(0o077);
const config = loadConfig({ env: process.env, directory: process.cwd(), adapters: ADAPTERS });
const gateway = await openGateway(config, { work: { leaseSeconds: Number(leaseSeconds) } });
for (const { name, url } of await gateway.listen()) process.stdout.write(`${name}  ${url}\n`);
process.once('SIGTERM', () => gateway.close());
