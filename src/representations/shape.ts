/**
 * The form of one thing on the wire, as data: XML and JSON are written and read by it, OpenAPI's schemas derive from it.
 * A thing travels as a `WireRecord`, which is its JSON form; the shape says where each member lies in the XML form.
 */
export interface Shape {
  /** Name of the XML element, and of the JSON Schema. */
  name: string;
  /** Attributes first, in the order in which they are written: old clients search for the id that comes first. */
  fields: readonly Field[];
}

export type ScalarType = 'string' | 'integer' | 'boolean';

export interface Field {
  /**
   * - `attribute`, `element`: by that name.
   * - `text`: the element's own content; `name` is only the JSON member.
   * - `hosts`: the two `uris` elements, flat text and then nested `uri` (api.md §4), of one list of strings.
   */
  at: 'attribute' | 'element' | 'text' | 'hosts';
  /** In XML. */
  name: string;
  /** In JSON, where it differs: `version` → `versions`. */
  member: string;
  type: ScalarType | Shape;
  many: boolean;
  required: boolean;
  /** The closed set of values. */
  values?: readonly string[];
}

type Scalar = string | number | boolean;
export interface WireRecord {
  [member: string]: Scalar | WireRecord | readonly (string | WireRecord)[] | undefined;
}

/** The form of a list: rows in one element, links at its end. */
export interface ListShape {
  name: string;
  row: Shape;
}

interface FieldOptions {
  required?: boolean;
  values?: readonly string[];
}

export function attribute(name: string, type: ScalarType = 'string', options: FieldOptions = {}): Field {
  return field('attribute', name, name, type, options);
}

export function element(name: string, type: ScalarType | Shape = 'string', options: FieldOptions = {}): Field {
  return field('element', name, name, type, options);
}

/** Elements that repeat; `member` is the array's name in JSON. */
export function elements(name: string, member: string, type: ScalarType | Shape): Field {
  return { ...field('element', name, member, type, {}), many: true };
}

export function content(member: string, options: FieldOptions = {}): Field {
  return field('text', member, member, 'string', options);
}

/** Host and port of each address, no scheme, no white space. */
export function hosts(): Field {
  return { ...field('hosts', 'uris', 'uris', 'string', {}), many: true };
}

export const required = { required: true } as const;

export function oneOf(values: readonly string[]): FieldOptions {
  return { required: true, values };
}

function field(
  at: Field['at'],
  name: string,
  member: string,
  type: ScalarType | Shape,
  { required = false, values }: FieldOptions,
): Field {
  return { at, name, member, type, many: false, required, ...(values && { values }) };
}
