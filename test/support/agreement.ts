import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { LISTS, THINGS } from '../../src/representations/kinds.js';
import { errorShape } from '../../src/representations/message.js';
import type { Field, Shape, WireRecord } from '../../src/representations/shape.js';
import { recordOf } from '../../src/representations/xml-record.js';
import { readXmlTree } from '../../src/representations/xml-tree.js';

type Json = Record<string, unknown>;
interface Operation {
  operationId?: string;
  parameters: ({ $ref: string } | { name: string; in: string; schema: Json })[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: Json }> }>;
}
/** Its operations by method; `parameters` stands among them. */
export type PathItem = { parameters?: { name: string }[] } & {
  [method in 'get' | 'post' | 'put' | 'delete']?: Operation;
};
export interface OpenApi {
  paths: Record<string, PathItem>;
  components: {
    schemas: Record<string, Json>;
    responses: Record<string, { content: Record<string, { schema: Json }> }>;
  };
}

/** An exchange as it was on the wire. */
export interface Seen {
  method: string;
  /** Template, e.g. `/app/{appId}`. */
  route: string;
  status: number;
  /** Without parameters. */
  type: string;
  body: string;
  /** JSON that was sent. */
  sent?: unknown;
}

/** Holds answers and JSON bodies against an OpenAPI document, with no member allowed that it does not name. */
export function createAgreement(document: OpenApi): (seen: Seen) => string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: 'api', ...(closed(document) as Json) });
  const compiled = new Map<string, ValidateFunction>();
  const judge = (schema: Json, value: unknown): string[] => {
    const name = JSON.stringify(schema);
    const validate = compiled.get(name) ?? ajv.compile(closed(absolute(schema)) as Json);
    compiled.set(name, validate);
    return validate(value) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
  };
  return ({ method, route, status, type, body, sent }) => {
    const operation = document.paths[route]?.[method.toLowerCase() as 'get'];
    if (!operation) return [`${method} ${route} is not described`];
    const described = operation.responses[status];
    if (!described) return [`${method} ${route}: ${status} is not described`];
    const response = described.$ref ? resolved(document, described.$ref) : described;
    const schema = response.content?.[type]?.schema;
    if (!schema) return [`${method} ${route}: ${status} ${type} is not described`];
    const wrong = judge(schema, valueIn(type, body));
    const request = operation.requestBody?.content['application/json']?.schema;
    const sentWrong = sent === undefined ? [] : request ? judge(request, sent) : ['a body is not described'];
    return [...wrong, ...sentWrong].map((fault) => `${method} ${route} ${status}: ${fault}`);
  };
}

function resolved(document: OpenApi, reference: string) {
  return document.components.responses[reference.split('/').at(-1) as string] as {
    content: Record<string, { schema: Json }>;
  };
}

function absolute(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/'));
}

/** No object may hold more than it says. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, closed(member)]));
  return copy['type'] === 'object' && copy['properties'] ? { ...copy, additionalProperties: false } : copy;
}

/** XML is read by the shape of its root into what the JSON form would be. */
function valueIn(type: string, body: string): unknown {
  if (type === 'application/json') return JSON.parse(body);
  return type === 'application/xml' ? recordOfXml(body) : body;
}

export function recordOfXml(body: string): unknown {
  const root = readXmlTree(Buffer.from(body));
  const shape =
    root.name === 'error' ? errorShape : Object.values(THINGS).find((thing) => thing.shape.name === root.name)?.shape;
  if (shape) return recordOf(shape, root);
  const list = Object.values(LISTS).find((rows) => rows.list.name === root.name)?.list;
  if (!list) throw new Error(`<${root.name}> is nothing that is written here`);
  const links = list.row.fields.find((field) => field.name === 'Link') as Field & { type: Shape };
  const rows = root.children.filter((child) => child.name === list.row.name).map((child) => recordOf(list.row, child));
  const own = root.children
    .filter((child) => child.name === 'Link')
    .map((child): WireRecord => recordOf(links.type, child));
  return { [list.name]: rows, links: own };
}
