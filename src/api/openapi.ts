import { LISTS, THINGS } from '../representations/kinds.js';
import { links } from '../representations/link.js';
import {
  keyRequestShape,
  manifestShape,
  passwordRequestShape,
  userRequestShape,
} from '../representations/manifest-shape.js';
import { errorShape } from '../representations/message.js';
import { type JsonSchema, listSchemaOf, schemaOf } from '../representations/schema.js';
import type { Action } from './action.js';
import { createLookup, isTextParameter, parameterNames, type Route } from './lookup.js';
import { answersOf, faultStatuses, JSON_TYPE, requestsOf, XML_TYPE } from './media.js';

/** The API as OpenAPI 3.1, from the table and the representations. */
export function openApi(
  table: Readonly<Record<string, Action>>,
  { base, version }: { base: string; version: string },
): Record<string, unknown> {
  const routes = [...createLookup(table).routes].sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    openapi: '3.1.0',
    info: { title: 'COAPS', version, description: 'COAPS 1.6: one API over several platforms.' },
    servers: [{ url: base }],
    security: [{ basic: [] }],
    paths: Object.fromEntries(routes.map((route) => [route.path, pathItem(route, table)])),
    components: {
      securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
      parameters: COMMON,
      schemas: schemas(),
      responses: { Error: { description: 'What went wrong.', content: both('error') } },
    },
  };
}

const COMMON = {
  Action: common('Action', 'The operationId of the request, checked when it is there.', { type: 'string' }),
  Version: common('Version', 'Of the API.', { type: 'string', enum: ['0.1'] }),
  Format: common('Format', 'Of the answer.', { type: 'string', enum: ['xml', 'json'] }),
  Timestamp: common('Timestamp', 'Seconds since 1970; at most 15 minutes off.', { type: 'integer' }),
} as const;

function common(name: string, description: string, schema: JsonSchema) {
  return { name, in: 'query', description, schema };
}

function schemas(): Record<string, JsonSchema> {
  const linkList = schemaOf({ name: 'links', fields: [links] }) as { properties: { links: JsonSchema } };
  return {
    ...Object.fromEntries(Object.entries(THINGS).map(([kind, { shape }]) => [kind, schemaOf(shape)])),
    ...Object.fromEntries(
      Object.entries(LISTS).map(([kind, { list }]) => [kind, listSchemaOf(list, linkList.properties.links)]),
    ),
    error: schemaOf(errorShape),
    manifestRequest: schemaOf(manifestShape),
    userRequest: schemaOf(userRequestShape),
    passwordRequest: schemaOf(passwordRequestShape),
    keyRequest: schemaOf(keyRequestShape),
  };
}

function pathItem({ path, actions }: Route, table: Readonly<Record<string, Action>>) {
  const parameters = parameterNames(path).map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: isTextParameter(name) ? { type: 'string' } : { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 },
  }));
  const operations = [...actions].map(([verb, key]) => [
    verb.toLowerCase(),
    operation(key, path === table[key]?.path && verb === table[key]?.method, table[key] as Action),
  ]);
  return { ...(parameters.length > 0 && { parameters }), ...Object.fromEntries(operations) };
}

/** An operationId is unique: an alias names its action beside it. */
function operation(key: string, own: boolean, action: Action) {
  const body = requestBody(action);
  return {
    ...(own ? { operationId: key } : { 'x-alias-of': key }),
    summary: action.summary,
    parameters: [
      ...ownParameters(action),
      ...Object.keys(COMMON).map((name) => ({ $ref: `#/components/parameters/${name}` })),
    ],
    ...(body && { requestBody: body }),
    responses: responses(action),
  };
}

function ownParameters({ query, durable }: Action) {
  const own = Object.entries(query ?? {}).map(([name, { type, help }]) => ({
    name,
    in: 'query',
    description: help,
    schema: { type },
  }));
  const prefer = {
    name: 'Prefer',
    in: 'header',
    description: 'respond-async or wait=seconds.',
    schema: { type: 'string' },
  };
  return durable ? [...own, prefer] : own;
}

function requestBody(action: Action) {
  const forms = requestsOf(action);
  if (forms.length === 0) return undefined;
  const optional = action.body === 'key' || (action.body === 'upload' && action.durable);
  const schema = { $ref: `#/components/schemas/${action.body === 'upload' ? 'manifest' : action.body}Request` };
  return {
    required: !optional,
    content: Object.fromEntries(forms.map(({ type, parts }) => [type, { schema: parts ? FORM : schema }])),
  };
}

const FORM = {
  type: 'object',
  properties: {
    file: { type: 'string', contentMediaType: 'application/octet-stream' },
    descriptor: { type: 'string', contentMediaType: XML_TYPE },
  },
};

function responses(action: Action) {
  const byStatus: Record<string, { description: string; content: Record<string, unknown> }> = {};
  for (const { status, type, fault } of answersOf(action)) {
    if (fault) continue;
    for (const code of status) {
      byStatus[code] ??= { description: code === 202 ? 'It goes on as a task.' : action.summary, content: {} };
      byStatus[code].content[type] = { schema: answerSchema(action, type, code) };
    }
  }
  const errors = faultStatuses(action).map((code) => [code, { $ref: '#/components/responses/Error' }]);
  return { ...byStatus, ...Object.fromEntries(errors) };
}

function answerSchema({ response }: Action, type: string, code: number): JsonSchema {
  if (response === 'openapi') return { type: 'object' };
  if (type !== XML_TYPE && type !== JSON_TYPE) return { type: 'string' };
  return { $ref: `#/components/schemas/${code === 202 ? 'task' : response}` };
}

function both(name: string) {
  const schema = { $ref: `#/components/schemas/${name}` };
  return { [XML_TYPE]: { schema }, [JSON_TYPE]: { schema } };
}
