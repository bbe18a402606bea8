import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { stopAll } from '../../src/conpaas/cloud/local.js';
import { LEFT, TAKEN } from '../../src/gateway/backup/data-files.js';
import { type ConpaasClient, createConpaasClient } from '../conpaas/conpaas-client.js';
import { eventually } from '../support/conditions.js';
import { everythingIn } from '../support/filled-store.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';
import { rawRequest } from '../support/raw-request.js';
import { finished, openStage, type Served, type Stage } from '../support/stage.js';
import { ADA, instancePath, openWorld } from '../support/world.js';
import { startWriteLoad } from '../support/write-load.js';

/** `coaps backup` and `coaps restore` as operators use them, on whole gateways. */

const missing = postgresMissing();

let stage: Stage;
let server: PostgresServer | undefined;
beforeAll(async () => {
  stage = await openStage();
  if (!missing) server = await startPostgres();
});
afterAll(async () => {
  await stage.close();
  await server?.stop();
});

async function coaps(args: string[], env: Record<string, string> = {}) {
  return await finished(stage.coaps(args, { env: { COAPS_DATA: stage.data, ...env } }));
}

/** Ends the gateway, and the applications that it leaves running. */
async function end({ child }: Served, data: string): Promise<void> {
  await child.kill('SIGTERM');
  await stopAll(data);
}

function directorOf({ child }: Served): string {
  return /Director\s+(\S+)/.exec(child.stdout())?.[1] ?? '';
}

async function signedIn(served: Served): Promise<ConpaasClient> {
  const authority = readFileSync(join(stage.data, 'conpaas', 'ca_cert.pem'), 'utf8');
  const stranger = createConpaasClient({ director: directorOf(served), managerPort: 0, authority });
  return await stranger.withCertificates('ada', ADA.slice('ada:'.length));
}

test(`a backup of a gateway that is being written to is restored elsewhere${missing ? '' : ', on either database'}`, async () => {
  const first = await stage.serve();
  const instance = instancePath(await (await openWorld(first)).started());
  const conpaas = await signedIn(first);
  const load = startWriteLoad(first, ADA, 3);
  await eventually(() => expect(Math.min(...load.progress())).toBeGreaterThan(3));

  const from = load.progress();
  const done = await coaps(['backup', 'all.tar']);
  const to = load.progress();
  expect(done).toMatchObject({ code: 0, stdout: '' });
  expect(done.stderr).toMatch(/all\.tar: \d+ rows, \d+ files, \d+ artefacts, \d+ bytes/);
  await eventually(() => expect(Math.min(...load.progress())).toBeGreaterThan(Math.max(...to) + 3));
  await load.stop();
  expect(statSync(join(stage.directory, 'all.tar')).mode & 0o777).toBe(0o600);
  // A new file in the data directory has to be said to belong into a backup, or not to.
  const unknown = readdirSync(stage.data).filter(
    (name) => !TAKEN.includes(name) && !LEFT.some((one) => one.test(name)),
  );
  expect(unknown).toEqual([]);
  expect(await coaps(['backup', 'all.tar'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/exists already/),
  });
  expect(await coaps(['restore', 'all.tar'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/in use by/) });
  await end(first, stage.data);

  const elsewhere = join(stage.directory, 'elsewhere');
  const copies = [{ COAPS_DATA: elsewhere }];
  if (server) copies.push({ COAPS_DATA: `${elsewhere}-2`, COAPS_DATABASE_URL: await server.createDatabase() } as never);
  for (const env of copies) {
    const restored = await coaps(['restore', 'all.tar'], env);
    expect(restored).toMatchObject({ code: 0, stderr: expect.stringMatching(/Restored the state of/) });
  }
  const stores = copies.map((env) => (env as Record<string, string>)['COAPS_DATABASE_URL']);
  const [one, other] = await Promise.all(stores.map((url) => everythingIn(url ?? `sqlite:${elsewhere}/coaps.db`)));
  if (other) expect({ ...other, migrations: [] }).toEqual({ ...one, migrations: [] });

  for (const env of copies) {
    const served = await stage.serve(env);
    await load.check(served, from, to);
    const again = conpaas.with({ director: directorOf(served) });
    expect(await again.json('user_config', { method: 'GET' })).toMatchObject({ username: 'ada' });
    // It ran at the time of the backup, and runs here again.
    await eventually(async () => {
      const { text } = await served.request(instance, { headers: { 'Cache-Control': 'no-cache' } });
      expect(text).toContain('state="STARTED"');
      expect((await rawRequest(/<uri>(http[^<]+)/.exec(text)?.[1] ?? '')).text).toContain('<h1>Hello</h1>');
    });
    await end(served, env.COAPS_DATA);
  }
}, 600_000);
