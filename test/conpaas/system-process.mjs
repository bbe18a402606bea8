import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openConpaas } from '../../dist/src/conpaas/system.js';
import { conpaasUsers } from '../../dist/src/services/conpaas-users.js';
import { createUsers } from '../../dist/src/services/users.js';
import { openStore } from '../../dist/src/store/open.js';

/** A ConPaaS in a process of its own, from the build, to be killed: `system-process.mjs DATA PORT`. Says where it is in a line of JSON. */
const [data = '', port = '0'] = process.argv.slice(2);
const say = (fields, message) => console.error(message, JSON.stringify(fields));
const log = { debug() {}, info() {}, warn: say, error: say };
const store = await openStore({ url: `sqlite:${join(data, 'store.db')}` });
const users = createUsers({ store, secretKey: randomBytes(32), log });
const conpaas = await openConpaas({
  dataDir: data,
  host: '127.0.0.1',
  port: Number(port),
  addresses: '127.77.0.0/16',
  registration: 'open',
  maxCredit: 50,
  interval: 300,
  installation: store.installation,
  store: store.conpaas,
  users: conpaasUsers(users, store),
  log,
  ...(process.getuid?.() === 0 ? { uids: { first: 200_000, last: 265_535 } } : {}),
});
const { directorUrl: director, managerPort, caCertificate: authority } = conpaas;
console.log(JSON.stringify({ director, managerPort, authority }));
