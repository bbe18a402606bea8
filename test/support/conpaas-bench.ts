import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import type { PlatformAdapter } from '../../adapters/adapter.js';
import { createConpaasAdapter } from '../../adapters/conpaas/index.js';
import { openSystem, type SystemRig } from '../conpaas/system-rig.js';
import { type AdapterBench, artefactOf } from '../contract/adapter.js';
import { makeZip } from '../contract/archive.js';
import { eventually } from './conditions.js';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** The embedded ConPaaS with real agents. Its applications are told to misbehave by files that they look for when they start. */
export async function openConpaasBench(): Promise<AdapterBench> {
  const rig = await openSystem();
  const flags = { crash: flag(), slow: flag() };
  const trouble = (file: string) => {
    writeFileSync(file, '', { mode: 0o644 });
    return () => rmSync(file, { force: true });
  };
  return {
    open: (installation) => openAdapter(rig, installation),
    artefacts: { first: await application('first', flags), second: await application('second', flags) },
    serves: true,
    objects: () => everythingOn(rig),
    trouble: {
      async down() {
        await rig.conpaas.close();
        return () => rig.restart();
      },
      locked: () => {
        setRevoked(rig, new Date().toISOString());
        return () => setRevoked(rig, null);
      },
      crashes: () => trouble(flags.crash),
      slow: () => trouble(flags.slow),
    },
    async close() {
      await rig.close();
      for (const file of Object.values(flags)) rmSync(file, { force: true });
    },
  };
}

async function openAdapter({ conpaas }: SystemRig, installation: string): Promise<PlatformAdapter> {
  return await createConpaasAdapter({
    platform: 'CP',
    installation,
    log: SILENT,
    options: { ...conpaas.adapterOptions },
  });
}

function flag(): string {
  return join(tmpdir(), `coaps-bench-${randomBytes(6).toString('hex')}`);
}

async function application(word: string, flags: { crash: string; slow: string }) {
  const server = `
    const { existsSync } = require('node:fs');
    if (existsSync(${JSON.stringify(flags.crash)})) throw new Error('the application crashes as it was told');
    const listen = () => require('node:http')
      .createServer((request, response) => response.end(${JSON.stringify(`<h1>${word}</h1>`)}))
      .listen(process.env.PORT, process.env.HOST);
    setTimeout(listen, existsSync(${JSON.stringify(flags.slow)}) ? 30_000 : 0);
  `;
  const manifest = JSON.stringify({ name: word, version: '1.0.0', main: 'server.js' });
  return artefactOf(`${word}.zip`, 'zip', await makeZip({ 'package.json': manifest, 'server.js': server }));
}

/** Straight in the database: there is no way back for a revoked certificate. */
function setRevoked({ data }: SystemRig, at: string | null): void {
  const database = new BetterSqlite(join(data, 'store.db'), { timeout: 5000 });
  try {
    database.prepare("update conpaas_certificates set revoked_at = ? where role = 'user'").run(at);
  } finally {
    database.close();
  }
}

/** A service's row goes before its folder does: what is told is what stays. */
async function everythingOn({ store, data }: SystemRig): Promise<string[]> {
  const kept = join(data, 'conpaas', 'services');
  await eventually(async () => {
    if (folders(kept).length > (await store.conpaas.services({})).length) throw new Error('a folder is still removed');
  }, 10).catch(() => undefined);
  const gateway = await store.users.get('coaps-gateway');
  const applications = await store.conpaas.applications(gateway?.uid ?? 0);
  const services = await store.conpaas.services({});
  const versions = await Promise.all(services.map(({ sid }) => store.conpaas.codeVersions(sid)));
  return [
    ...applications.map(({ name }) => `application ${name}`),
    ...services.map(({ name }) => `service ${name}`),
    ...versions.flat().map(({ sid, description }) => `code ${nameOf(services, sid)} ${description}`),
    ...(await store.conpaas.nodes({})).map(({ sid }) => `node of ${nameOf(services, sid)}`),
    ...folders(join(data, 'conpaas', 'agents')).map(() => 'agent'),
    ...folders(kept).map(() => 'folder of a service'),
  ];
}

function nameOf(services: { sid: number; name: string }[], sid: number): string {
  return services.find((service) => service.sid === sid)?.name ?? '?';
}

function folders(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
