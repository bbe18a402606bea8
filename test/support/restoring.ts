import { ADAPTERS } from '../../adapters/registry.js';
import { loadConfig } from '../../src/config.js';
import { restoreBackup } from '../../src/gateway/backup/restore.js';

// Restores, and dies by SIGKILL at the report of this number.
const [directory = '', file = '', data = '', deadly = ''] = process.argv.slice(2);
const config = loadConfig({ directory, env: { COAPS_DATA: data }, adapters: ADAPTERS });
let reports = 0;
await restoreBackup(config, file, { replace: true }, () => {
  reports += 1;
  if (reports === Number(deadly)) process.kill(process.pid, 'SIGKILL');
});
