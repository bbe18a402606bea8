import type { Field, ListShape, Shape } from './shape.js';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The JSON Schema of a thing, with OpenAPI's hints for its XML form. */
export function schemaOf(shape: Shape): JsonSchema {
  const required = shape.fields.filter((field) => field.required).map((field) => field.member);
  return {
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(shape.fields.map((field) => [field.member, memberSchema(field)])),
    xml: { name: shape.name },
  };
}

export function listSchemaOf({ name, row }: ListShape, links: JsonSchema): JsonSchema {
  return {
    type: 'object',
    required: [name],
    properties: { [name]: { type: 'array', items: schemaOf(row) }, links },
    xml: { name },
  };
}

function memberSchema(field: Field): JsonSchema {
  const one = {
    ...valueSchema(field),
    xml: { name: field.name, ...(field.at === 'attribute' && { attribute: true }) },
  };
  return field.many ? { type: 'array', items: one } : one;
}

function valueSchema({ type, values }: Field): JsonSchema {
  if (typeof type === 'object') return schemaOf(type);
  return { type, ...(values && { enum: [...values] }) };
}
