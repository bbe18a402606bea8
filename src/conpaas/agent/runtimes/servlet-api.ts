import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { visitZipFiles } from '../../../archives/index.js';

/** Java EE's packages were renamed with version 9: a server has the one or the other. */
export type ServletApi = 'javax' | 'jakarta';

/** Unpacked bytes of libraries that are looked at. */
const MOST_BYTES = 48 * 1024 * 1024;
const MOST_CLASSES = 5000;

/** Which of both an unpacked war was written for: its own classes say it best, then web.xml, then its libraries. */
export async function servletApiOf(folder: string): Promise<ServletApi | undefined> {
  const webInf = join(folder, 'WEB-INF');
  return (
    (await ofClasses(join(webInf, 'classes'))) ??
    (await ofDescriptor(webInf)) ??
    (await ofLibraries(join(webInf, 'lib')))
  );
}

async function ofClasses(folder: string): Promise<ServletApi | undefined> {
  const count = createCount();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter(({ name }) => name.endsWith('.class')).slice(0, MOST_CLASSES)) {
    if (entry.isFile()) count.add(await readFile(join(entry.parentPath, entry.name)));
  }
  return count.winner();
}

async function ofDescriptor(webInf: string): Promise<ServletApi | undefined> {
  const text = await readFile(join(webInf, 'web.xml'), 'utf8').catch(() => '');
  if (text.includes('jakarta.ee/xml/ns')) return 'jakarta';
  return /xmlns\.jcp\.org|java\.sun\.com/.test(text) ? 'javax' : undefined;
}

async function ofLibraries(folder: string): Promise<ServletApi | undefined> {
  const count = createCount();
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.jar') || bytes > MOST_BYTES) continue;
    await visitZipFiles(join(folder, name), async (member, open) => {
      if (!member.endsWith('.class')) return true;
      const content = await buffer(await open());
      bytes += content.length;
      count.add(content);
      return bytes <= MOST_BYTES;
    }).catch(() => {
      // A damaged library is for the server to complain about.
    });
  }
  return count.winner();
}

/** Names of classes stand in class files as plain text. */
function createCount() {
  const counts: Record<ServletApi, number> = { javax: 0, jakarta: 0 };
  return {
    add: (content: Buffer) => {
      for (const api of ['javax', 'jakarta'] as const) if (content.includes(`${api}/servlet/`)) counts[api] += 1;
    },
    winner: (): ServletApi | undefined => {
      if (counts.javax === counts.jakarta) return;
      return counts.javax > counts.jakarta ? 'javax' : 'jakarta';
    },
  };
}
