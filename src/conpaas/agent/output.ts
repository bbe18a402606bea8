import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';

export interface OutputLimits {
  /** Bytes of one file. */
  fileBytes: number;
  /** Files that are kept, the current one included. */
  files: number;
}

export interface Output {
  /** Takes what the application printed. Lines are never cut or lost by the rotation. */
  write(chunk: Buffer): void;
  /** A line of the agent's own, so that people see starts and ends between the application's lines. */
  note(text: string): void;
  /** The last lines, oldest first. */
  tail(lines: number): string[];
  /** The last lines for people who ask why: of stack traces only the first frames. */
  lastLines(): string[];
  /** The last lines, then with `follow` everything that comes, until the stream is destroyed. */
  read(lines: number, follow: boolean): Readable;
  close(): void;
}

/** A reader that is slower than the application loses lines instead of holding them in memory. */
const MOST_PENDING = 1024 * 1024;

const LOOK_BACK = 300;
const LAST_LINES = 40;
const FRAMES = 3;

/**
 * The application's output in files of bounded size. Written synchronously: chunks are small, and what was printed before a crash of
 * the agent is there.
 */
export async function openOutput(folder: string, limits: OutputLimits): Promise<Output> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fileName = (age: number) => join(folder, age === 0 ? 'output.log' : `output.${age}.log`);
  const followers = new Set<PassThrough>();
  let file = openSync(fileName(0), 'a', 0o600);
  let size = statSync(fileName(0)).size;
  let atLineStart = true;

  const rotate = () => {
    closeSync(file);
    rmSync(fileName(limits.files - 1), { force: true });
    for (let age = limits.files - 2; age >= 0; age -= 1) {
      try {
        renameSync(fileName(age), fileName(age + 1));
      } catch {
        // That many files were not written yet.
      }
    }
    file = openSync(fileName(0), 'a', 0o600);
    size = 0;
  };

  const append = (chunk: Buffer) => {
    if (chunk.length === 0) return;
    writeSync(file, chunk);
    size += chunk.length;
    atLineStart = chunk[chunk.length - 1] === 0x0a;
    for (const follower of followers) {
      if (follower.writableLength < MOST_PENDING) follower.write(chunk);
    }
  };

  const write = (chunk: Buffer): void => {
    const room = Math.max(0, limits.fileBytes - size);
    const next = chunk.indexOf(0x0a);
    // A line may go on beyond the file's size; only one that never ends is cut.
    const isSpare = next < 0 && size + chunk.length < 2 * limits.fileBytes;
    if (chunk.length <= room || isSpare) {
      append(chunk);
      return;
    }
    const inside = room === 0 ? -1 : chunk.lastIndexOf(0x0a, room - 1);
    const cut = inside >= 0 ? inside + 1 : next >= 0 && size + next < 2 * limits.fileBytes ? next + 1 : room;
    append(chunk.subarray(0, cut));
    rotate();
    write(chunk.subarray(cut));
  };

  const tail = (lines: number): string[] => {
    let found: string[] = [];
    for (let age = 0; age < limits.files && found.length <= lines; age += 1) {
      const older = textOf(fileName(age)).split('\n');
      // A file may end within a line, which then goes on in the next one.
      const joint = (older.pop() ?? '') + (found.shift() ?? '');
      found = [...older, joint, ...found];
    }
    if (found.at(-1) === '') found.pop();
    return lines === 0 ? [] : found.slice(-lines);
  };

  return {
    write,
    tail,
    lastLines: () => withoutFrames(tail(LOOK_BACK)).slice(-LAST_LINES),
    note: (text) => write(Buffer.from(`${atLineStart ? '' : '\n'}[coaps] ${text}\n`)),
    read: (lines, follow) => {
      const stream = new PassThrough();
      const recent = tail(lines);
      if (recent.length > 0) stream.write(`${recent.join('\n')}\n`);
      if (!follow) return stream.end();
      followers.add(stream);
      stream.on('close', () => followers.delete(stream));
      return stream;
    },
    close: () => {
      for (const follower of followers) follower.end();
      closeSync(file);
    },
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function withoutFrames(lines: readonly string[]): string[] {
  let frames = 0;
  return lines.filter((line) => {
    frames = /^\s+at /.test(line) ? frames + 1 : 0;
    return frames <= FRAMES;
  });
}
