import type { Log } from './log.js';

/** Does something at once and then again and again, never twice at a time. `complaint` is logged with each failure. */
export function every(
  milliseconds: number,
  complaint: string,
  log: Log,
  work: () => Promise<unknown>,
): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const run = () => {
    running = work()
      .catch((error: unknown) => log.error({ err: error }, complaint))
      .then(() => {
        if (!stopped) timer = setTimeout(run, milliseconds);
      });
  };
  run();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
