import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADAPTERS } from '../../adapters/registry.js';
import { loadConfig } from '../../src/config.js';
import { writeBackup } from '../../src/gateway/backup/backup.js';
import { restoreBackup } from '../../src/gateway/backup/restore.js';
import { startGateway } from '../support/gateway.js';
import { type PostgresServer, postgresMissing, startPostgres } from '../support/postgres.js';
import { type S3Server, startS3 } from '../support/s3/server.js';
import { ADA, deployPath, openWorld, SITE } from '../support/world.js';

const missing = postgresMissing();

test('a folder of artefacts that gateways share belongs to one installation', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'coaps-shared-'));
  try {
    const config = { artefacts: { store: join(directory, 'artefacts') } };
    const gateway = await startGateway({ config });
    await gateway.close();
    await expect(startGateway({ config })).rejects.toThrow(/artefacts of another installation/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

(missing ? describe.skip : describe)(
  `gateways with one database and one bucket${missing ? ` (${missing})` : ''}`,
  () => {
    let server: PostgresServer;
    let s3: S3Server;
    let directory: string;
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'coaps-shared-'));
      [server, s3] = await Promise.all([startPostgres(), startS3()]);
    });
    afterAll(async () => {
      await Promise.all([server.stop(), s3.close()]);
      rmSync(directory, { recursive: true });
    });

    test('deploy what the other one received, also when that is gone; their backup fits a gateway with neither', async () => {
      const { endpoint, bucket, credentials } = s3;
      const database = await server.createDatabase();
      const artefacts = { store: `s3://${bucket}/coaps`, s3: { endpoint, ...credentials } };
      const config = { database, artefacts };
      const one = await startGateway({ config, data: join(directory, 'one') });
      const two = await startGateway({ config, data: join(directory, 'two') });
      try {
        const ids = await (await openWorld(one)).application();
        const path = `/artefact/${ids.appId}/${ids.versionId}/site.zip`;
        expect((await two.request(path, { user: ADA })).body.equals(SITE)).toBe(true);
        const part = await two.request(path, { user: ADA, headers: { Range: 'bytes=3-9' } });
        expect(part).toMatchObject({ status: 206, headers: { 'content-range': `bytes 3-9/${SITE.length}` } });
        expect(part.body.equals(SITE.subarray(3, 10))).toBe(true);
        await one.close();
        rmSync(join(directory, 'one'), { recursive: true });
        const deployed = await two.request(deployPath(ids), { method: 'POST', user: ADA });
        expect(deployed).toMatchObject({ status: 200, text: expect.stringContaining('status="STOPPED"') });
        expect(readdirSync(join(directory, 'two', 'artefacts'), { recursive: true })).toEqual(['tmp']);

        const settings = (env: Record<string, string>) => loadConfig({ env, directory, adapters: ADAPTERS });
        const shared = settings({
          COAPS_DATA: two.data,
          COAPS_DATABASE_URL: database,
          COAPS_ARTEFACTS: artefacts.store,
          COAPS_S3_ENDPOINT: endpoint,
          COAPS_S3_ACCESS_KEY_ID: credentials.accessKeyId,
          COAPS_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        });
        const file = join(directory, 'shared.tar');
        expect(await writeBackup(shared, file, () => undefined)).toMatchObject({ artefacts: 1, warnings: [] });
        const alone = join(directory, 'alone');
        await restoreBackup(settings({ COAPS_DATA: alone }), file, { replace: false }, () => undefined);
        const three = await startGateway({ data: alone });
        expect((await three.request(path, { user: ADA })).body.equals(SITE)).toBe(true);
        await three.close();

        // The store of the bytes is away: the one request says so, and the next one is served again.
        s3.trouble = { refuse: { method: /artefacts/, status: 503, code: 'SlowDown', times: 1000 } };
        const away = await two.request(path, { user: ADA });
        expect(away).toMatchObject({ status: 503, text: expect.stringContaining('artefact store cannot be reached') });
        s3.trouble = {};
        expect((await two.request(path, { user: ADA })).status).toBe(200);
      } finally {
        await two.close();
        await one.close();
      }
    });
  },
);
