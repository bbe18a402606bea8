import { at, type Obj } from './objects.js';
import { badRequest } from './refusals.js';

type Labels = Readonly<Record<string, string>>;
export type Matcher = (object: Obj) => boolean;

/** `app=x,tier in (a,b),!old` */
export function labelMatcher(text: string | null): Matcher {
  if (!text) return () => true;
  const parts = text.match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  const tests = parts.map((part) => requirement(part.trim()));
  return ({ metadata }) => tests.every((test) => test(metadata.labels ?? {}));
}

function requirement(part: string): (labels: Labels) => boolean {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(part);
  if (set) {
    const [, key = '', word, list = ''] = set;
    const values = list.split(',').map((one) => one.trim());
    return (labels) => values.includes(labels[key] ?? '\0') === (word === 'in');
  }
  const compare = /^([^\s=!]+)\s*(!=|==|=)\s*(\S*)$/.exec(part);
  if (compare) {
    const [, key = '', word, value = ''] = compare;
    if (value.length > 63) {
      throw badRequest(
        `unable to parse requirement: values[0][${key}]: Invalid value: ${JSON.stringify(value)}: must be no more than 63 characters`,
      );
    }
    return (labels) => (labels[key] === value) === (word !== '!=');
  }
  const absent = /^!\s*(\S+)$/.exec(part)?.[1];
  if (absent) return (labels) => labels[absent] === undefined;
  if (/^\S+$/.test(part)) return (labels) => labels[part] !== undefined;
  const second = part.split(/\s+/)[1] ?? '';
  throw badRequest(`unable to parse requirement: found '${second}', expected: in, notin, =, ==, !=, gt, lt`);
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  events: [
    'involvedObject.kind',
    'involvedObject.name',
    'involvedObject.namespace',
    'involvedObject.uid',
    'reason',
    'type',
  ],
  pods: ['spec.nodeName', 'spec.restartPolicy', 'status.phase', 'status.podIP'],
};

export function fieldMatcher(plural: string, text: string | null): Matcher {
  if (!text) return () => true;
  const known = ['metadata.name', 'metadata.namespace', ...(FIELDS[plural] ?? [])];
  const tests = text.split(',').map((part): Matcher => {
    const [, field = '', word, value] = /^([^=!]+)(!=|==|=)(.*)$/.exec(part) ?? [];
    if (!known.includes(field)) {
      const names = known.map((one) => JSON.stringify(one)).join(', ');
      throw badRequest(`${JSON.stringify(field)} is not a known field selector: only ${names}`);
    }
    return (object) => (String(at(object, ...field.split('.')) ?? '') === value) === (word !== '!=');
  });
  return (object) => tests.every((test) => test(object));
}
