import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { isJson, type Json } from './objects.js';
import type { Seen } from './server.js';

/** Where the contracts lie: beside the checkout, never inside it. */
export const CONTRACTS = join(import.meta.dirname, '../../../../shared/contracts');
export const DOCUMENT = join(CONTRACTS, 'openshift-4.20.openapi-v2.json');

export const hasContract = existsSync(DOCUMENT);

interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  schema?: { $ref?: string };
}
interface Operation {
  parameters?: Parameter[];
  responses: Record<string, { schema?: { $ref?: string } }>;
}
interface Document {
  paths: Record<string, Record<string, Operation | Parameter[]>>;
  parameters: Record<string, Parameter>;
  definitions: Record<string, Json & { properties?: Record<string, Json>; required?: string[] }>;
}

export interface Contract {
  /** What in a request or its answer is not as the server's own document says. */
  faults(seen: Seen, code: number, body: unknown): string[];
  /** The fields of a kind, by its name without the package: `Route`. */
  fieldsOf(name: string): string[] | undefined;
}

/** The two places where real servers differ from the document. */
function correct({ definitions }: Document): void {
  const port = definitions['com.github.openshift.api.route.v1.RoutePort']?.properties;
  if (port) port['targetPort'] = { type: ['string', 'integer'] };
  const spec = definitions['com.github.openshift.api.build.v1.BuildSpec']?.properties?.['nodeSelector'];
  if (spec) spec['type'] = ['object', 'null'];
  // It is written as an unquoted number as well; the document has no word for that.
  const either = definitions['io.k8s.apimachinery.pkg.util.intstr.IntOrString'];
  if (either) either['type'] = ['string', 'integer'];
}

export function readContract(): Contract {
  const document = JSON.parse(readFileSync(DOCUMENT, 'utf8')) as Document;
  correct(document);
  const answers = validator(document.definitions);
  const requests = validator(closed(document.definitions, false));
  const patches = validator(closed(document.definitions, true));

  return {
    faults(seen, code, body) {
      const template = pathFor(document, seen.path);
      const methods = template === undefined ? undefined : document.paths[template];
      const operation = methods?.[seen.method.toLowerCase()] as Operation | undefined;
      const title = `${seen.method} ${template ?? seen.path}`;
      if (!methods || !operation) return UNDOCUMENTED.test(seen.path) ? [] : [`${title}: not in the document`];
      const parameters = [
        ...((methods['parameters'] as Parameter[] | undefined) ?? []),
        ...(operation.parameters ?? []),
      ].map((one) => (one.$ref ? (document.parameters[one.$ref.replace('#/parameters/', '')] ?? one) : one));
      const faults: string[] = [];
      const known = parameters.filter((one) => one.in === 'query').map((one) => one.name);
      for (const name of seen.query.keys()) {
        if (!known.includes(name) && !ELSEWHERE.has(name)) faults.push(`${title}: query parameter ${name}`);
      }
      const type = seen.headers['content-type'] ?? '';
      if (seen.body) {
        const sent = JSON.parse(seen.body) as Json;
        const schema =
          type.startsWith('application/apply-patch') || /merge-patch/.test(type)
            ? kindOf(operation)
            : bodyOf(parameters);
        const check = /merge-patch/.test(type) ? patches : requests;
        if (schema) faults.push(...check(schema, sent).map((fault) => `${title} request ${fault}`));
      }
      // A deletion answers with a Status, or with the object when that stays for a while.
      const told = seen.method === 'DELETE' ? (methods['get'] as Operation | undefined) : operation;
      const answer = told?.responses[String(code)]?.schema?.$ref;
      if (answer && isJson(body) && body['kind'] !== 'Status') {
        faults.push(...answers(answer, withoutNulls(body)).map((fault) => `${title} ${code} ${fault}`));
      }
      if (isJson(body) && body['kind'] === 'Status') {
        faults.push(...answers(STATUS, body).map((fault) => `${title} ${code} ${fault}`));
      }
      return faults;
    },
    fieldsOf(name) {
      const found = Object.entries(document.definitions).find(
        ([key]) => key.endsWith(`.${name}`) && /openshift/.test(key),
      );
      return found && Object.keys(found[1].properties ?? {});
    },
  };
}

const STATUS = '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.Status';
/** Groups that the document leaves out. */
const UNDOCUMENTED = /^\/(version|apis\/(config\.openshift\.io|discovery\.k8s\.io|authentication\.k8s\.io)\/)/;
/** Connect requests take these; the document names them for objects only. */
const ELSEWHERE = new Set(['name', 'namespace']);

function pathFor(document: Document, path: string): string | undefined {
  const parts = path.split('/');
  const fits = (template: string): boolean => {
    const wanted = template.split('/');
    return (
      wanted.length === parts.length && wanted.every((part, index) => part.startsWith('{') || part === parts[index])
    );
  };
  return Object.keys(document.paths).find(fits);
}

function bodyOf(parameters: readonly Parameter[]): string | undefined {
  return parameters.find((one) => one.in === 'body')?.schema?.$ref;
}

/** A patch is a part of the kind that it answers with. */
function kindOf(operation: Operation): string | undefined {
  return operation.responses['200']?.schema?.$ref;
}

function validator(definitions: Document['definitions']) {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: 'document', definitions });
  return (reference: string, value: unknown): string[] => {
    const check = ajv.getSchema(`document${reference}`);
    if (!check || check(value)) return [];
    return (check.errors ?? []).map((one) => `${one.instancePath} ${one.message} ${JSON.stringify(one.params)}`);
  };
}

/** As fieldValidation=Strict takes it: nothing but known fields. For a patch nothing is required. */
function closed(definitions: Document['definitions'], partial: boolean): Document['definitions'] {
  const entries = Object.entries(definitions).map(([name, one]) => {
    if (one['x-kubernetes-preserve-unknown-fields'] || !one.properties || /RawExtension|FieldsV1/.test(name))
      return [name, one] as const;
    const { required, ...rest } = one;
    return [name, { ...rest, additionalProperties: false, ...(partial || !required ? {} : { required }) }] as const;
  });
  return Object.fromEntries(entries);
}

/** Go writes what is absent as null. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJson(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]])),
  );
}
