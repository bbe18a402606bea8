import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import type { AgentClient } from '../agent/client.js';

export interface KeptDump {
  path: string;
  /** For people. */
  name: string;
  remove(): void;
}

/** The whole dump as a file, or nothing: what a client reads cannot be half of it. */
export async function keptDump(folder: string, agent: AgentClient): Promise<KeptDump> {
  const path = join(folder, `dump-${randomBytes(12).toString('hex')}.sql`);
  try {
    await pipeline(await agent.dump(), createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { path, name: 'dump.sql', remove: () => void rm(path, { force: true }) };
}

/** A stream of text as the result of a JSON-RPC answer, however long it is. */
export function rpcText(source: Readable, id: unknown): Readable {
  return Readable.from(rpcParts(source, id));
}

async function* rpcParts(source: Readable, id: unknown): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  const inside = (text: string) => JSON.stringify(text).slice(1, -1);
  yield `{"id":${JSON.stringify(id)},"result":"`;
  for await (const chunk of source) yield inside(decoder.write(chunk as Buffer));
  yield `${inside(decoder.end())}","error":null}`;
}

const SYSTEM_DATABASE =
  /^(?:USE|CREATE DATABASE(?: \/\*!\d+ IF NOT EXISTS\*\/)?) `(mysql|sys|information_schema|performance_schema)`/;

/** The server's own databases, which a dump with `--all-databases` of another server brings along, and which would spoil ours. */
export async function systemDatabaseIn(path: string): Promise<string | undefined> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    const name = SYSTEM_DATABASE.exec(line)?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
}
