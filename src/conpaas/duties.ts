import type { ConpaasLog } from './log.js';

/** Never twice at a time; `stop` waits for the one that runs. */
export function every(milliseconds: number, work: () => Promise<void>, log: ConpaasLog): { stop(): Promise<void> } {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work()
      .catch((error: unknown) => log.error({ err: error }, 'A regular duty of ConPaaS failed'))
      .finally(() => {
        running = undefined;
      });
  }, milliseconds);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
