import * as fc from 'fast-check';
import type {
  ApplicationDescriptor,
  EnvironmentDescriptor,
  Manifest,
  VersionDescriptor,
} from '../../src/domain/manifest.js';
import type { Field, Shape, WireRecord } from '../../src/representations/shape.js';

/** Any characters but lone surrogates. `fc.string` with that unit would look at every one of Unicode first, in each file of tests. */
const anything = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0x7f }),
      fc.integer({ min: 0, max: 0xd7ff }),
      fc.integer({ min: 0xe000, max: 0x10ffff }),
    ),
  )
  .map((points) => String.fromCodePoint(...points));

/** Names that every object has already. */
const MEMBERS = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty'];

/** Text that XML may hold, markup and white space included. */
export const legal = fc.oneof(
  fc.constantFrom('', ' ', '<b>&amp;</b>', '&#xD;', ']]>', 'a"b\'c', '\r\n\t', 'appId="1"', '\u00e9\u{1F600}', '-->'),
  fc.constantFrom(...MEMBERS),
  anything.map((text) => text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')),
);

/** Any text at all, with what XML forbids. */
export const wild = fc.oneof(
  anything,
  fc.constantFrom(...MEMBERS, '\u001b[31mred\u001b[0m', '\u0000', '\uFFFE', '\ud800'),
);

/** Any record of a shape; `text` gives its strings. */
export function recordOf(shape: Shape, text: fc.Arbitrary<string>): fc.Arbitrary<WireRecord> {
  const members = Object.fromEntries(shape.fields.map((field) => [field.member, memberOf(field, text)]));
  const requiredKeys = shape.fields.filter((field) => field.required).map((field) => field.member);
  return fc.record(members, { requiredKeys }).map((record) => Object.fromEntries(Object.entries(record)) as WireRecord);
}

function memberOf(field: Field, text: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const one = memberValue(field, text);
  return field.many ? fc.array(one, { minLength: 1, maxLength: 3 }) : one;
}

function memberValue({ at, type, values, required }: Field, text: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  if (typeof type === 'object') return recordOf(type, text);
  if (values) return fc.constantFrom(...values);
  if (type === 'integer') return fc.integer();
  if (type === 'boolean') return fc.boolean();
  // XML cannot tell an absent content from an empty one.
  return at === 'text' && !required ? text.filter((one) => one !== '') : text;
}

const name = legal.filter((text) => text.trim() !== '');
const description = legal.map((text) => text.trim()).filter((text) => text !== '');
const mebibytes = fc.integer({ min: 0, max: 999_999_999 });

function given<T>(
  members: { [K in keyof T]-?: fc.Arbitrary<Exclude<T[K], undefined>> },
  requiredKeys: (keyof T)[] = [],
) {
  return fc.record(members, { requiredKeys: requiredKeys as never }) as unknown as fc.Arbitrary<T>;
}

const version: fc.Arbitrary<VersionDescriptor> = given<VersionDescriptor>(
  {
    name,
    label: name,
    description,
    deployables: fc.array(
      given<VersionDescriptor['deployables'][number]>(
        { name, contentType: fc.constantFrom('artifact', 'folder'), location: name, multitenancyLevel: name },
        ['name', 'contentType'],
      ),
      { maxLength: 2 },
    ),
    instances: fc.array(
      given<VersionDescriptor['instances'][number]>(
        { name, description, initialState: name, defaultInstance: fc.boolean(), memory: mebibytes, disk: mebibytes },
        ['name'],
      ),
      { maxLength: 2 },
    ),
  },
  ['deployables', 'instances'],
);

const application = given<ApplicationDescriptor>(
  {
    name,
    description,
    environmentName: name,
    multitenant: fc.boolean(),
    versions: fc.array(version, { maxLength: 2 }),
  },
  ['name', 'versions'],
);

const environment = given<EnvironmentDescriptor>(
  {
    name,
    description,
    template: name,
    provider: name,
    memory: mebibytes,
    disk: mebibytes,
    nodes: fc.array(
      given<EnvironmentDescriptor['nodes'][number]>(
        { name, contentType: fc.constantFrom('container', 'database', 'router'), version: name, provider: name },
        ['name', 'contentType'],
      ),
      { maxLength: 3 },
    ),
    variables: fc.dictionary(name, legal, { maxKeys: 3 }),
  },
  ['nodes', 'variables'],
);

export const manifest: fc.Arbitrary<Manifest> = fc
  .tuple(given<Manifest>({ name, description, application, environment }), application)
  .map(([one, other]) => (one.application || one.environment ? one : { ...one, application: other }));

/** A property that is checked at once: the type of `fc.assert` admits promises too. */
export function holds<T>(property: fc.IProperty<T>, parameters: fc.Parameters<T> = {}): void {
  void fc.assert(property, parameters);
}
