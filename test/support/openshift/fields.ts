import { clone, equal, isJson, type Json, type ManagedFields, now, type Obj } from './objects.js';
import { type Cause, status } from './refusals.js';
import { entryOf, fieldsOf, KEY_DEFAULTS, keysOf, memberOf, structureOf } from './schema.js';

/** Who owns which field, and server-side apply. A path is a list of steps in the form of FieldsV1: `f:spec`, `k:{"name":"web"}`. */
type Path = readonly string[];

interface Leaf {
  path: Path;
  value: unknown;
}

const SEPARATOR = '\u0001';
const text = (path: Path): string => path.join(SEPARATOR);
/** Of the server, not of those who write. */
const SERVER_OWN = new Set(['apiVersion', 'kind']);
const SERVER_META = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'selfLink',
  'generateName',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
]);

/** Every part of a value that somebody can own. */
export function leavesOf(value: Json, type: string): Leaf[] {
  const leaves: Leaf[] = [];
  visit(value, type, [], leaves, true);
  return leaves;
}

function visit(value: Json, type: string, path: Path, leaves: Leaf[], top = false): void {
  const fields = fieldsOf(type);
  for (const [name, inner] of Object.entries(value)) {
    if (top && SERVER_OWN.has(name)) continue;
    if (type === 'V1ObjectMeta' && SERVER_META.has(name)) continue;
    const next = fields?.get(name) ?? entryOf(type) ?? 'any';
    place(inner, type, name, next, [...path, `f:${name}`], leaves);
  }
}

function place(value: unknown, parent: string, field: string, type: string, path: Path, leaves: Leaf[]): void {
  const structure = structureOf(parent, field, type);
  if (structure === 'list' && Array.isArray(value)) {
    for (const one of value as Json[]) {
      const step = [...path, keyStep(one, keysOf(parent, field))];
      leaves.push({ path: [...step, '.'], value: undefined });
      visit(one, memberOf(type) ?? 'any', step, leaves);
    }
  } else if (structure === 'set' && Array.isArray(value)) {
    for (const one of value) leaves.push({ path: [...path, `v:${JSON.stringify(one)}`], value: one });
  } else if ((structure === 'map' || structure === 'object') && isJson(value)) {
    if (Object.keys(value).length === 0) leaves.push({ path, value });
    else visit(value, type, path, leaves);
  } else leaves.push({ path, value });
}

function keyStep(one: Json, keys: readonly string[]): string {
  return `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, one[key] ?? KEY_DEFAULTS[key]])))}`;
}

/** The value at a path; undefined when there is none. */
function read(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (step === '.') return undefined;
    found = child(found, step);
    if (found === undefined) return undefined;
  }
  return found;
}

function child(value: unknown, step: string): unknown {
  const rest = step.slice(2);
  if (step.startsWith('f:')) return isJson(value) ? value[rest] : undefined;
  if (!Array.isArray(value)) return undefined;
  const wanted = JSON.parse(rest) as unknown;
  if (step.startsWith('v:')) return value.find((one) => equal(one, wanted));
  return value.find((one: Json) =>
    Object.entries(wanted as Json).every(([key, part]) => (one[key] ?? KEY_DEFAULTS[key]) === part),
  );
}

/** Whether anything of this path is in the object. */
function isThere(object: Json, path: Path): boolean {
  return read(object, path.at(-1) === '.' ? path.slice(0, -1) : path) !== undefined;
}

function remove(object: Json, path: Path): void {
  const steps = path.at(-1) === '.' ? path.slice(0, -1) : path;
  const holder = read(object, steps.slice(0, -1));
  const last = steps.at(-1) ?? '';
  if (isJson(holder)) delete holder[last.slice(2)];
  else if (Array.isArray(holder)) {
    const found = child(holder, last);
    if (found !== undefined) holder.splice(holder.indexOf(found), 1);
  }
}

function merge(target: Json, source: Json, type: string, top = false): void {
  const fields = fieldsOf(type);
  for (const [name, inner] of Object.entries(source)) {
    if (top && SERVER_OWN.has(name)) continue;
    if (type === 'V1ObjectMeta' && SERVER_META.has(name)) continue;
    const next = fields?.get(name) ?? entryOf(type) ?? 'any';
    const structure = structureOf(type, name, next);
    if (structure === 'list' && Array.isArray(inner)) {
      const list = (Array.isArray(target[name]) ? target[name] : []) as Json[];
      for (const one of inner as Json[]) {
        const found = child(list, keyStep(one, keysOf(type, name))) as Json | undefined;
        if (found) merge(found, one, memberOf(next) ?? 'any');
        else list.push(clone(one));
      }
      target[name] = list;
    } else if (structure === 'set' && Array.isArray(inner)) {
      target[name] = [...new Set([...((target[name] as unknown[]) ?? []), ...inner])];
    } else if ((structure === 'map' || structure === 'object') && isJson(inner)) {
      const holder = isJson(target[name]) ? target[name] : {};
      merge(holder, inner, next);
      target[name] = holder;
    } else target[name] = clone(inner);
  }
}

type Owned = Map<string, Path>;

interface Entry {
  manager: string;
  operation: 'Apply' | 'Update';
  subresource?: string;
  apiVersion: string;
  time: string;
  owned: Owned;
}

function entriesOf(object: Obj): Entry[] {
  return (object.metadata.managedFields ?? []).map(({ fieldsV1, ...rest }) => {
    const owned: Owned = new Map();
    unfold(fieldsV1, [], owned);
    return { ...rest, owned };
  });
}

function unfold(tree: Json, path: Path, owned: Owned): void {
  for (const [step, inner] of Object.entries(tree)) {
    const next = [...path, step];
    if (isJson(inner) && Object.keys(inner).length > 0) unfold(inner, next, owned);
    else owned.set(text(next), next);
  }
}

function fold(owned: Owned): Json {
  const tree: Json = {};
  for (const path of owned.values()) {
    let at = tree;
    for (const step of path) {
      if (!isJson(at[step])) at[step] = {};
      at = at[step] as Json;
    }
  }
  return tree;
}

function save(object: Obj, entries: Entry[]): void {
  const managed = entries
    .filter((entry) => entry.owned.size > 0)
    .map(({ owned, ...rest }): ManagedFields => {
      const { manager, operation, apiVersion, time, subresource } = rest;
      return {
        manager,
        operation,
        apiVersion,
        time,
        fieldsType: 'FieldsV1',
        fieldsV1: fold(owned),
        ...(subresource ? { subresource } : {}),
      };
    });
  if (managed.length > 0) object.metadata.managedFields = managed;
  else delete object.metadata.managedFields;
}

function find(
  entries: Entry[],
  manager: string,
  operation: Entry['operation'],
  subresource: string | undefined,
  apiVersion: string,
): Entry {
  const found = entries.find(
    (one) => one.manager === manager && one.operation === operation && one.subresource === subresource,
  );
  if (found) return found;
  const made: Entry = {
    manager,
    operation,
    apiVersion,
    time: now(),
    owned: new Map(),
    ...(subresource ? { subresource } : {}),
  };
  entries.push(made);
  return made;
}

/** `.spec.template.spec.containers[name="web"].image` */
function spoken(path: Path): string {
  return path
    .filter((step) => step !== '.')
    .map((step) => {
      if (step.startsWith('f:')) return `.${step.slice(2)}`;
      const key = JSON.parse(step.slice(2)) as Json;
      return isJson(key)
        ? `[${Object.entries(key)
            .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
            .join(',')}]`
        : `[${JSON.stringify(key)}]`;
    })
    .join('');
}

/** Server-side apply onto what is there. `live` undefined: creates. The result still lacks the server's defaults. */
export function applyOnto(live: Obj | undefined, applied: Obj, type: string, manager: string, force: boolean): Obj {
  const leaves = leavesOf(applied, type);
  const entries = live ? entriesOf(live) : [];
  const mine = find(entries, manager, 'Apply', undefined, applied.apiVersion);
  const result = live
    ? clone(live)
    : ({ apiVersion: applied.apiVersion, kind: applied.kind, metadata: { name: applied.metadata.name } } as Obj);
  const conflicts: { entry: Entry; path: Path }[] = [];
  for (const { path, value } of leaves) {
    if (path.at(-1) === '.' || !live || equal(read(live, path), value)) continue;
    for (const entry of entries) if (entry !== mine && entry.owned.has(text(path))) conflicts.push({ entry, path });
  }
  if (conflicts.length > 0 && !force) throw conflict(conflicts, applied.apiVersion);
  for (const { entry, path } of conflicts) entry.owned.delete(text(path));

  const before = mine.owned;
  mine.owned = new Map(leaves.map(({ path }) => [text(path), path]));
  merge(result, applied, type, true);
  const others = entries.filter((entry) => entry !== mine);
  for (const [key, path] of before) {
    if (!mine.owned.has(key) && !others.some((entry) => entry.owned.has(key))) remove(result, path);
  }
  mine.time = now();
  save(result, entries);
  return result;
}

function conflict(conflicts: readonly { entry: Entry; path: Path }[], apiVersion: string) {
  const who = (entry: Entry) =>
    `conflict with "${entry.manager}"${entry.subresource ? ` with subresource "${entry.subresource}"` : ''}${entry.operation === 'Update' ? ` using ${apiVersion}` : ''}`;
  const causes: Cause[] = conflicts.map(({ entry, path }) => ({
    reason: 'FieldManagerConflict',
    message: who(entry),
    field: spoken(path),
  }));
  const [first] = causes;
  const body =
    causes.length === 1
      ? ` ${first?.message}: ${first?.field}`
      : `s:\n${causes.map((one) => `- ${one.message}: ${one.field}`).join('\n')}`;
  const lead = causes.length === 1 ? 'Apply failed with 1 conflict:' : `Apply failed with ${causes.length} conflict`;
  return status(409, 'Conflict', `${lead}${body}`, { causes });
}

/** After a write that is no apply: who wrote owns what changed, nobody else does any more. */
export function noteUpdate(
  before: Obj | undefined,
  after: Obj,
  type: string,
  manager: string | undefined,
  subresource?: string,
): void {
  const old = new Map(before ? leavesOf(before, type).map((leaf) => [text(leaf.path), leaf]) : []);
  const fresh = leavesOf(after, type);
  const changed = fresh.filter(({ path, value }) => !old.has(text(path)) || !equal(old.get(text(path))?.value, value));
  const entries = before ? entriesOf(before) : entriesOf(after);
  for (const entry of entries) {
    for (const { path } of changed) entry.owned.delete(text(path));
    for (const [key, path] of entry.owned) if (!isThere(after, path)) entry.owned.delete(key);
  }
  if (manager !== undefined && changed.length > 0) {
    const entry = find(entries, manager, 'Update', subresource, after.apiVersion);
    for (const { path } of changed) entry.owned.set(text(path), path);
    entry.time = now();
  }
  save(after, entries);
}
