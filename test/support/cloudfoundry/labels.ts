import { badQuery, Refusal, unprocessable } from './errors.js';

type Kind = 'label key' | 'label value';

/** Changes labels or annotations as a PATCH does: null takes away, others stay. */
export function mergeMetadata(
  thing: { labels: Record<string, string>; annotations: Record<string, string> },
  metadata: unknown,
): void {
  const { labels, annotations } = (metadata ?? {}) as Record<string, Record<string, unknown> | undefined>;
  for (const [key, value] of Object.entries(labels ?? {})) checkLabel(key, value);
  for (const value of Object.values(annotations ?? {})) {
    if (typeof value === 'string' && value.length > 5000)
      throw unprocessable(`Metadata annotation value error: '${value.slice(0, 8)}...' is greater than 5000 characters`);
  }
  const added = Object.entries(labels ?? {}).filter(([key, value]) => value !== null && !(key in thing.labels)).length;
  if (Object.keys(thing.labels).length + added > 50)
    throw new Refusal(
      422,
      390020,
      'CF-LabelLimitExceeded',
      `Failed to add ${added} labels because it would exceed maximum of 50`,
    );
  merge(thing.labels, labels);
  merge(thing.annotations, annotations);
}

function merge(into: Record<string, string>, changes: Record<string, unknown> = {}): void {
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete into[key];
    else into[key] = String(value);
  }
}

function checkLabel(key: string, value: unknown): void {
  const wrong = labelKeyError(key) ?? (value === null ? undefined : textError('label value', String(value)));
  if (wrong) throw unprocessable(wrong.includes('Metadata') ? wrong : `Metadata label key error: ${wrong}`);
}

function labelKeyError(key: string): string | undefined {
  if (key === '') return 'key cannot be empty string';
  const parts = key.split('/');
  if (parts.length > 2) return "key has more than one '/'";
  const [prefix, name] = parts.length === 2 ? parts : [undefined, parts[0]];
  if (prefix !== undefined) {
    const wrong = prefixError(prefix);
    if (wrong) return wrong;
  }
  return textError('label key', name ?? '');
}

function prefixError(prefix: string): string | undefined {
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/i.test(prefix))
    return `prefix '${prefix}' must be in valid dns format`;
  return /(^|\.)cloudfoundry\.org$/.test(prefix) ? `prefix '${prefix}' is reserved` : undefined;
}

function textError(kind: Kind, text: string): string | undefined {
  const say = (what: string) => `Metadata ${kind} error: ${what}`;
  if (text === '') return undefined;
  if (/[^\w.-]/.test(text)) return say(`'${text}' contains invalid characters`);
  if (/^[^a-z0-9]|[^a-z0-9]$/i.test(text)) return say(`'${text}' starts or ends with invalid characters`);
  return text.length > 63 ? say(`'${text.slice(0, 8)}...' is greater than 63 characters`) : undefined;
}

export type Selects = (labels: Readonly<Record<string, string>>) => boolean;

/** Reads a label selector: `a=b`, `a==b`, `a!=b`, `a in (x,y)`, `a notin (x)`, `a`, `!a`, with commas for "and". */
export function readSelector(text: string): Selects {
  if (text === '') throw badQuery('Missing label_selector value');
  const requirements = text.split(/,(?![^(]*\))/).map((one) => readRequirement(one.trim()));
  return (labels) => requirements.every((holds) => holds(labels));
}

function readRequirement(text: string): Selects {
  const set = /^(\S+) (in|notin) \(([^)]*)\)$/.exec(text);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    checkSelected(key, values);
    return (labels) => values.includes(labels[key] ?? '\0') === (operator === 'in');
  }
  const equation = /^([^=!\s]+)(==|!=|=)(\S*)$/.exec(text);
  if (equation) {
    const [, key = '', operator, value = ''] = equation;
    checkSelected(key, [value]);
    return (labels) => (labels[key] === value) === (operator !== '!=');
  }
  const presence = /^(!?)([^=!\s]+)$/.exec(text);
  if (!presence) throw badQuery('Invalid label_selector value');
  const [, not, key = ''] = presence;
  checkSelected(key, []);
  return (labels) => key in labels === (not === '');
}

function checkSelected(key: string, values: readonly string[]): void {
  const wrong =
    labelKeyError(key) ?? values.map((value) => textError('label value', value)).find((one) => one !== undefined);
  if (wrong) throw badQuery(wrong.replace(/^Metadata label \w+ error: /, ''));
}
