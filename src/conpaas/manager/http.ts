import { rm } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { isFault } from '../../domain/errors.js';
import { type Answer, send, tellWhenAgain } from '../http/answer.js';
import { mediaType, type ReceivedFile, readForm, readText, requestTarget } from '../http/request.js';
import type { ConpaasLog } from '../log.js';
import { peerSubject } from '../peer.js';
import { checkParameters, type ManagerCore, type Method, type MethodCall, RpcError } from './method.js';

export interface ManagerHandlerOptions {
  manager: ManagerCore;
  /** Owner of the service. */
  uid: number;
  methods: readonly Method[];
  /** Takes uploads for a moment; on the file system of the code versions. */
  folder: string;
  /** Bytes of an upload. */
  largestFile: number;
  /** Asked before so many bytes are taken (0: nobody said); throws a Fault when there is no room for them. */
  admitUpload: (bytes: number) => Promise<void>;
  log: ConpaasLog;
}

const JSON_TYPES = ['application/json-rpc', 'application/json', 'application/jsonrequest'];

interface Rpc extends MethodCall {
  method: Method;
  /** Echoed as sent: text from a GET, any JSON from a POST, 1 for uploads. */
  id: unknown;
}

/** A request that gets an HTTP status instead of an RPC answer. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The request breaks the protocol so that the original hangs up. */
class HangUp extends Error {}

/** JSON-RPC over HTTPS as ConPaaS 1.x speaks it. */
export function createManagerHandler(options: ManagerHandlerOptions): RequestListener {
  const { manager, methods, log } = options;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isServed(request.socket as TLSSocket, options.uid, manager.sid)) {
      throw new Refusal(401, 'This manager serves the owner of its service only');
    }
    if (requestTarget(request).pathname !== '/') throw new Refusal(404, 'Not Found');
    const files: ReceivedFile[] = [];
    try {
      const rpc = await readCall(options, request, response, files);
      const { status, answer } = await answerTo(rpc, response);
      await send(response, status, answer);
    } finally {
      for (const { path } of files) await rm(path, { force: true });
    }
  }

  async function answerTo(rpc: Rpc, response: ServerResponse): Promise<{ status: number; answer: Answer }> {
    const { id, method } = rpc;
    try {
      checkParameters(method, rpc);
      const outcome = await method.run(manager, rpc);
      return {
        status: 200,
        answer: 'result' in outcome ? { json: { id, result: outcome.result, error: null } } : outcome,
      };
    } catch (error) {
      if (error instanceof RpcError) return { status: 200, answer: { json: { id, error: error.message } } };
      log.error({ err: error, sid: manager.sid, method: method.name }, 'A method of a manager failed');
      tellWhenAgain(response, error);
      const text = isFault(error) ? error.message : 'an inner failure, which the log of the gateway tells';
      return { status: 200, answer: { json: { error: `Error when calling method ${method.name}: ${text}` } } };
    }
  }

  return (request, response) => {
    handle(request, response).catch(async (error: unknown) => {
      const refusal = refusalOf(error);
      if (!refusal || response.headersSent) {
        if (!(error instanceof HangUp)) log.debug({ err: error, sid: manager.sid }, 'A request to a manager failed');
        return response.destroy();
      }
      await send(response, refusal.status, { text: refusal.message }).catch(() => response.destroy());
    });
  };

  function find(kind: Method['kind'], name: unknown): Method {
    if (typeof name !== 'string') throw new Refusal(400, 'Did not specify method');
    const method = methods.find((known) => known.name === name && known.kind === kind);
    if (!method) throw new Refusal(404, 'method not found');
    return method;
  }

  async function readCall(
    { folder, largestFile, admitUpload }: ManagerHandlerOptions,
    request: IncomingMessage,
    response: ServerResponse,
    files: ReceivedFile[],
  ): Promise<Rpc> {
    if (request.method === 'GET') return readGet(request);
    if (request.method !== 'POST') throw new Refusal(405, 'Method Not Allowed');
    if (mediaType(request) !== 'multipart/form-data') return await readPost(request);
    await admitUpload(Number(request.headers['content-length'] ?? 0));
    const form = await readForm(request, response, { file: largestFile, folder });
    files.push(...form.files);
    const { method, ...parameters } = Object.fromEntries(form.fields);
    return { method: find('UPLOAD', method), id: 1, parameters, files };
  }

  function readGet(request: IncomingMessage): Rpc {
    assertJson(request);
    const { searchParams } = requestTarget(request);
    const method = find('GET', searchParams.get('method') ?? undefined);
    const id = searchParams.get('id');
    if (id === null) throw new HangUp('no id');
    return { method, id, parameters: objectOf(searchParams.get('params') ?? '{}'), files: [] };
  }

  async function readPost(request: IncomingMessage): Promise<Rpc> {
    assertJson(request);
    const body = objectOf(await readText(request));
    const method = find('POST', body['method']);
    if (!('id' in body)) throw new HangUp('no id');
    const { params = {} } = body;
    if (!isObject(params)) throw new HangUp('params is no object');
    return { method, id: body['id'], parameters: params, files: [] };
  }
}

/** Its owner, the Director, and its own agents. */
function isServed(socket: TLSSocket, uid: number, sid: number): boolean {
  const subject = peerSubject(socket);
  if (subject?.role === 'frontend') return true;
  if (subject?.uid !== uid) return false;
  return subject.role === 'user' || (subject.role === 'agent' && subject.serviceLocator === sid);
}

/** Exactly: the original refuses `application/json; charset=utf-8`. */
function assertJson(request: IncomingMessage): void {
  const type = request.headers['content-type'];
  if (type === undefined || !JSON_TYPES.includes(type.trim().toLowerCase())) {
    throw new Refusal(415, 'Unsupported Media Type');
  }
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {}
  throw new HangUp('no JSON object');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusalOf(error: unknown): { status: number; message: string } | undefined {
  if (error instanceof Refusal) return error;
  if (isFault(error)) return { status: error.status, message: error.message };
  return undefined;
}
