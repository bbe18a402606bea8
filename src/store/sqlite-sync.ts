import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { Fault } from '../domain/errors.js';

const synchronise = promisify(fdatasync);

/** Commits on their way from the kernel to the disk. */
export interface Sync {
  /** A transaction was committed: its pages were written to the log. */
  committed(): void;
  /** Resolves when all that was committed by now is on the disk; undefined: it is there. */
  onDisk(): Promise<void> | undefined;
  close(): Promise<void>;
}

/**
 * SQLite synchronises its log within the commit, and so holds up the event loop for as long as the disk takes. Here the log is
 * synchronised beside it: the same file, before anybody is told of the commit, in one go for all commits that came meanwhile. What a
 * checkpoint takes out of the log, SQLite synchronises itself (`synchronous = NORMAL`). The log is one file for as long as a connection
 * is open, and holds no POSIX locks, which another descriptor of ours would release.
 */
export function synchroniseBeside(log: string): Sync {
  const file = openSync(log, 'r+');
  let commits = 0;
  let kept = 0;
  let running: Promise<void> | undefined;
  let failure: Fault | undefined;

  const run = async (): Promise<void> => {
    const upTo = commits;
    try {
      await synchronise(file);
      kept = upTo;
    } catch (cause) {
      // The kernel forgets what it could not write, and reports it once: nothing that is read here is certain any more.
      const text =
        'The disk did not keep the last changes of the database: look after the disk, and restart the gateway.';
      failure = new Fault('ServiceUnavailable', text, { retryAfter: 60, cause });
    } finally {
      running = undefined;
    }
  };
  const wait = async (until: number): Promise<void> => {
    while (kept < until) {
      if (failure) throw failure;
      running ??= run();
      await running;
    }
  };
  return {
    committed() {
      commits += 1;
    },
    onDisk: () => (kept === commits ? undefined : wait(commits)),
    async close() {
      await running;
      closeSync(file);
    },
  };
}
