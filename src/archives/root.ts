/** Directories that mean something by their place, and so never are a wrapping. */
const MEANINGFUL = new Set(['WEB-INF', 'META-INF']);
/** What packers on other systems leave beside the content. */
const LITTER = new Set(['__MACOSX', '.DS_Store']);

/**
 * Many people zip a directory instead of its content, and so do code hosts. When everything lies in one top-level directory, that
 * directory is the archive's root. `leaves` are the top-level names that are no directories.
 */
export function commonRoot(names: Iterable<string>, leaves: ReadonlySet<string>): string {
  const real = [...names].filter((name) => !LITTER.has(name));
  const [only] = real;
  return real.length === 1 && only !== undefined && !leaves.has(only) && !MEANINGFUL.has(only) ? only : '';
}
