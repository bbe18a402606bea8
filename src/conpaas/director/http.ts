import { rm } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { isFault } from '../../domain/errors.js';
import { ELSEWHERE, LEASE } from '../host.js';
import { type Answer, send, tellWhenAgain } from '../http/answer.js';
import { readForm, requestTarget } from '../http/request.js';
import { peerSubject } from '../peer.js';
import { type Call, type Director, type Endpoint, FALSE, failure } from './endpoint.js';
import { createRouter } from './router.js';

/** Bytes of an uploaded file: certificate signing requests. */
const LARGEST_FILE = 64 * 1024;

/** The Director's HTTP: certificates, parameters and answers around the endpoints. `folder` takes uploads for a moment. */
export function createDirectorHandler(
  director: Director,
  endpoints: readonly Endpoint[],
  folder: string,
): RequestListener {
  const route = createRouter(endpoints);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = requestTarget(request);
    const found = route(request.method ?? '', target.pathname);
    if (!found) return await send(response, 404, { text: 'Not Found' });
    if ('allow' in found) {
      response.setHeader('Allow', found.allow.join(', '));
      return await send(response, 405, { text: 'Method Not Allowed' });
    }
    const { anywhere, who } = found.endpoint;
    // Managers of this host are served all the same.
    if (!anywhere && who !== 'manager' && !director.leads()) {
      response.setHeader('Retry-After', String(LEASE));
      return await send(response, 503, { text: ELSEWHERE });
    }
    const caller = await callerOf(director, found.endpoint, request.socket as TLSSocket);
    if (caller === 'no certificate') {
      return await send(response, 401, { text: 'Unauthorized: this needs a certificate of another kind' });
    }
    const form = await readForm(request, response, { file: LARGEST_FILE, folder });
    try {
      const call: Call = {
        parameters: merged(target.searchParams, form.fields),
        files: form.files,
        path: found.path,
        address: request.socket.remoteAddress ?? '',
      };
      const answer = caller === 'unknown' ? FALSE : await run(director, found.endpoint, call, caller);
      await send(response, 200, answer);
    } finally {
      for (const { path } of form.files) await rm(path, { force: true });
    }
  }

  return (request, response) => {
    handle(request, response).catch(async (error: unknown): Promise<unknown> => {
      const { status, answer } = failed(director, error, request);
      if (response.headersSent) return response.destroy();
      tellWhenAgain(response, error);
      await send(response, status, answer).catch(() => response.destroy());
    });
  };
}

type Caller = Partial<Pick<Parameters<Extract<Endpoint, { who: 'user' }>['run']>[1], 'user'>> &
  Partial<Pick<Parameters<Extract<Endpoint, { who: 'manager' }>['run']>[1], 'service'>>;

/** Each endpoint's own kind of certificate; who it names must still exist. */
async function callerOf(
  director: Director,
  endpoint: Endpoint,
  socket: TLSSocket,
): Promise<Caller | 'no certificate' | 'unknown'> {
  if (endpoint.who === 'anyone') return {};
  const subject = peerSubject(socket);
  if (subject?.role !== endpoint.who) return 'no certificate';
  if (endpoint.who === 'user') {
    const user = await director.users.byUid(subject.uid);
    return user ? { user } : 'unknown';
  }
  const service = await director.store.service(subject.serviceLocator);
  return service?.uid === subject.uid ? { service } : 'unknown';
}

async function run(director: Director, endpoint: Endpoint, call: Call, { user, service }: Caller): Promise<Answer> {
  if (endpoint.who === 'anyone') return await endpoint.run(director, call);
  if (endpoint.who === 'user' && user) return await endpoint.run(director, { ...call, user });
  if (endpoint.who === 'manager' && service) return await endpoint.run(director, { ...call, service });
  return FALSE;
}

/** The query wins over the body. */
function merged(query: URLSearchParams, fields: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query, ...fields]);
}

function failed(director: Director, error: unknown, request: IncomingMessage): { status: number; answer: Answer } {
  if (isFault(error) && error.code === 'NotFound') return { status: 404, answer: { text: 'Not Found' } };
  if (isFault(error)) return { status: 200, answer: failure(error.message) };
  if (!request.complete && request.destroyed) return { status: 400, answer: { text: 'Bad Request' } };
  director.log.error({ err: error, method: request.method }, 'A request to the Director failed');
  return { status: 200, answer: failure('The Director failed inside; its log says why.') };
}
