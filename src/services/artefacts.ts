import type { Readable } from 'node:stream';
import { type ArchiveLimits, inspectArchive } from '../archives/index.js';
import { Fault } from '../domain/errors.js';
import type { Artefact } from '../domain/model.js';
import type { ArtefactReceiver } from '../domain/ports.js';
import type { Download } from '../domain/views.js';
import type { ArtefactFiles, Store } from '../store/store.js';
import { nameInUrl, plainName } from './artefact-names.js';
import { openUrl } from './artefact-url.js';
import { assertRoom } from './disk-room.js';
import { openDropped } from './drop-folder.js';

export interface ArtefactLimits {
  /** Bytes of one artefact. */
  size: number;
  archive: ArchiveLimits;
  /** Seconds for the whole of a fetch by URL; without it 600. */
  fetchSeconds?: number;
  /** Seconds during which nothing that arrived is swept; without it a day. */
  grace?: number;
  /** Where arriving bytes grow, and how many bytes stay free there. Without it nobody looks. */
  disk?: { folder: string; floor: number };
  /** URLs may lead to loopback, private and link-local addresses. */
  allowPrivate?: boolean;
}

export interface ArtefactOptions {
  files: ArtefactFiles;
  store: Pick<Store, 'applications'>;
  limits: ArtefactLimits;
  /** Where `importDropped` looks; without it nowhere. */
  dropFolder?: string | undefined;
}

export interface Artefacts extends ArtefactReceiver {
  /**
   * Fetches the bytes behind an http or https URL. Faults: `InvalidValue` for a URL that is refused, unreachable or no archive,
   * `PayloadTooLarge`. `name` absent: the last part of the URL's path.
   */
  fetch(location: string, name: string | undefined, signal: AbortSignal): Promise<Artefact>;
  /** A copy of the file with exactly this name in the drop folder; undefined when there is no such file or no drop folder. */
  importDropped(name: string, signal: AbortSignal): Promise<Artefact | undefined>;
  /**
   * To be asked before a version takes over an artefact that is stored already: from then on no sweep takes it for the grace period.
   * False: its bytes are gone.
   */
  hold(artefact: Artefact): Promise<boolean>;
  /** Throws Fault `NotFound` when the bytes are not there. */
  download(artefact: Artefact): Promise<Download>;
  /** Removes what no version holds and what dead uploads left, when it is older than the grace period. Returns how many. */
  sweep(): Promise<number>;
}

const DAY = 24 * 60 * 60;

export function createArtefacts({ files, store, limits, dropFolder }: ArtefactOptions): Artefacts {
  const { size: maximum, archive, fetchSeconds = 600, grace = DAY, allowPrivate = false } = limits;

  const admit = async (bytes: number): Promise<void> => {
    if (limits.disk) await assertRoom(limits.disk, bytes);
  };
  const receive = async (source: Readable, name: string | undefined, signal: AbortSignal): Promise<Artefact> => {
    await admit(0);
    let type: Artefact['type'] = 'zip';
    const arrived = await files.receive(source, signal, {
      maximum,
      inspect: async (file) => {
        ({ type } = await inspectArchive(file, archive, signal));
      },
    });
    return { name: plainName(name) ?? `artefact.${type}`, type, ...arrived };
  };

  return {
    admit,
    receive,
    fetch: async (location, name, signal) => {
      const limit = AbortSignal.timeout(fetchSeconds * 1000);
      const either = AbortSignal.any([signal, limit]);
      try {
        const body = await openUrl(location, { size: maximum, allowPrivate }, either);
        return await receive(body, name ?? nameInUrl(location), either);
      } catch (error) {
        throw limit.aborted && !signal.aborted ? tooSlow(fetchSeconds, error) : broken(error, signal);
      }
    },
    importDropped: async (name, signal) => {
      if (dropFolder === undefined || plainName(name) !== name) return undefined;
      const file = await openDropped(dropFolder, name);
      return file && receive(file, name, signal);
    },
    hold: ({ sha256 }) => files.touch(sha256),
    download: async (artefact) => {
      if ((await files.size(artefact.sha256)) === undefined) {
        throw new Fault(
          'NotFound',
          `The bytes of ${JSON.stringify(artefact.name)} are no longer stored; send them again.`,
        );
      }
      return { artefact, open: (range) => files.open(artefact.sha256, range) };
    },
    sweep: async () => files.sweep(await store.applications.artefactsInUse(), grace),
  };
}

function tooSlow(seconds: number, cause: unknown): Fault {
  return new Fault('InvalidValue', `Fetching the artefact took longer than ${seconds} seconds.`, { cause });
}

/** A connection that breaks while bytes arrive is the other host's fault, not ours. */
function broken(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || (error as { code?: unknown }).code !== 'ECONNRESET') return error;
  return new Fault('InvalidValue', 'The connection broke before the whole artefact had arrived; try again.', {
    cause: error,
  });
}
