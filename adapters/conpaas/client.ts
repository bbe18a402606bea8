import { randomBytes, X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { type AdapterCall, AdapterError, type ArtefactSource } from '../adapter.js';
import {
  createUpstream,
  type Upstream,
  type UpstreamAnswer,
  UpstreamError,
  type UpstreamSettings,
} from '../upstream.js';
import { ConpaasRefusal, UnknownMethod } from './errors.js';
import type { Settings } from './settings.js';

/** A manager's JSON-RPC. Rejects with UpstreamError, ConpaasRefusal (the error's text) or UnknownMethod. */
export interface ManagerApi {
  get(method: string, parameters?: Record<string, unknown>): Promise<unknown>;
  post(method: string, parameters?: Record<string, unknown>): Promise<unknown>;
  /** Streams an archive and returns its code version's id. */
  uploadCode(artefact: ArtefactSource, description: string): Promise<string>;
}

/** Managers by their address. */
export interface ManagerClients {
  at(manager: string, call: AdapterCall): ManagerApi;
  /** For what is no JSON. */
  urlOf(manager: string): URL;
  close(): void;
}

/** TLS as a ConPaaS user: whom we show, and how a peer is recognised. */
export function identifiedBy(
  settings: Settings,
  { certificate, role }: { certificate: boolean; role: 'frontend' | 'manager' },
): NonNullable<UpstreamSettings['tls']> {
  const uid = uidOf(settings.certificate);
  return {
    ...(certificate ? { cert: settings.certificate, key: settings.key } : {}),
    ...(settings.oldTls ? { minVersion: 'TLSv1' as const, ciphers: 'DEFAULT@SECLEVEL=0' } : {}),
    ...(settings.oldTls && role === 'frontend'
      ? { checkServerIdentity: () => undefined }
      : role === 'manager'
        ? { checkServerIdentity: (_host: string, peer: PeerCertificate) => managerOf(peer, uid) }
        : {}),
  };
}

/** A manager has no host name: what counts is that our authority made it a manager of the same user. */
function managerOf(peer: PeerCertificate, uid: string | undefined): Error | undefined {
  const subject = peer.subject as unknown as Record<string, unknown>;
  if (subject['role'] === 'manager' && subject['UID'] === uid) return undefined;
  return Object.assign(new Error('The peer is no manager of this user.'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}

function uidOf(certificate: string): string | undefined {
  const { UID } = new X509Certificate(certificate).toLegacyObject().subject as unknown as Record<string, string>;
  return UID;
}

export function createManagerClients(settings: Settings): ManagerClients {
  const upstreams = new Map<string, Upstream>();
  const tls = identifiedBy(settings, { certificate: true, role: 'manager' });
  const urlOf = (manager: string) =>
    new URL(`https://${manager.includes(':') ? manager : `${manager}:${settings.managerPort}`}`);
  return {
    urlOf,
    at(manager, call) {
      const upstream =
        upstreams.get(manager) ??
        createUpstream({
          name: 'The ConPaaS manager',
          baseUrl: urlOf(manager).origin,
          ca: settings.ca,
          requestTimeout: settings.requestTimeout,
          patience: PATIENCE,
          secrets: () => [settings.key],
          ...(settings.onCall ? { onCall: settings.onCall } : {}),
          tls,
        });
      // The newest at the end.
      upstreams.delete(manager);
      upstreams.set(manager, upstream);
      const [oldest] = upstreams.keys();
      if (upstreams.size > MOST_KEPT && oldest !== undefined) upstreams.delete(oldest);
      return managerApi(upstream, call);
    },
    close() {
      for (const upstream of upstreams.values()) upstream.close();
    },
  };
}

const PATIENCE = 2_000;
/**
 * Each deployment has a manager of its own, at an address that nobody has again, so that most of these are of managers long gone. One
 * that is left out need not be closed: a manager ends each connection with its answer, and who asks just now keeps it.
 */
const MOST_KEPT = 100;
const JSON_TYPE = { 'content-type': 'application/json' };

function managerApi(upstream: Upstream, { signal, step }: AdapterCall): ManagerApi {
  const read = async (method: string, answering: ReturnType<Upstream['request']>): Promise<unknown> => {
    const { body, headers } = await answering.catch((error: unknown) => {
      if (!(error instanceof UpstreamError) || error.status !== 404) throw error;
      throw new UnknownMethod(`This ConPaaS manager has no method "${method}".`);
    });
    return resultOf(body, headers);
  };
  return {
    get: (method, parameters = {}) =>
      read(
        method,
        upstream.request({
          method: 'GET',
          path: '/',
          query: { method, id: 1, params: JSON.stringify(parameters) },
          headers: JSON_TYPE,
          signal,
        }),
      ),
    post: (method, parameters = {}) =>
      read(
        method,
        upstream.request({ method: 'POST', path: '/', json: { method, params: parameters, id: 1 }, signal }),
      ),
    async uploadCode(artefact, description) {
      const stream = multipart(artefact, { method: 'upload_code_version', description }, (sent) =>
        step('upload', { progress: Math.floor((100 * sent) / Math.max(1, artefact.size)) }),
      );
      const result = await read('upload_code_version', upstream.request({ method: 'POST', path: '/', stream, signal }));
      const { codeVersionId } = result as { codeVersionId?: unknown };
      if (typeof codeVersionId !== 'string') throw new AdapterError('unavailable', 'The manager took no code.');
      return codeVersionId;
    },
  };
}

function resultOf(body: unknown, headers: UpstreamAnswer['headers']): unknown {
  if (typeof body !== 'object' || body === null) return body;
  if ('error' in body && typeof body.error === 'string') throw new ConpaasRefusal(body.error, headers);
  return 'result' in body ? body.result : body;
}

/** A form with texts first and the file `code` last, of a size that is known beforehand. */
function multipart(artefact: ArtefactSource, fields: Record<string, string>, sent: (bytes: number) => void) {
  const boundary = `coaps${randomBytes(12).toString('hex')}`;
  const texts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const filename = artefact.name.replace(/["\r\n\\/]/g, '_');
  const head = Buffer.from(
    `${texts.join('')}--${boundary}\r\nContent-Disposition: form-data; name="code"; filename="${filename}"\r\n` +
      'Content-Type: application/octet-stream\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    size: head.length + artefact.size + tail.length,
    async *open() {
      yield head;
      let bytes = 0;
      for await (const chunk of artefact.open() as AsyncIterable<Buffer>) {
        yield chunk;
        bytes += chunk.length;
        sent(bytes);
      }
      yield tail;
    },
  };
}
