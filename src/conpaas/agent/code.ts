import { createWriteStream } from 'node:fs';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ArchiveFault, type ArchiveLimits, extractArchive, inspectArchive, PARTIAL } from '../../archives/index.js';
import { AgentError } from './agent-error.js';
import { CODE_VERSION_ID } from './protocol.js';
import { makeOwned, type Room, removeOwned } from './room.js';

export interface CodeStore {
  list(): Promise<string[]>;
  has(id: string): Promise<boolean>;
  /** Unpacks what comes. There already: the bytes are thrown away. Throws AgentError `rejected`. */
  receive(id: string, source: Readable, limits: ArchiveLimits): Promise<void>;
  folder(id: string): string;
  /** With what runtimes made of it. */
  remove(id: string): Promise<void>;
}

/** An executable jar is not unpacked: this is its name in the version's folder. */
export const JAR_NAME = 'app.jar';

export async function openCodeStore(room: Room, incoming: string): Promise<CodeStore> {
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  for (const name of await readdir(room.code)) {
    if (name.includes(PARTIAL)) await rm(join(room.code, name), { recursive: true, force: true });
  }
  const receiving = new Map<string, Promise<void>>();
  const folder = (id: string) => join(room.code, checked(id));
  const list = async () => (await readdir(room.code)).filter((name) => CODE_VERSION_ID.test(name)).sort();
  const has = async (id: string) => (await list()).includes(checked(id));

  const unpack = async (id: string, source: Readable, limits: ArchiveLimits) => {
    const file = join(incoming, id);
    try {
      await pipeline(source, createWriteStream(file, { mode: 0o600 }));
      const { type, format } = await inspectArchive(file, limits);
      if (type === 'ear')
        throw new AgentError('rejected', 'An ear needs a full application server, which no agent has: deploy its war.');
      if (type === 'jar' && format === 'zip') await keepJar(file, folder(id), room);
      else await extractArchive(file, folder(id), limits, room.owner ? { owner: room.owner } : {});
    } catch (error) {
      if (!(error instanceof ArchiveFault)) throw error;
      throw new AgentError('rejected', error.message, { cause: error, archive: error.kind });
    } finally {
      await rm(file, { force: true });
    }
  };

  return {
    list,
    has,
    folder,
    receive: async (id, source, limits) => {
      // Two of the same id at a time: the second waits, and finds it there or tries itself.
      await receiving.get(id)?.catch(() => {});
      if (await has(id)) {
        source.resume();
        return;
      }
      const unpacking = unpack(id, source, limits);
      receiving.set(id, unpacking);
      try {
        await unpacking;
      } finally {
        receiving.delete(id);
      }
    },
    remove: async (id) => {
      await removeOwned(folder(id), room.owner);
      await removeOwned(join(room.work, id), room.owner);
      await rm(join(room.work, `${id}.prepared`), { force: true });
    },
  };
}

function checked(id: string): string {
  if (!CODE_VERSION_ID.test(id))
    throw new AgentError('rejected', 'A code version id has letters, digits, - and _ only.');
  return id;
}

async function keepJar(file: string, folder: string, room: Room): Promise<void> {
  await makeOwned(folder, room.owner, async (partial) => {
    await copyFile(file, join(partial, JAR_NAME));
  });
}
