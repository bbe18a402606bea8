import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Accepted, Action } from '../api/action.js';
import type { LinkContext } from '../api/links.js';
import { JSON_TYPE, XML_TYPE } from '../api/media.js';
import { type Subject, subjectOfRow, subjectOfThing } from '../api/subjects.js';
import type { ActionKey } from '../api/table.js';
import { isLegal } from '../domain/states.js';
import type { Listing, ResponseKind, ResponseValues } from '../domain/views.js';
import { jsonList, writeJson } from '../representations/json.js';
import { isListKind, isThingKind, LISTS, type ListKind, THINGS, type ThingKind } from '../representations/kinds.js';
import { listPieces, type Row } from '../representations/list.js';
import type { WireRecord } from '../representations/shape.js';
import type { Rows, Thing } from '../representations/thing.js';
import { writeXml, xmlList } from '../representations/xml.js';
import type { Api, Known } from './api.js';
import { sendDownload } from './download.js';
import { type Exchange, hrefOf } from './exchange.js';
import { etagOf, REVALIDATE } from './keeping.js';
import { linkRecords } from './link-records.js';
import { isMatch } from './match.js';
import { isOfOneRequest } from './parameters.js';

/** Writes what a handler has given. */
export async function respond(api: Api, exchange: Known, key: ActionKey, answer: unknown): Promise<void> {
  const action: Action = api.table[key];
  const { res } = exchange;
  if (isAccepted(answer)) {
    const path = api.links.self('task', { taskId: answer.accepted.taskId });
    if (path) res.setHeader('Location', hrefOf(exchange, path));
    return sendThing(api, exchange, 'task', answer.accepted, 202);
  }
  const kind = action.response;
  if (isThingKind(kind)) {
    if (action.links?.some((rule) => rule.rel === 'add')) setLocation(api, exchange, kind, answer);
    return sendThing(api, exchange, kind, answer as ResponseValues[ThingKind], 200);
  }
  if (isListKind(kind)) return sendList(api, exchange, kind, answer as Listing<unknown>);
  return sendOther(exchange, kind, answer);
}

function isAccepted(answer: unknown): answer is Accepted {
  return typeof answer === 'object' && answer !== null && 'accepted' in answer;
}

/** Where what was created is from now on. The status stays 200: one client of 2013 takes nothing else for success. */
function setLocation({ links }: Api, exchange: Known, kind: ThingKind, value: unknown): void {
  const subject = subjectOfThing(kind, value as never, exchange.params);
  const path = links.self(subject.on, subject.params);
  if (path) exchange.res.setHeader('Location', hrefOf(exchange, path));
}

async function sendThing(
  api: Api,
  exchange: Known,
  kind: ThingKind,
  value: ResponseValues[ThingKind],
  status: number,
): Promise<void> {
  const thing = THINGS[kind] as Thing<unknown>;
  const links = linkRecords(exchange, await thingLinks(api, exchange, kind, value));
  const record = thing.record(value, { links });
  await sendWhole(exchange, status, exchange.format === 'json' ? writeJson(record) : writeXml(thing.shape, record));
}

/** The links of a document, with what its own subject needs to be known. */
export async function thingLinks(api: Api, exchange: Known, kind: ThingKind, value: unknown) {
  const around = kind === 'service' ? { name: exchange.principal.name } : exchange.params;
  const subject = await exchange.owned(subjectOfThing(kind, value as never, around));
  const context: LinkContext = { principal: exchange.principal, can: api.canOn(exchange.base) };
  if (kind !== 'instance' || !subject.state || !isLegal('deploy', subject.state)) {
    return api.links.ofThing(subject, context);
  }
  return api.links.ofThing(subject, {
    ...context,
    environments: await api.environmentsFor(exchange, subject.params['envId'] as number | undefined),
  });
}

async function sendList(api: Api, exchange: Known, kind: ListKind, listing: Listing<unknown>): Promise<void> {
  const { list, record } = LISTS[kind] as Rows<unknown>;
  const context: LinkContext = { principal: exchange.principal, can: api.canOn(exchange.base) };
  const linksOf = api.links.ofRows(context);
  const described = (value: unknown, subject: Subject): Row => {
    const { on, params, name } = subject;
    const path = api.links.self(on, params);
    const own = record(value, { links: [], ...(path !== undefined && { self: hrefOf(exchange, path) }) });
    return { record: own, links: linksOf(subject), params, name };
  };
  const rowOf = (value: unknown) => {
    const subject = exchange.owned(subjectOfRow(kind, value, exchange.params));
    return subject instanceof Promise ? subject.then((known) => described(value, known)) : described(value, subject);
  };
  const own = linkRecords(exchange, await listLinks(api, exchange, kind));
  const links = () => [...own, ...nextPage(exchange, kind, listing.nextPage)];
  const writer = (exchange.format === 'json' ? jsonList : xmlList)(list, hrefOf(exchange, '/'));
  await sendPieces(exchange, listPieces(writer, listing.items, rowOf, links));
}

export async function listLinks(api: Api, exchange: Known, kind: ListKind) {
  const subject = await exchange.owned({ on: kind, params: exchange.params });
  return api.links.ofThing(subject, { principal: exchange.principal, can: api.canOn(exchange.base) });
}

function nextPage({ origin, target }: Exchange, kind: ListKind, page: number | undefined): WireRecord[] {
  if (page === undefined) return [];
  const query = target.query
    .filter(([name]) => name !== 'page' && !isOfOneRequest(name))
    .concat([['page', String(page)]]);
  const text = query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
  const type = `application/jpaas.${kind}+xml`;
  return [{ rel: 'nextPage', type, href: `${origin}${target.path}?${text}` }];
}

/** The first piece is taken before the status goes out: what fails in it is still an error. */
async function sendPieces(exchange: Exchange, pieces: AsyncGenerator<string>): Promise<void> {
  const first = await pieces.next();
  const second = await pieces.next();
  if (second.done) return sendWhole(exchange, 200, first.value as string);
  const { res } = exchange;
  setForm(exchange, 200);
  async function* all() {
    yield first.value as string;
    yield second.value as string;
    yield* pieces;
  }
  const body = collector(exchange.lasting?.largest ?? 0);
  await pipeline(Readable.from(all()), body.through, res);
  const whole = body.whole();
  if (whole) exchange.lasting?.keep?.(whole, etagOf(whole));
}

/** Keeps a copy of what passes, unless it is too much. */
function collector(most: number) {
  let chunks: Buffer[] | undefined = [];
  let size = 0;
  return {
    async *through(source: AsyncIterable<string>) {
      for await (const text of source) {
        const chunk = Buffer.from(text);
        size += chunk.length;
        if (size > most) chunks = undefined;
        chunks?.push(chunk);
        yield chunk;
      }
    },
    whole: () => chunks && Buffer.concat(chunks),
  };
}

async function sendWhole(exchange: Exchange, status: number, text: string): Promise<void> {
  setForm(exchange, status);
  sendBytes(exchange, Buffer.from(text));
}

function sendBytes({ req, res, lasting }: Exchange, body: Buffer): void {
  const etag = lasting && etagOf(body);
  lasting?.keep?.(body, etag);
  if (etag !== undefined) res.setHeader('ETag', etag);
  if (etag !== undefined && isMatch(req.headers['if-none-match'], etag)) {
    res.removeHeader('Content-Type');
    res.statusCode = 304;
    res.end();
    return;
  }
  res.setHeader('Content-Length', body.length);
  res.end(body);
}

function setForm({ res, format, lasting }: Exchange, status: number): void {
  res.statusCode = status;
  res.setHeader('Content-Type', format === 'json' ? JSON_TYPE : XML_TYPE);
  setCaching(res, lasting);
}

function setCaching(res: Exchange['res'], lasting: Exchange['lasting']): void {
  res.setHeader('Cache-Control', lasting ? REVALIDATE : 'no-store');
  res.setHeader('Vary', 'Accept, Authorization');
}

async function sendOther(exchange: Exchange, kind: ResponseKind, answer: unknown): Promise<void> {
  const { res } = exchange;
  if (kind === 'bytes') return sendDownload(exchange, answer as ResponseValues['bytes']);
  if (kind === 'logs') return sendLogs(exchange, answer as ResponseValues['logs']);
  res.setHeader('Content-Type', kind === 'wadl' ? 'application/vnd.sun.wadl+xml' : JSON_TYPE);
  setCaching(res, exchange.lasting);
  sendBytes(exchange, Buffer.from(kind === 'wadl' ? (answer as string) : JSON.stringify(answer)));
}

/** Text as it comes; what the application prints is not interpreted. */
async function sendLogs({ res }: Exchange, logs: Readable): Promise<void> {
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.setHeader('Cache-Control', 'no-store');
  res.flushHeaders();
  await pipeline(logs, res);
}
