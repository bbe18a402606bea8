import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Config } from '../../config.js';
import { Fault } from '../../domain/errors.js';
import { openPortable, type PortableStore, type Snapshot } from '../../store/portable/open.js';
import type { ArtefactFiles } from '../../store/store.js';
import { openArtefactStore } from '../artefact-store.js';
import { assertOwner, directoryState } from '../data-directory.js';
import { packageVersion } from '../package.js';
import { databaseUrl } from '../store-move.js';
import { type HeldFiles, holdFiles, missingCode } from './data-files.js';
import { FORMAT, HEADER, type Header } from './format.js';
import { type BackupWriter, openBackupWriter } from './writer.js';

export interface BackupReport {
  rows: number;
  files: number;
  artefacts: number;
  /** Bytes of the backup. */
  size: number;
  /** What the store speaks of and the gateway has lost already, in sentences. */
  warnings: string[];
}

type Told = (text: string) => void;

const ATTEMPTS = 3;
const AT_ONCE = 16;
/** Bytes of rows in one member of the backup. */
const CHUNK = 1024 ** 2;
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Writes everything that a gateway needs into one file, as of one moment, whether gateways run or not. What the store of that moment
 * speaks of is kept from being swept or deleted until it is copied.
 */
export async function writeBackup(config: Config, file: string, told: Told): Promise<BackupReport> {
  if (directoryState(config.data) === 'none') {
    throw new Fault('NotFound', `No gateway has used ${config.data} yet: there is nothing to back up. Look at data.`);
  }
  assertOwner(config.data);
  const opened: (() => Promise<void>)[] = [];
  try {
    const store = await openPortable(databaseUrl(config), { mustExist: true });
    opened.push(store.close);
    const artefacts = await openArtefactStore(config);
    opened.push(artefacts.close);
    const writer = await openBackupWriter(file);
    opened.push(writer.discard);
    const held = await holdFiles(config.data);
    opened.push(held.release);
    return await copyAll({ data: config.data, store, artefacts, writer, held, told });
  } finally {
    for (const close of opened.reverse()) await close();
  }
}

interface Work {
  data: string;
  store: PortableStore;
  artefacts: ArtefactFiles;
  writer: BackupWriter;
  held: HeldFiles;
  told: Told;
}

async function copyAll(work: Work): Promise<BackupReport> {
  const { store, artefacts, writer, held, told } = work;
  // Nothing that is younger than a day is swept, and whatever a version takes over is made young before: what the snapshot speaks of
  // beyond these is young already.
  const present = await store.snapshot(digests);
  for (let at = 0; at < present.length; at += AT_ONCE) {
    await Promise.all(present.slice(at, at + AT_ONCE).map((sha256) => artefacts.touch(sha256)));
    told(`holding ${at} of ${present.length} artefacts`);
  }
  const { rows, used, warnings } = await copyStore(work);
  const paths = held.paths();
  for (const [index, path] of paths.entries()) {
    const { size } = await stat(held.fileOf(path));
    await writer.add(`data/${path}`, size, createReadStream(held.fileOf(path)));
    told(`file ${index + 1} of ${paths.length}`);
  }
  let copied = 0;
  for (const [index, sha256] of used.entries()) {
    told(`artefact ${index + 1} of ${used.length}`);
    const size = await artefacts.size(sha256);
    if (size === undefined) {
      warnings.push(`The artefact ${sha256} is not stored any more.`);
      continue;
    }
    const written = await writer.add(`artefacts/${sha256}`, size, artefacts.open(sha256));
    if (written.sha256 !== sha256) warnings.push(`The artefact ${sha256} is damaged: its bytes have another digest.`);
    copied += 1;
  }
  return { rows, files: paths.length, artefacts: copied, size: await writer.finish(), warnings };
}

/** The rows, and the digests that they speak of; the files that they speak of are held then. */
async function copyStore(work: Work): Promise<{ rows: number; used: string[]; warnings: string[] }> {
  for (let attempt = 1; ; attempt++) {
    const copied = await work.store.snapshot(async (snapshot) => {
      await work.held.renew();
      // A service that was made and deleted in this very moment: a younger snapshot does not know it any more.
      const missing = await missingCode(work.data, snapshot, work.held);
      if (missing.length > 0 && attempt < ATTEMPTS) return undefined;
      const rows = await writeRows(snapshot, work);
      return { rows, used: await digests(snapshot), warnings: missing.map((path) => `The code ${path} is missing.`) };
    });
    if (copied) return copied;
  }
}

async function digests(snapshot: Snapshot): Promise<string[]> {
  const rows = await snapshot.values('deployables', ['sha256']);
  return rows.flatMap(([sha256]) => (typeof sha256 === 'string' && SHA256.test(sha256) ? [sha256] : [])).sort();
}

async function writeRows(snapshot: Snapshot, { writer, told }: Work): Promise<number> {
  const { migrations, tables } = snapshot;
  const header: Header = {
    format: FORMAT,
    program: packageVersion(),
    createdAt: new Date().toISOString(),
    migrations,
    tables: tables.map(({ name }) => name),
  };
  const text = Buffer.from(JSON.stringify(header, undefined, 1));
  await writer.add(HEADER, text.length, [text]);
  let count = 0;
  for (const table of tables) {
    let part = 0;
    let lines: Buffer[] = [];
    let size = 0;
    const flush = async () => {
      if (size > 0) await writer.add(`store/${table.name}/${++part}.ndjson`, size, lines);
      lines = [];
      size = 0;
    };
    for await (const rows of snapshot.rows(table)) {
      for (const row of rows) {
        const line = Buffer.from(`${JSON.stringify(row)}\n`);
        lines.push(line);
        size += line.length;
        if (size >= CHUNK) await flush();
      }
      count += rows.length;
      told(`${table.name}: ${count} rows so far`);
    }
    await flush();
  }
  return count;
}
