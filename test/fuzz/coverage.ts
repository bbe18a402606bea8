import { type Profiler, Session } from 'node:inspector';

/** Which blocks of the code under test have run, as V8 itself counts them. */
export interface Coverage {
  /** How much was covered since the last call that never was before. */
  gained(): number;
  readonly total: number;
  close(): void;
}

/** `paths`: parts of the paths of the files that count. */
export function watchCoverage(paths: readonly string[]): Coverage {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const seen = new Set<string>();
  const take = (): Profiler.ScriptCoverage[] => {
    let scripts: Profiler.ScriptCoverage[] = [];
    // With a session in the same thread the answer comes before `post` returns.
    session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error;
      scripts = result;
    });
    return scripts;
  };
  return {
    gained() {
      const before = seen.size;
      for (const { url, functions } of take()) {
        if (!paths.some((path) => url.includes(path))) continue;
        for (const { ranges } of functions)
          for (const { startOffset, endOffset, count } of ranges)
            if (count > 0) seen.add(`${url}:${startOffset}:${endOffset}:${magnitude(count)}`);
      }
      return seen.size - before;
    },
    get total() {
      return seen.size;
    },
    close() {
      session.post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}

/** A loop that runs ten times as often is something new; one more round is not. */
function magnitude(count: number): number {
  return count === 1 ? 0 : Math.ceil(Math.log10(count));
}
