import { X509Certificate } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createConpaasAdapter } from '../../adapters/conpaas/index.js';
import { type Credential, openAuthority } from '../../src/conpaas/certificates.js';
import type { Subject } from '../../src/conpaas/subject.js';
import { openSystem } from './system-rig.js';

const DAY = 24 * 3600 * 1000;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

const daysLeft = (pem: string) => (Date.parse(new X509Certificate(pem).validTo) - Date.now()) / DAY;

async function read(folder: string, prefix = ''): Promise<Credential> {
  const text = (name: string) => readFile(join(folder, `${prefix}${name}.pem`), 'utf8');
  return { certificate: await text('cert'), key: await text('key') };
}

test('certificates that end within a month are renewed while everything goes on', async () => {
  const rig = await openSystem();
  try {
    const folder = join(rig.data, 'conpaas');
    const ann = await rig.user('ann');
    const row = await ann.create('static');
    const manager = ann.manager(row.manager);
    await manager.post('startup');
    await manager.until('RUNNING');
    const adapter = await createConpaasAdapter({
      platform: 'CP',
      installation: rig.store.installation,
      options: { ...rig.conpaas.adapterOptions },
      log: SILENT,
    });
    const elevenMonthsAgo = new Date(Date.now() - 340 * DAY);
    const authority = await openAuthority(await read(folder, 'ca_'), () => elevenMonthsAgo);
    const age = async (where: string, subject: Pick<Subject, 'role' | 'uid' | 'serviceLocator'>) => {
      const old = await authority.issue({ ...subject, commonName: 'old' });
      await writeFile(join(folder, where, 'cert.pem'), old.certificate);
      await writeFile(join(folder, where, 'key.pem'), old.key);
    };
    const { uid } = (await ann.json('user_config', { method: 'GET' })) as { uid: number };
    const gateway = await rig.store.users.get('coaps-gateway');
    const [agent = ''] = await readdir(join(folder, 'agents'));
    const ofAgent = () => readFile(join(folder, 'agents', agent, 'cert.pem'), 'utf8');
    const before = await ofAgent();
    const places = [`services/${row.sid}`, 'gateway'];
    await rig.restart(async () => {
      await age(places[0] ?? '', { role: 'manager', uid, serviceLocator: row.sid });
      await age(places[1] ?? '', { role: 'user', uid: gateway?.uid ?? 0, serviceLocator: 0 });
      for (const place of places) expect(daysLeft((await read(join(folder, place))).certificate)).toBeLessThan(30);
    });
    for (const place of places) expect(daysLeft((await read(join(folder, place))).certificate)).toBeGreaterThan(300);
    expect(await ofAgent()).not.toBe(before);
    const [status] = (await ann.json('service_status')) as { url: string; nodes: { phase: string }[] }[];
    expect(status?.nodes).toMatchObject([{ phase: 'running' }]);
    expect((await fetch(status?.url ?? '')).status).toBe(200);

    await rig.store.conpaas.revoke({ uid: gateway?.uid ?? 0 }, new Date().toISOString());
    await rig.restart();
    const call = { signal: AbortSignal.timeout(30_000), step: () => undefined };
    expect(await adapter.observe(call)).toEqual([]);
    await adapter.close();
  } finally {
    await rig.close();
  }
}, 90_000);
