import { createReadStream } from 'node:fs';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Parser, type ReadEntry } from 'tar';
import { type Compression, decompressor } from './compression.js';
import { ArchiveFault, shown } from './fault.js';
import type { Tally } from './limits.js';
import { type Member, memberPath, type Visit } from './member.js';

const KINDS: Record<string, Member['type']> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  Directory: 'directory',
  SymbolicLink: 'symlink',
  Link: 'hardlink',
};

/** Visits every member in the order of the stream, and skips the bytes of those that the visitor does not open. */
export async function visitTar(
  file: string,
  compression: Compression,
  tally: Tally,
  visit: Visit,
  signal?: AbortSignal,
): Promise<void> {
  const parser = new Parser({ strict: true, maxMetaEntrySize: 1024 * 1024, maxDecompressionRatio: Number.MAX_VALUE });
  let fault: unknown;
  let body: PassThrough | undefined;
  const fail = (error: unknown) => {
    fault ??= error;
    // A visitor that waits for bytes which never come would wait for ever.
    body?.destroy(error as Error);
  };
  // Members follow one another: the parser announces the next one only when the one before has been read to its end.
  let visits = Promise.resolve();
  parser.on('error', fail);
  parser.on('entry', (entry: ReadEntry) => {
    visits = visits.then(async () => {
      const open = () => {
        body = new PassThrough();
        return entry.pipe(body as unknown as NodeJS.WriteStream) as unknown as Readable;
      };
      try {
        if (fault === undefined) await visit(toMember(entry, tally, open));
      } catch (error) {
        fail(error);
      }
      if (body) entry.unpipe(body as unknown as NodeJS.WriteStream);
      body = undefined;
      entry.resume();
    });
  });
  const stages = [createReadStream(file), ...decompressor(compression), counter(tally), sink(parser, () => fault)];
  await pipeline(stages, signal ? { signal } : {}).catch(fail);
  await visits;
  if (fault !== undefined) throw asFault(fault);
}

function toMember(entry: ReadEntry, tally: Tally, open: () => Readable): Member {
  tally.entry();
  tally.announce(entry.size);
  const type = KINDS[entry.type];
  if (!type) throw new ArchiveFault('unsafe', `The member ${shown(entry.path)} is a device or another special file.`);
  return {
    path: memberPath(entry.path),
    type,
    executable: type === 'file' && ((entry.mode ?? 0) & 0o111) !== 0,
    size: entry.size,
    ...(type === 'hardlink' && { linkPath: memberPath(entry.linkpath ?? '') }),
    open: async () => (type === 'symlink' ? Readable.from([Buffer.from(entry.linkpath ?? '')]) : open()),
  };
}

/** Bytes count as they come out of the decompressor, headers included: a tar's own sizes need no trust. */
function counter(tally: Tally): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        tally.bytes(chunk.length);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function sink(parser: Parser, fault: () => unknown): Writable {
  const failed = () => fault() as Error | undefined;
  // What follows the end mark is padding. The parser would gather it in memory; it is only counted and checked.
  let ended = false;
  parser.on('eof', () => {
    ended = true;
  });
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (ended) return done(failed());
      const flowing = parser.write(chunk);
      if (failed() !== undefined || flowing) return done(failed());
      parser.once('drain', () => done(failed()));
    },
    final(done) {
      parser.once('end', () => done(failed()));
      parser.end();
      if (failed() !== undefined) done(failed());
    },
  });
}

function asFault(error: unknown): Error {
  if (error instanceof ArchiveFault) return error;
  const { code, name, message } = error as NodeJS.ErrnoException & { tarCode?: string };
  const own = (error as { tarCode?: string }).tarCode !== undefined || /^Z_/.test(code ?? '');
  if (name === 'AbortError' || !own) return error as Error;
  return new ArchiveFault('format', `Invalid archive: ${message}.`, error);
}
