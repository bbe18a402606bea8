import { existsSync, readFileSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../domain/errors.js';
import { folderIn } from '../data-directory.js';
import { synchronise, writeDurably } from './durable.js';

/** Stands in a data directory while a restore works on it. */
const MARK = 'restore.incomplete';
const ASIDE = 'replaced-';
/** What a restore never moves: it holds the lock itself. */
const STAYS = /^(gateway\.(lock|pid|id)|restore\.incomplete(\.part)?|lost\+found|replaced-.*)$/;

/**
 * `moving`: what was there before is on its way into the folder `aside`, or back; every name is in one place. `filling`: all of it is
 * there, and what lies beside it is new. So a restore that is killed at any moment can be undone.
 */
interface Mark {
  phase: 'moving' | 'filling';
  /** Absent: the directory was empty. */
  aside?: string;
}

/** Throws when a restore was killed in the middle: nothing may be made of the half. */
export function assertRestored(data: string): void {
  if (!existsSync(join(data, MARK))) return;
  throw new Fault(
    'Conflict',
    `A restore into ${data} was interrupted, and what it holds is not whole. Run "coaps restore" once more.`,
  );
}

export async function contentsOf(data: string): Promise<string[]> {
  return (await readdir(data)).filter((name) => !STAYS.test(name));
}

/**
 * Moves everything in the directory aside; from here to `end` no gateway starts on it. Gives the folder where it is; undefined: there
 * was nothing.
 */
export async function begin(data: string): Promise<string | undefined> {
  const present = await contentsOf(data);
  if (present.length === 0) {
    await mark(data, { phase: 'filling' });
    return undefined;
  }
  const aside = `${ASIDE}${new Date().toISOString().replace(/[:.]/g, '-')}`;
  await mark(data, { phase: 'moving', aside });
  folderIn(data, aside);
  for (const name of present) await rename(join(data, name), join(data, aside, name));
  await mark(data, { phase: 'filling', aside });
  return join(data, aside);
}

export async function end(data: string): Promise<void> {
  await synchronise(data);
  await rm(join(data, MARK), { force: true });
  await synchronise(data);
}

/** Back to what was there before `begin`; without a begun restore nothing. */
export async function undo(data: string): Promise<void> {
  if (!existsSync(join(data, MARK))) return;
  const { phase, aside } = JSON.parse(readFileSync(join(data, MARK), 'utf8')) as Mark;
  if (phase === 'filling') {
    for (const name of await contentsOf(data)) await rm(join(data, name), { recursive: true, force: true });
  }
  if (aside !== undefined) {
    await mark(data, { phase: 'moving', aside });
    for (const name of await readdir(folderIn(data, aside))) await rename(join(data, aside, name), join(data, name));
    await rm(join(data, aside), { recursive: true });
  }
  await end(data);
}

async function mark(data: string, state: Mark): Promise<void> {
  await synchronise(data);
  await writeDurably(join(data, MARK), [Buffer.from(JSON.stringify(state))]);
}
