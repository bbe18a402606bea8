import { FAULT_STATUS } from '../domain/errors.js';
import type { ResponseKind } from '../domain/views.js';
import { isListKind, isThingKind, LISTS, THINGS } from '../representations/kinds.js';
import type { Action } from './action.js';

/** Without a charset: the Accords client compares the whole string. */
export const XML_TYPE = 'application/xml';
export const JSON_TYPE = 'application/json';

/** One form in which a body may be sent. */
export interface RequestForm {
  type: string;
  /** Name of the root element. */
  root?: string;
  /** Names of the parts of a form. */
  parts?: readonly string[];
}

/** One form in which an answer may come. */
export interface AnswerForm {
  status: readonly number[];
  type: string;
  root?: string;
  fault: boolean;
}

const ROOTS = {
  manifest: 'paas_application_manifest',
  upload: 'paas_application_manifest',
  user: 'user',
  password: 'password',
  key: 'key',
} as const;

/** In which forms a row takes its body. */
export function requestsOf({ body }: Action): RequestForm[] {
  if (body === undefined || body === 'none') return [];
  const root = ROOTS[body];
  const documents = [XML_TYPE, JSON_TYPE].map((type) => ({ type, root }));
  if (body !== 'upload') return documents;
  return [{ type: 'multipart/form-data', parts: ['file', 'descriptor'] }, ...documents];
}

/** In which forms a row answers, errors last. */
export function answersOf(action: Action): AnswerForm[] {
  return [...successes(action), ...(action.durable ? forms('task', 202) : []), ...faults(action)];
}

function successes({ response }: Action): AnswerForm[] {
  if (response === 'bytes') return [{ status: [200, 206], type: 'application/octet-stream', fault: false }];
  if (response === 'logs') return [{ status: [200], type: 'text/plain', fault: false }];
  if (response === 'wadl') return [{ status: [200], type: 'application/vnd.sun.wadl+xml', fault: false }];
  if (response === 'openapi') return [{ status: [200], type: JSON_TYPE, fault: false }];
  return forms(response, 200);
}

function forms(kind: ResponseKind, status: number): AnswerForm[] {
  const root = rootOf(kind);
  return [XML_TYPE, JSON_TYPE].map((type) => ({
    status: [status],
    type,
    fault: false,
    ...(root !== undefined && { root }),
  }));
}

/** Name of a response's root element. */
export function rootOf(kind: ResponseKind): string | undefined {
  if (isThingKind(kind)) return THINGS[kind].shape.name;
  return isListKind(kind) ? LISTS[kind].list.name : undefined;
}

function faults(action: Action): AnswerForm[] {
  const status = faultStatuses(action);
  return [XML_TYPE, JSON_TYPE].map((type) => ({ status, type, root: 'error', fault: true }));
}

/** Answered before a row is known: a wrong method, headers that are too large. */
const BEFORE_ROWS: readonly number[] = [405, 431];

/** The statuses of §4's errors that a row may answer. */
export function faultStatuses({ path, body, durable, response, method }: Action): number[] {
  const all = [...new Set<number>(Object.values(FAULT_STATUS))].filter((status) => !BEFORE_ROWS.includes(status));
  const never = new Set<number>();
  if (!path.includes('{')) never.add(404);
  if (!body) for (const status of [408, 413, 415]) never.add(status);
  if (response !== 'bytes') never.add(416);
  if (method === 'GET' && response !== 'logs') never.add(409);
  if (!durable && !OF_PLATFORMS.includes(response)) for (const status of [501, 504]) never.add(status);
  return all.filter((status) => !never.has(status)).sort((a, b) => a - b);
}

/** Responses for which a platform may be asked. */
const OF_PLATFORMS: readonly ResponseKind[] = [
  'logs',
  'information',
  'application',
  'instance',
  'instances',
  'environment',
];
