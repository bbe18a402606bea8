import type { Replay } from './replay.js';

export const GUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Fields that hold measurements, or names that a stranger chose. */
const FREE =
  /\.(labels|annotations|var|environment_variables|metadata\.displayName|schemas|parameters|credentials)(\.|$)|broker_catalog/;
/** Told some time after the start, or not. */
const MAY_BE_NULL =
  /\.(mem_quota|disk_quota|log_rate_limit|updated_at|description|dashboard_url|checksum|revision|current_droplet\.data\.guid)$/;

/** The same fields of the same types; errors of the same codes and words. */
export function compare(was: unknown, is: unknown, at: string, known: Replay): string[] {
  if (FREE.test(at)) return [];
  if ((was === '' || was === null) && is === undefined) return [];
  const [kind, other] = [kindOf(was), kindOf(is)];
  if (kind !== other) {
    if (MAY_BE_NULL.test(at) && [kind, other].includes('null')) return [];
    return [`${at || 'the body'} is ${other} instead of ${kind}`];
  }
  if (kind === 'array') return compareLists(was as unknown[], is as unknown[], at, known);
  if (kind === 'object') {
    const [before, now] = [was as Record<string, unknown>, is as Record<string, unknown>];
    const others = before['name'] !== now['name'] && 'guid' in before;
    const learned = others ? { ...known, know: () => {} } : known;
    const missing = Object.keys(before).filter((name) => !(name in now));
    const added = Object.keys(now).filter((name) => !(name in before));
    const wrong = [
      ...missing.map((name) => `${at}.${name} is missing`),
      ...added.map((name) => `${at}.${name} is new`),
    ].filter((text) => !FREE.test(text));
    return [
      ...wrong,
      ...Object.keys(before)
        .filter((name) => name in now)
        .flatMap((name) => compare(before[name], now[name], `${at}.${name}`, learned)),
    ];
  }
  if (kind === 'string') learn(was as string, is as string, known);
  if (/^\.errors\.\d+\.(code|title)$/.test(at) && was !== is) return [`${at} is ${is} instead of ${was}`];
  if (/^\.errors\.\d+\.detail$/.test(at) && plain(was) !== plain(is)) return [`${at} is "${is}" instead of "${was}"`];
  return [];
}

function compareLists(was: unknown[], is: unknown[], at: string, known: Replay): string[] {
  // Whether an app names its buildpacks depends on which app it is.
  const differences =
    !at.endsWith('.buildpacks') && (was.length === 0) !== (is.length === 0)
      ? [`${at} has ${is.length} members instead of ${was.length}`]
      : [];
  return [
    ...differences,
    ...was.slice(0, is.length).flatMap((one, index) => compare(one, is[index], `${at}.${index}`, known)),
  ];
}

/** Wordings differ in guids and in how a value that is no text is written. */
function plain(text: unknown): string {
  return String(text)
    .replace(/Valid parameters are: .*/, '')
    .replace(GUID, 'GUID')
    .replaceAll(/"?:\s?|=>/g, ':');
}

export function learn(was: string | undefined, is: string | undefined, known: Replay): void {
  const [before, now] = [was, is].map((text) => [...(text ?? '').matchAll(GUID)].map(([guid]) => guid));
  if (before?.length !== now?.length) return;
  before?.forEach((guid, at) => {
    const here = now?.[at];
    if (here !== undefined) known.know(guid, here);
  });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
