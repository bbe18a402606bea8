import { ArchiveFault } from './fault.js';

export interface ArchiveLimits {
  /** Members, directories included. */
  entries: number;
  /** Bytes of all members unpacked. */
  totalBytes: number;
  /** Unpacked bytes for each byte of the archive; looked at only above `ratioFloor`, because small texts pack extremely well. */
  ratio: number;
  /** Unpacked bytes below which any ratio is accepted. */
  ratioFloor: number;
}

export const DEFAULT_ARCHIVE_LIMITS: ArchiveLimits = {
  entries: 200_000,
  totalBytes: 4 * 1024 ** 3,
  ratio: 100,
  ratioFloor: 64 * 1024 ** 2,
};

/** Counts what an archive unpacks to and throws as soon as a limit is passed. */
export interface Tally {
  entry(): void;
  bytes(count: number): void;
  /** Refuses what will not fit, before a byte of it is written. */
  announce(count: number): void;
  readonly totalEntries: number;
  readonly totalBytes: number;
}

export function createTally(limits: ArchiveLimits, archiveSize: number): Tally {
  const mostBytes = Math.min(limits.totalBytes, Math.max(limits.ratioFloor, archiveSize * limits.ratio));
  let totalEntries = 0;
  let totalBytes = 0;
  const assertFits = (bytes: number) => {
    if (bytes <= mostBytes) return;
    throw new ArchiveFault(
      'limit',
      mostBytes === limits.totalBytes
        ? `The archive unpacks to more than ${limits.totalBytes} bytes.`
        : `The archive unpacks to more than ${limits.ratio} times its size: it looks like a decompression bomb.`,
    );
  };
  return {
    entry() {
      totalEntries += 1;
      if (totalEntries > limits.entries) {
        throw new ArchiveFault('limit', `The archive has more than ${limits.entries} members.`);
      }
    },
    bytes(count) {
      assertFits(totalBytes + count);
      totalBytes += count;
    },
    announce: (count) => assertFits(totalBytes + count),
    get totalEntries() {
      return totalEntries;
    },
    get totalBytes() {
      return totalBytes;
    },
  };
}
