import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { PassThrough, Readable } from 'node:stream';
import type { ManagerCore } from './method.js';

export interface OutputOptions {
  lines: number;
  follow: boolean;
  nodeId?: string;
}

/** The output of a service's applications as one stream of lines. Destroying it ends what feeds it. */
export async function lastOutput(manager: ManagerCore, { lines, follow, nodeId }: OutputOptions): Promise<Readable> {
  const nodes = (await manager.store.nodes({ sid: manager.sid })).filter(
    (node) => nodeId === undefined || node.nodeId === nodeId,
  );
  const agents = await manager.fleet.living(nodes);
  if (agents.size === 0) return await keptOutput(manager.outputFile);
  const abort = new AbortController();
  const sources = await Promise.all(
    [...agents].map(async ([id, agent]) => ({
      prefix: agents.size > 1 ? `${id} | ` : '',
      stream: await agent.logs({ lines, follow, signal: abort.signal }),
    })),
  );
  const merged = new PassThrough();
  merged.once('close', () => abort.abort());
  void Promise.all(sources.map(({ prefix, stream }) => copyLines(stream, prefix, merged))).then(() => merged.end());
  return merged;
}

async function copyLines(source: Readable, prefix: string, target: PassThrough): Promise<void> {
  source.on('error', () => undefined);
  try {
    for await (const line of createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (target.destroyed) return;
      if (!target.write(`${prefix}${line}\n`)) await drained(target);
    }
  } catch {
    // One node that is gone does not end the others' output.
  } finally {
    source.destroy();
  }
}

function drained(target: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      target.off('drain', done).off('close', done);
      resolve();
    };
    target.on('drain', done).on('close', done);
  });
}

async function keptOutput(file: string): Promise<Readable> {
  return (await stat(file).catch(() => undefined)) ? createReadStream(file) : Readable.from([]);
}
