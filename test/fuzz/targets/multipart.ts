import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { isFault } from '../../../src/domain/errors.js';
import type { Artefact } from '../../../src/domain/model.js';
import type { ArtefactReceiver } from '../../../src/domain/ports.js';
import type { Upload } from '../../../src/domain/views.js';
import { DEFAULT_LIMITS } from '../../../src/http/options.js';
import { createUpload } from '../../../src/http/upload.js';
import { createUploadTurns } from '../../../src/http/upload-turns.js';
import { writeManifest } from '../../../src/representations/manifest-writer.js';
import { openArtefactFiles } from '../../../src/store/artefact-files.js';
import { exchange, firstLine } from '../exchange.js';
import { type OpenTarget, type Target, Violation } from '../target.js';

const LIMITS = { ...DEFAULT_LIMITS, document: 8 * 1024, artefact: 32 * 1024, bodySeconds: 5 };
const FORM = 'multipart/form-data; boundary=b';
const FILE =
  'Content-Disposition: form-data; name="file"; filename="a.zip"\r\nContent-Type: application/zip\r\n\r\nbytes';
const DESCRIPTOR = 'Content-Disposition: form-data; name="descriptor"\r\n\r\n<m><paas_application name="A"/></m>';
/** As Accords and Jersey send it: no filename, a nested type before the disposition. */
const ODD =
  'Content-Type: multipart/form-data; boundary=n\r\nContent-Transfer-Encoding: binary\r\nContent-Disposition: form-data; name="file"\r\n\r\nbytes';
const form = (...parts: string[]) => `${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`;

/** Uploads as they come over the wire. The first line of an input is the Content-Type, the rest the body. */
export const MULTIPART: Target = {
  name: 'multipart',
  covers: ['/src/http/', '/@fastify/busboy/'],
  seeds: () =>
    [
      `${FORM}\n${form(DESCRIPTOR, FILE)}`,
      `${FORM}; charset=US-ASCII\n${form(ODD)}`,
      `multipart/form-data; boundary="b"\n${form(FILE, FILE)}`,
      `${FORM}\n${form(FILE).slice(0, -8)}`,
      'application/xml\n<m><paas_application name="A"/></m>',
      'application/json\n{"paas_application":{"name":"A"}}',
      'multipart/mixed\n--',
    ].map((text) => Buffer.from(text)),
  words: [
    '--b',
    '--b--',
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    ' boundary=',
    'boundary="',
    'Content-Disposition: ',
    'form-data',
    'attachment',
    'name="file"',
    'name="descriptor"',
    'name=',
    'filename="',
    "filename*=UTF-8''%e4",
    'filename*=',
    'Content-Type: ',
    'application/octet-stream',
    'Content-Transfer-Encoding: base64',
    'quoted-printable',
    '7bit',
    '<m/>',
    '<',
    '{',
    '"',
    '\\',
    ';',
    '=',
    '%00',
    '../',
    '\0',
    '\xff',
    '--',
    FILE,
    DESCRIPTOR,
    ODD,
    'x'.repeat(70),
    'X-Header: y\r\n',
  ],
  open: openServer,
};

interface Kept {
  manifest: string | undefined;
  artefact: Artefact | undefined;
}

async function openServer(): Promise<OpenTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-multipart-'));
  const files = await openArtefactFiles(folder);
  const artefacts: ArtefactReceiver = {
    admit: async () => {},
    receive: async (source, name, signal) => ({
      name: name ?? '',
      type: 'zip',
      ...(await files.receive(source, signal, { maximum: LIMITS.artefact })),
    }),
  };
  const turns = createUploadTurns(1000);
  let outcome: Promise<Kept | undefined> = Promise.resolve(undefined);
  const server = createServer((req, res) => {
    const gone = new AbortController();
    res.once('close', () => gone.abort(new Error('the client has gone')));
    const upload = createUpload(req, { artefacts, limits: LIMITS, signal: gone.signal, user: 'ada', turns });
    outcome = upload.read().then(kept, (error: unknown) => {
      if (isFault(error) && error.status < 500) return undefined;
      throw error;
    });
    outcome.then(
      () => res.writeHead(200, { Connection: 'close' }).end(),
      () => res.writeHead(500, { Connection: 'close' }).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const send = async (type: string, body: Buffer): Promise<Kept | undefined> => {
    outcome = Promise.resolve(undefined);
    const head = `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    await exchange({ port, host: '127.0.0.1' }, Buffer.concat([Buffer.from(head, 'latin1'), body]));
    return await outcome;
  };
  return {
    async run(input) {
      const first = await send(...firstLine(input));
      const left = readdirSync(join(folder, 'tmp'));
      if (left.length > 0) throw new Violation(`${left.length} files of an upload are left`);
      if (first && (first.manifest !== undefined || first.artefact)) await repeat(first, files.open, send);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function kept({ manifest, artefact }: Awaited<ReturnType<Upload['read']>>): Kept {
  const saysSomething = manifest?.application !== undefined || manifest?.environment !== undefined;
  return { manifest: saysSomething ? writeManifest(manifest) : undefined, artefact };
}

/** What was understood, sent as a form without oddities, is understood the same. */
async function repeat(
  { manifest, artefact }: Kept,
  open: (sha256: string) => NodeJS.ReadableStream,
  send: (type: string, body: Buffer) => Promise<Kept | undefined>,
): Promise<void> {
  const boundary = randomBytes(12).toString('hex');
  const parts: Buffer[] = [];
  const add = (head: string, content: Buffer) =>
    parts.push(
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
      content,
      Buffer.from('\r\n'),
    );
  if (manifest !== undefined) add('name="descriptor"', Buffer.from(manifest));
  if (artefact) add('name="file"; filename="a.zip"', await buffer(open(artefact.sha256)));
  const second = await send(
    `multipart/form-data; boundary=${boundary}`,
    Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
  );
  // A document that grows when it is written may pass the limit.
  if (!second && manifest !== undefined && manifest.length > LIMITS.document) return;
  if (second?.manifest !== manifest || second?.artefact?.sha256 !== artefact?.sha256)
    throw new Violation(
      `${manifest} with ${artefact?.sha256} came back as ${second?.manifest} with ${second?.artefact?.sha256}`,
    );
}
