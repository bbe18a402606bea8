import { spawn } from 'node:child_process';
import { Duplex, PassThrough, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { ArchiveFault } from './fault.js';

export type Compression = 'none' | 'gzip' | 'bzip2';

export function compressionOf(start: Buffer): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  if (/^BZh[1-9]1AY&SY/.test(start.subarray(0, 10).toString('latin1'))) return 'bzip2';
  return 'none';
}

/** The stages that unpack it; none for a plain file. */
export function decompressor(compression: Compression): Array<Transform | Duplex> {
  if (compression === 'gzip') return [zlib.createGunzip()];
  if (compression === 'bzip2') return [bunzip2()];
  return [];
}

/** The system's bzip2: no library for it is kept well enough to meet hostile bytes. */
function bunzip2(): Duplex {
  const child = spawn('bzip2', ['-dc'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  });
  const unpacked = new PassThrough();
  child.stdout.pipe(unpacked, { end: false });
  child.stdin.on('error', () => {
    // The program ended early; its exit code says why.
  });
  child.on('error', (error) =>
    unpacked.destroy(
      new ArchiveFault(
        'format',
        'A bzip2 archive needs the program bzip2 on the gateway (apt-get install bzip2).',
        error,
      ),
    ),
  );
  child.on('close', (code) => {
    if (code === 0) unpacked.end();
    else unpacked.destroy(new ArchiveFault('format', 'Invalid archive: damaged bzip2 data.'));
  });
  const stream = Duplex.from({ writable: child.stdin, readable: unpacked });
  stream.on('close', () => child.kill('SIGKILL'));
  return stream;
}
