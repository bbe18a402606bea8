import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Config } from '../../config.js';
import { livingAgents } from '../../conpaas/cloud/local.js';
import { Fault } from '../../domain/errors.js';
import { sqliteFile } from '../../store/database-of.js';
import { openPortable, type PortableStore } from '../../store/portable/open.js';
import type { Row } from '../../store/portable/rows.js';
import { openArtefactStore } from '../artefact-store.js';
import { assertOwner, openDataDirectory } from '../data-directory.js';
import { databaseUrl, withoutGateways } from '../store-move.js';
import { writeDurably } from './durable.js';
import { type Header, kindOf } from './format.js';
import { begin, contentsOf, end, undo } from './incomplete.js';
import { readMembers, verifyBackup } from './reader.js';

export interface RestoreReport {
  rows: number;
  files: number;
  artefacts: number;
  /** When the backup was made. */
  createdAt: string;
  /** Where everything that was in the data directory is now; absent: it was empty. */
  aside?: string;
  /** Sentences. */
  warnings: string[];
}

type Told = (text: string) => void;

const ROWS_AT_A_TIME = 500;

/**
 * Makes data directory, store and artefacts what they were when the backup was written. The backup is read to its end and compared with
 * its checksums before anything changes. Throws Fault Conflict when something is there already, unless `replace`; then the directory's
 * contents are kept aside. A restore that fails leaves what was there before.
 */
export async function restoreBackup(
  config: Config,
  file: string,
  { replace }: { replace: boolean },
  told: Told,
): Promise<RestoreReport> {
  assertOwner(config.data);
  const header = await verifyBackup(file, (text) => told(`read ${text}`));
  const { data: path } = config;
  const data = openDataDirectory(path);
  try {
    await undo(path);
    await assertFree(config, replace);
    try {
      const aside = await begin(path);
      const report = await fill(config, file, header, replace, told);
      await end(path);
      return { ...report, createdAt: header.createdAt, ...(aside !== undefined && { aside }) };
    } catch (error) {
      await undo(path);
      throw error;
    }
  } finally {
    data.release();
  }
}

async function assertFree(config: Config, replace: boolean): Promise<void> {
  const { data } = config;
  const agents = await livingAgents(data);
  if (agents > 0) {
    throw new Fault('Conflict', `Embedded applications of ${data} still run: end them with "coaps stop --all".`);
  }
  if (!replace && (await contentsOf(data)).length > 0) {
    throw new Fault(
      'Conflict',
      `${data} is not empty. Name another directory, or say --replace: what is there is kept aside.`,
    );
  }
  const url = databaseUrl(config);
  const file = sqliteFile(url);
  if (file !== undefined && !existsSync(file)) return;
  const store = await openPortable(url);
  try {
    await withoutGateways(store);
    if (replace || (await store.isEmpty())) return;
    throw new Fault(
      'Conflict',
      'The database is not empty. Name another one, or say --replace: what it holds is lost then.',
    );
  } finally {
    await store.close();
  }
}

async function fill(
  config: Config,
  file: string,
  { migrations }: Header,
  replace: boolean,
  told: Told,
): Promise<Omit<RestoreReport, 'createdAt' | 'aside'>> {
  let files = 0;
  let artefacts = 0;
  const warnings: string[] = [];
  const kept = await openArtefactStore(config);
  try {
    await readMembers(file, async ({ name, open }) => {
      const { kind, of } = kindOf(name) ?? {};
      if (kind === 'file' && of !== undefined) {
        await writeFileBelow(config.data, of, await open());
        told(`file ${++files}`);
      }
      if (kind === 'artefact') {
        const { sha256 } = await kept.receive(await open(), new AbortController().signal);
        if (sha256 !== of) warnings.push(`The artefact ${of} was damaged already when the backup was made.`);
        told(`artefact ${++artefacts}`);
      }
    });
  } finally {
    await kept.close();
  }
  // Last, since it is all or nothing: before its end the old rows stand.
  const store = await openPortable(databaseUrl(config));
  try {
    return { rows: await fillStore(store, file, { migrations, replace }, told), files, artefacts, warnings };
  } finally {
    await store.close();
  }
}

async function fillStore(
  store: PortableStore,
  file: string,
  options: { migrations: readonly string[]; replace: boolean },
  told: Told,
): Promise<number> {
  let count = 0;
  await store.load(options, async (put) => {
    await readMembers(file, async ({ name, open }) => {
      const { kind, of: table } = kindOf(name) ?? {};
      if (kind !== 'rows' || table === undefined) return;
      const lines = (await text(await open())).split('\n').filter((line) => line !== '');
      for (let at = 0; at < lines.length; at += ROWS_AT_A_TIME) {
        const rows = lines.slice(at, at + ROWS_AT_A_TIME).map((line) => JSON.parse(line) as Row);
        await put(table, rows);
        count += rows.length;
        told(`${table}: ${count} rows so far`);
      }
    });
  });
  return count;
}

async function writeFileBelow(data: string, path: string, source: Readable): Promise<void> {
  const place = resolve(data, path);
  // The reader has refused names that lead out; a backup that was made to attack gets no further either.
  if (!place.startsWith(join(data, '/'))) throw new Fault('InvalidValue', `The backup has a file ${path}.`);
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  await writeDurably(place, source);
}
