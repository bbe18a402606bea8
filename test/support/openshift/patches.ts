import { parseDocument } from 'yaml';
import { clone, equal, isJson, type Json } from './objects.js';
import { badRequest, type Refusal, status } from './refusals.js';
import { entryOf, fieldsOf, keysOf, memberOf, structureOf } from './schema.js';

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJson(patch)) return clone(patch);
  const result: Json = isJson(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

/** A merge patch that knows lists by their keys. */
export function strategicPatch(target: unknown, patch: unknown, type: string): unknown {
  if (!isJson(patch)) return clone(patch);
  const result: Json = isJson(target) ? { ...target } : {};
  const fields = fieldsOf(type);
  for (const [name, value] of Object.entries(patch)) {
    const next = fields?.get(name) ?? entryOf(type) ?? 'any';
    if (value === null) delete result[name];
    else if (structureOf(type, name, next) === 'list' && Array.isArray(value)) {
      const keys = keysOf(type, name);
      const list = [...((result[name] as Json[] | undefined) ?? [])];
      for (const one of value as Json[]) {
        const index = list.findIndex((other) => equal(other[keys[0] ?? ''], one[keys[0] ?? '']));
        if (index < 0) list.push(clone(one));
        else list[index] = strategicPatch(list[index], one, memberOf(next) ?? 'any') as Json;
      }
      result[name] = list;
    } else result[name] = strategicPatch(result[name], value, next);
  }
  return result;
}

const REJECTED = (): Refusal =>
  status(422, 'Invalid', 'the server rejected our request due to an error in our request', {});

interface Step {
  op: string;
  path: string;
  value?: unknown;
}

/** RFC 6902 as far as objects go. */
export function jsonPatch(target: Json, steps: readonly Step[]): Json {
  const result = clone(target);
  for (const { op, path, value } of steps) {
    const parts = path
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = parts.pop() ?? '';
    const holder = parts.reduce<unknown>((found, part) => (found as Json | undefined)?.[part], result) as
      | Json
      | undefined;
    if (!['add', 'replace', 'remove', 'test'].includes(op) || !holder) throw REJECTED();
    if (op === 'test') {
      if (!equal(holder[last], value)) throw REJECTED();
    } else if (op === 'remove') delete holder[last];
    else holder[last] = clone(value);
  }
  return result;
}

/** A body in YAML, of which JSON is a part. */
export function readYaml(text: string, strict: boolean): unknown {
  const document = parseDocument(text, { uniqueKeys: strict });
  const [error] = document.errors;
  if (error?.code === 'DUPLICATE_KEY') {
    const line = error.linePos?.[0].line ?? 1;
    const key = /(\w+)"?\s*$/.exec(text.slice(0, text.indexOf(':', error.pos[0])))?.[1] ?? '';
    throw badRequest(
      `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line ${line}: key "${key}" already set in map`,
    );
  }
  if (error)
    throw badRequest(
      'error decoding YAML: error converting YAML to JSON: yaml: line 1: did not find expected node content',
    );
  return document.toJS() as unknown;
}
