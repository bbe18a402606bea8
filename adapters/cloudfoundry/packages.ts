import { randomUUID } from 'node:crypto';
import { type AdapterCall, AdapterError, type ArtefactSource } from '../adapter.js';
import { type UpstreamBody, UpstreamError } from '../upstream.js';
import { type Foundry, findOrCreate } from './client.js';
import { CODES, hasCode } from './errors.js';
import { LABELS, selector } from './names.js';
import { type App, type Package, read } from './resources.js';
import { waitFor } from './wait.js';

/** A package with the artefact's bytes, READY. */
export async function bring(foundry: Foundry, app: App, artefact: ArtefactSource, call: AdapterCall): Promise<Package> {
  const { cc, settings } = foundry;
  const labels = { [LABELS.artefact]: artefact.sha256.slice(0, 40) };
  call.step('upload');
  const query = {
    app_guids: app.guid,
    label_selector: selector(labels),
    states: 'READY,PROCESSING_UPLOAD,AWAITING_UPLOAD',
    order_by: '-created_at',
  };
  const find = async () => {
    const found = await cc.first('/v3/packages', read.package, call.signal, query, 10);
    return found.find(({ state }) => state === 'READY') ?? found[0];
  };
  const json = { type: 'bits', relationships: { app: { data: { guid: app.guid } } }, metadata: { labels } };
  const create = async () => read.package((await cc.send('POST', '/v3/packages', call.signal, { json })).body);
  const made = await findOrCreate(find, create, { settings, signal: call.signal });
  if (made.state === 'AWAITING_UPLOAD') await upload(foundry, made, artefact, call);
  return await finishUpload(foundry, made, call.signal);
}

/** The platform takes the bits of a package once; after a cut upload it still waits for them. */
async function upload({ cc }: Foundry, { guid }: Package, artefact: ArtefactSource, call: AdapterCall): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      await cc.send('POST', `/v3/packages/${guid}/upload`, call.signal, { stream: multipart(artefact, call) });
      return;
    } catch (error) {
      if (hasCode(error, CODES.uploadedAlready)) return;
      if (!(error instanceof UpstreamError && error.uncertain)) throw error;
      const { state } = await cc.get(`/v3/packages/${guid}`, read.package, call.signal);
      if (state !== 'AWAITING_UPLOAD') return;
      if (attempts >= 4) throw error;
    }
  }
}

async function finishUpload({ cc, settings }: Foundry, made: Package, signal: AbortSignal): Promise<Package> {
  if (made.state === 'READY') return made;
  const waiting = {
    what: 'the platform to process the upload',
    limit: settings.stagingTimeout,
    interval: settings.pollInterval,
    signal,
  };
  const ended = await waitFor(waiting, async () => {
    const now = await cc.get(`/v3/packages/${made.guid}`, read.package, signal);
    return ['READY', 'FAILED', 'EXPIRED'].includes(now.state) ? now : undefined;
  });
  if (ended.state === 'READY') return ended;
  throw new AdapterError('rejected', `Cloud Foundry refuses the artefact: ${ended.data?.error ?? ended.state}`);
}

/** The upload's form, streamed: an empty list of files that the platform has already, then the bits. */
function multipart(artefact: ArtefactSource, call: AdapterCall): UpstreamBody {
  // Not to be guessed: an artefact that holds the boundary would smuggle parts of its own into the form.
  const boundary = `coaps-${randomUUID()}`;
  const part = (header: string) => `--${boundary}\r\ncontent-disposition: form-data; ${header}\r\n`;
  const head = Buffer.from(
    `${part('name="resources"')}\r\n[]\r\n${part('name="bits"; filename="application.zip"')}content-type: application/zip\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    size: head.length + artefact.size + tail.length,
    async *open() {
      yield head;
      yield* watched(artefact, call);
      yield tail;
    },
  };
}

const MIB = 1024 * 1024;

async function* watched(artefact: ArtefactSource, call: AdapterCall): AsyncGenerator<Uint8Array> {
  const source = artefact.open();
  let sent = 0;
  let told = -1;
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      yield chunk;
      sent += chunk.byteLength;
      const progress = artefact.size === 0 ? 100 : Math.floor((sent / artefact.size) * 100);
      if (progress < told + 5 && sent < artefact.size) continue;
      told = progress;
      const [done, all] = [sent, artefact.size].map((bytes) => (bytes / MIB).toFixed(bytes < 10 * MIB ? 1 : 0));
      call.step('upload', { progress, text: `uploaded ${done} of ${all} MiB` });
    }
  } finally {
    source.destroy();
  }
}
