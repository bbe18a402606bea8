import type { Log } from './log.js';

/** What was opened, to be closed in the reverse order. */
export interface Closing {
  add(name: string, close: () => Promise<void> | void): void;
  /** Closes everything, also when something fails on the way (that is logged). The second call waits for the first. */
  close(): Promise<void>;
}

export function createClosing(log: Log): Closing {
  const opened: { name: string; close: () => Promise<void> | void }[] = [];
  let closed: Promise<void> | undefined;
  const closeAll = async () => {
    for (let next = opened.pop(); next; next = opened.pop()) {
      try {
        await next.close();
      } catch (error) {
        log.error({ err: error, part: next.name }, 'A part could not be closed cleanly');
      }
    }
  };
  return {
    add: (name, close) => void opened.push({ name, close }),
    close: () => {
      closed ??= closeAll();
      return closed;
    },
  };
}
