import express, { type Express } from 'express';
import type { Action, Call, Method } from '../api/action.js';
import type { Match } from '../api/lookup.js';
import type { ActionKey } from '../api/table.js';
import { Fault } from '../domain/errors.js';
import type { Principal } from '../domain/principal.js';
import { readBody } from '../representations/bodies.js';
import { type Api, createApi, type Known } from './api.js';
import { type Authenticate, createAuthenticate } from './authenticate.js';
import { BodyDigest, bodyFormat, hasBody, mediaType, readBytes } from './body.js';
import { allowed, sendHead } from './discovery.js';
import { sendError } from './errors.js';
import { type Exchange, hrefOf, openExchange, readLine } from './exchange.js';
import { lasting } from './keeping.js';
import type { Memory } from './memory.js';
import { formatOf, preferred } from './negotiate.js';
import { type AppOptions, DEFAULT_LIMITS, type Limits } from './options.js';
import { createOwners } from './owners.js';
import { checkCommon, readOwn } from './parameters.js';
import { waitOf } from './prefer.js';
import { respond } from './respond.js';
import { isSigned, parameterOf } from './signature.js';
import { createUpload } from './upload.js';
import { createUploadTurns, type UploadTurns } from './upload-turns.js';

interface Parts {
  options: AppOptions;
  limits: Limits;
  api: Api;
  authenticate: Authenticate;
  memory: Memory | undefined;
  turns: UploadTurns;
}

/** The COAPS API as an Express application. It listens nowhere; the caller gives it to a server. `memory`: what spares it work. */
export function createApp(options: AppOptions, memory?: Memory): Express {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const parts: Parts = {
    options,
    limits,
    turns: createUploadTurns(limits.uploadsPerUser),
    api: createApi(options),
    authenticate: createAuthenticate(options),
    memory,
  };
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((req, res) => {
    const exchange = openExchange(req, res, options);
    serve(parts, exchange)
      .catch((error) => sendError(exchange, error, options.log))
      .catch((err) => {
        options.log.error({ err, requestId: exchange.requestId }, 'An error could not be answered');
        res.destroy();
      });
  });
  return app;
}

async function serve(parts: Parts, exchange: Exchange): Promise<void> {
  const { options, api, memory } = parts;
  const { req } = exchange;
  const since = memory?.now();
  const accepted = preferred(req.headers.accept);
  exchange.format = accepted ?? 'xml';
  if (req.headers.host === undefined && req.httpVersion === '1.1') {
    throw new Fault('InvalidValue', 'The request has no header Host.');
  }
  const outside = attempt(() => readLine(exchange, options.bases));
  exchange.principal = await principalOf(parts, exchange, since);
  if (outside) throw outside;
  const match = api.lookup.find(exchange.path);
  if (!match) throw new Fault('NotFound', 'Nothing is at this path.');
  exchange.route = match.route.path;
  const format = formatOf(parameterOf(exchange.target.query, 'Format'));
  exchange.format = format ?? exchange.format;
  const known = knownExchange(api, exchange, match);
  const reading = match.route.actions.get('GET');
  const kept = lasting(memory, known, since, reading && api.table[reading]);
  if (kept) known.lasting = kept;
  if (req.method === 'OPTIONS') return sendOptions(parts, known, match);
  if (req.method === 'HEAD') return head(parts, known, match);
  const key = match.route.actions.get(req.method as Method);
  if (!key) {
    const allow = allowed(match.route);
    throw new Fault('MethodNotAllowed', `${req.method} is not known here. Known: ${allow.join(', ')}.`, { allow });
  }
  exchange.action = key;
  if (!format && !accepted && hasForms(api.table[key])) {
    throw new Fault('NotAcceptable', 'The answer is application/xml or application/json; accept one of them.');
  }
  await act(parts, known, key);
}

async function principalOf(
  { memory, authenticate }: Parts,
  exchange: Exchange,
  since: number | undefined,
): Promise<Principal> {
  const { req, target } = exchange;
  if (!memory || isSigned(target)) return authenticate(exchange);
  const recognised = memory.recognition.find(req);
  if (recognised) return recognised;
  const principal = await authenticate(exchange);
  if (since !== undefined) memory.recognition.remember(req, principal, since);
  return principal;
}

/** A fault in the request's line is told after the caller is known: nothing is told to strangers. */
function attempt(work: () => void): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

function hasForms({ response }: Action): boolean {
  return !['bytes', 'logs', 'wadl', 'openapi'].includes(response);
}

function knownExchange(api: Api, exchange: Exchange, { params }: Match): Known {
  const known = Object.assign(exchange, { params }) as Known;
  known.owned = createOwners(known.principal, api.tenantOf(known));
  return known;
}

function sendOptions(parts: Parts, exchange: Known, match: Match): void {
  check(parts, exchange, [...match.route.actions.values()]);
  exchange.res.setHeader('Allow', allowed(match.route).join(', '));
  exchange.res.statusCode = 204;
  exchange.res.end();
}

async function head(parts: Parts, exchange: Known, match: Match): Promise<void> {
  const keys = [...match.route.actions.values()];
  const { role } = exchange.principal;
  if (!keys.some((key) => parts.api.table[key].roles.includes(role))) throw accessDenied();
  check(parts, exchange, keys);
  await sendHead(parts.api, exchange, match);
}

function check({ options, api }: Parts, { target }: Known, keys: readonly ActionKey[]): void {
  const required = options.commonParameters === 'required';
  const now = (options.now ?? Date.now)();
  checkCommon(
    target.query,
    keys.map((key) => [key, api.table[key]] as const),
    { required, now },
  );
}

function accessDenied(): Fault {
  return new Fault('AccessDenied', 'Your role does not allow this.');
}

async function act(parts: Parts, exchange: Known, key: ActionKey): Promise<void> {
  const { api, options } = parts;
  const action: Action = api.table[key];
  if (!action.roles.includes(exchange.principal.role)) throw accessDenied();
  check(parts, exchange, [key]);
  const { req, base, principal, requestId, signal } = exchange;
  const call = {
    params: exchange.params,
    query: readOwn(exchange.target.query, action),
    body: await bodyOf(parts, exchange, action),
    principal,
    ...(base.platform !== undefined && { platform: base.platform }),
    wait: waitOf(req.headers.prefer as string | undefined, options.patience),
    // The client of 1.6 sends this header with its POSTs and means nothing by it.
    fresh: req.method === 'GET' && /no-cache/i.test(req.headers['cache-control'] ?? ''),
    requestId,
    signal,
    baseUrl: hrefOf(exchange, '/'),
  };
  await respond(api, exchange, key, await api.call(key, call as unknown as Call<Action>));
}

async function bodyOf({ options, limits, turns }: Parts, exchange: Known, { body }: Action): Promise<unknown> {
  if (body === undefined || body === 'none') return undefined;
  const { req, target, signal } = exchange;
  const digest = digestOf(exchange);
  if (body === 'upload') {
    const { artefacts } = options;
    const user = exchange.principal.name;
    return createUpload(req, { artefacts, limits, signal, user, turns, ...(digest && { digest }) });
  }
  const bytes = hasBody(req) ? await readBytes(req, limits) : Buffer.alloc(0);
  digest?.check();
  const said = formatOf(parameterOf(target.query, 'Format'));
  const type = mediaType(req);
  const format = bytes.length === 0 || (type === '' && said === 'xml') ? 'xml' : bodyFormat(type, bytes);
  return readBody(body, format, bytes);
}

/** A signed request signs its body by the parameter `ContentSha256`. */
function digestOf({ req, target }: Known): BodyDigest | undefined {
  if (!isSigned(target) || !hasBody(req)) return undefined;
  const expected = parameterOf(target.query, 'ContentSha256');
  if (expected === undefined) {
    throw new Fault('MissingParameter', 'A signed request with a body needs the parameter ContentSha256.');
  }
  return new BodyDigest(req, expected);
}
