import { text } from 'node:stream/consumers';
import type { Artefact } from '../domain/model.js';
import { ArchiveFault } from './fault.js';
import type { ArchiveLimits } from './limits.js';
import { assertInnerTargets, type Member, readTarget } from './member.js';
import { commonRoot } from './root.js';
import { visitArchive } from './visit.js';

export interface ArchiveReport {
  format: 'zip' | 'tar';
  type: Artefact['type'];
  /** Name of the single top-level directory that counts as the archive's root (see root.ts); `''` when there is none. */
  root: string;
  /** Names directly below the root, at most 1,000 of them: enough to tell `package.json`, `index.php`, `Procfile`. */
  top: string[];
  /** Of the manifest, when there is one: `java -jar` can run it. */
  mainClass?: string;
  entries: number;
  /** Bytes that it unpacks to. */
  bytes: number;
}

const MOST_NAMES = 1000;
const MANIFEST = 'META-INF/MANIFEST.MF';
const LONGEST_MANIFEST = 256 * 1024;

/**
 * Looks an archive through without unpacking it to disk. Throws ArchiveFault (a Fault `InvalidValue`) for whatever extractArchive would
 * refuse by names, links, kinds, numbers and announced sizes; only damage and lies inside of zip members come out at the extraction.
 */
export async function inspectArchive(
  file: string,
  limits: ArchiveLimits,
  signal?: AbortSignal,
): Promise<ArchiveReport> {
  const tops = new Map<string, Set<string>>();
  const leaves = new Set<string>();
  const signs = { webInf: false, applicationXml: false, manifest: false, classes: false };
  const links = new Map<string, string>();
  let mainClass: string | undefined;
  const visit = async (member: Member) => {
    const [first = '', second] = member.path.split('/');
    if (first === '') return;
    const below = tops.get(first) ?? new Set();
    if (second !== undefined && below.size < MOST_NAMES) below.add(second);
    tops.set(first, below);
    if (second === undefined && member.type !== 'directory') leaves.add(first);
    if (member.type === 'symlink') links.set(member.path, await readTarget(member));
    if (first === 'WEB-INF') signs.webInf = true;
    if (member.path === 'META-INF/application.xml') signs.applicationXml = true;
    if (member.path.endsWith('.class')) signs.classes = true;
    if (member.path === MANIFEST && member.type === 'file' && member.size <= LONGEST_MANIFEST) {
      signs.manifest = true;
      mainClass = mainClassOf(await text(await member.open()));
    }
  };
  const { format, tally } = await visitArchive(file, limits, visit, signal);
  const names = [...tops.keys()];
  if (names.length === 0) throw new ArchiveFault('format', 'The archive is empty.');
  const root = commonRoot(names, leaves);
  assertInnerTargets(links, root);
  const type = format === 'tar' || root !== '' ? 'zip' : typeOf(signs, mainClass);
  return {
    format,
    type,
    root,
    top: (root === '' ? names : [...(tops.get(root) ?? [])]).slice(0, MOST_NAMES),
    ...(mainClass !== undefined && { mainClass }),
    entries: tally.totalEntries,
    bytes: tally.totalBytes,
  };
}

function typeOf(
  signs: { webInf: boolean; applicationXml: boolean; manifest: boolean; classes: boolean },
  mainClass: string | undefined,
): Artefact['type'] {
  if (signs.webInf) return 'war';
  if (signs.applicationXml) return 'ear';
  // A manifest alone also stands in zips that a `jar` command packed from any directory.
  if (mainClass !== undefined || (signs.manifest && signs.classes)) return 'jar';
  return 'zip';
}

/** The main section ends at the first blank line; long values go on in lines that begin with a blank. */
function mainClassOf(manifest: string): string | undefined {
  const [section = ''] = manifest.replace(/\r\n?/g, '\n').replace(/\n /g, '').split('\n\n');
  return /^Main-Class:\s*(\S+)/im.exec(section)?.[1];
}
