const LONGEST = 255;

/**
 * The plain file name in what a client calls a file: the last part of any path, without control characters. Undefined: nothing that
 * could be one is left.
 */
export function plainName(given: string | undefined): string | undefined {
  const last = (given ?? '').split(/[/\\]/).at(-1) ?? '';
  const name = [...last.replace(/[\p{Cc}\p{Cs}]/gu, '').trim()].slice(0, LONGEST).join('');
  return name === '' || name === '.' || name === '..' ? undefined : name;
}

/** What a URL calls its file: the last part of its path. */
export function nameInUrl(location: string): string | undefined {
  const { pathname } = new URL(location);
  try {
    return plainName(decodeURIComponent(pathname));
  } catch {
    return plainName(pathname);
  }
}
