import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Exchange } from '../cloudfoundry.js';

interface Operation {
  parameters?: { name?: string; in?: string; $ref?: string }[];
  requestBody?: unknown;
  responses: Record<string, unknown>;
}

/** Parameters that the Cloud Controller's source knows and its document does not: `embed` of the list of processes. */
const UNDOCUMENTED = ['embed'];

/** Checks exchanges against the platform's own OpenAPI document; what is wrong, as sentences. */
export function openApiJudge(file: string): (exchange: Exchange) => string[] {
  const document = JSON.parse(readFileSync(file, 'utf8')) as {
    paths: Record<string, Record<string, Operation>>;
    components: { parameters: Record<string, { name: string; in: string }> };
  };
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
  (addFormats as unknown as { default?: (to: Ajv2020) => void }).default?.(ajv);
  ajv.addSchema(document, 'cf');
  const compiled = new Map<string, ValidateFunction>();
  const validate = (pointer: string, value: unknown): string[] => {
    let check = compiled.get(pointer);
    if (!check) {
      check = ajv.compile({ $ref: `cf#${pointer}` });
      compiled.set(pointer, check);
    }
    if (check(value)) return [];
    return (check.errors ?? []).map((error) => `${error.instancePath || 'it'} ${error.message}`);
  };

  return ({ method, path, requestBody, status, responseBody }) => {
    const url = new URL(path, 'http://cf');
    const found = findPath(Object.keys(document.paths), url.pathname);
    const operation = found && document.paths[found]?.[method.toLowerCase()];
    const say = (text: string) => `${method} ${path} → ${status}: ${text}`;
    if (!found || !operation) return [say('the document has no such operation')];
    const at = `/paths/${found.replaceAll('/', '~1')}/${method.toLowerCase()}`;
    const known = (operation.parameters ?? []).map(
      ({ name, $ref }) => name ?? document.components.parameters[$ref?.split('/').at(-1) ?? '']?.name,
    );
    const strange = [...url.searchParams.keys()]
      .map((name) => name.replace(/\[\w+\]$/, ''))
      .filter((name) => !known.includes(name) && !UNDOCUMENTED.includes(name));
    const wrong = strange.map((name) => `the parameter ${name} is not in the document`);
    const hasBody = typeof requestBody === 'object' && requestBody !== null && Object.keys(requestBody).length > 0;
    if (hasBody)
      wrong.push(
        ...bodyPointer(document, operation.requestBody, `${at}/requestBody`)
          .flatMap((pointer) => validate(pointer, requestBody))
          .map((text) => `request: ${text}`),
      );
    if (!(status in operation.responses)) wrong.push('the document has no such status');
    else if (responseBody !== undefined && typeof responseBody === 'object')
      wrong.push(
        ...bodyPointer(document, operation.responses[status], `${at}/responses/${status}`)
          .flatMap((pointer) => validate(pointer, withoutNullRelations(responseBody)))
          .map((text) => `answer: ${text}`),
      );
    return wrong.map(say);
  };
}

function findPath(paths: readonly string[], path: string): string | undefined {
  const matches = paths.filter((pattern) => new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}/?$`).test(path));
  // The literal one before the one with more parameters.
  return matches.sort((a, b) => a.split('{').length - b.split('{').length)[0];
}

/** Where the schema of a body stands; none when the document describes no JSON there. */
function bodyPointer(document: unknown, holder: unknown, at: string): string[] {
  const { $ref } = (holder ?? {}) as { $ref?: string };
  if ($ref) return bodyPointer(document, resolve(document, $ref.slice(1)), $ref.slice(1));
  const { content } = (holder ?? {}) as { content?: Record<string, { schema?: unknown }> };
  return content?.['application/json']?.schema ? [`${at}/content/application~1json/schema`] : [];
}

function resolve(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce((at, name) => (at as Record<string, unknown>)[name.replaceAll('~1', '/')], document);
}

/** Real servers send `relationships.*.data: null`, where the document wants an object. */
function withoutNullRelations(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullRelations);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, one]) => [
    name,
    name === 'relationships' ? relations(one) : withoutNullRelations(one),
  ]);
  return Object.fromEntries(entries);
}

function relations(value: unknown): unknown {
  const kept = Object.entries((value ?? {}) as object).filter(([, one]) => {
    const { data } = (one ?? {}) as { data?: { guid?: unknown } | null };
    return data !== null && data !== undefined && data.guid !== null;
  });
  return Object.fromEntries(kept);
}
