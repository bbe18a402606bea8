import { randomUUID } from 'node:crypto';
import { clone, equal, now, type Obj } from './objects.js';
import { need, RESOURCES, type Resource } from './resources.js';

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  resource: Resource;
  object: Obj;
  /** Before a MODIFIED. */
  before?: Obj;
  version: number;
}

/** What is stored, with its history. Everything that is given out is a copy. */
export class Cluster {
  readonly #objects = new Map<string, Map<string, Obj>>(RESOURCES.map((one) => [one.plural, new Map()]));
  readonly #listeners = new Set<(change: Change) => void>();
  #history: Change[] = [];
  #version = 1000;
  /** Changes up to this version are forgotten. */
  #forgotten = 999;

  get version(): number {
    return this.#version;
  }
  get forgotten(): number {
    return this.#forgotten;
  }

  read(plural: string, namespace: string | undefined, name: string): Obj | undefined {
    return clone(this.#objects.get(plural)?.get(key(namespace, name)));
  }

  /** By name, within the namespace or over all. */
  list(plural: string, namespace?: string): Obj[] {
    const all = [...(this.#objects.get(plural)?.values() ?? [])];
    const wanted = namespace === undefined ? all : all.filter((one) => one.metadata.namespace === namespace);
    return clone(
      wanted.sort((a, b) =>
        key(a.metadata.namespace, a.metadata.name) < key(b.metadata.namespace, b.metadata.name) ? -1 : 1,
      ),
    );
  }

  insert(resource: Resource, object: Obj): Obj {
    const made = clone(object);
    made.metadata = { ...made.metadata, uid: made.metadata.uid ?? randomUUID(), creationTimestamp: now() };
    if (resource.generation) made.metadata.generation = 1;
    return this.#store(resource, made, undefined);
  }

  /** Stores what differs; a write that changes nothing has no version of its own. */
  replace(resource: Resource, object: Obj): Obj {
    const before = this.#objects.get(resource.plural)?.get(key(object.metadata.namespace, object.metadata.name));
    if (!before) return this.insert(resource, object);
    const next = clone(object);
    next.metadata.resourceVersion = before.metadata.resourceVersion ?? '';
    if (equal(withoutTimes(before), withoutTimes(next))) return clone(before);
    if (resource.generation && !equal(before.spec, next.spec))
      next.metadata.generation = (before.metadata.generation ?? 0) + 1;
    return this.#store(resource, next, before);
  }

  /** The stored objects themselves, for a look that changes nothing. */
  peek(plural: string): Iterable<Readonly<Obj>> {
    return this.#objects.get(plural)?.values() ?? [];
  }

  /** For controllers: reads, changes, stores. Undefined: it is gone. */
  update(plural: string, namespace: string | undefined, name: string, change: (object: Obj) => void): Obj | undefined {
    const object = this.read(plural, namespace, name);
    if (!object) return undefined;
    change(object);
    return this.replace(need(plural), object);
  }

  /** Takes it out of the store, whatever its finalizers say. */
  drop(plural: string, namespace: string | undefined, name: string): void {
    const store = this.#objects.get(plural);
    const found = store?.get(key(namespace, name));
    if (!store || !found) return;
    store.delete(key(namespace, name));
    this.#version += 1;
    const object = clone(found);
    object.metadata.resourceVersion = String(this.#version);
    this.#tell({ type: 'DELETED', resource: need(plural), object, version: this.#version });
  }

  since(version: number, plural: string): Change[] {
    return this.#history.filter((one) => one.version > version && one.resource.plural === plural);
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Watches can begin no earlier than now. */
  compact(): void {
    this.#forgotten = this.#version;
    this.#history = [];
  }

  #store(resource: Resource, object: Obj, before: Obj | undefined): Obj {
    this.#version += 1;
    object.metadata.resourceVersion = String(this.#version);
    this.#objects.get(resource.plural)?.set(key(object.metadata.namespace, object.metadata.name), object);
    this.#tell({
      type: before ? 'MODIFIED' : 'ADDED',
      resource,
      object: clone(object),
      ...(before ? { before: clone(before) } : {}),
      version: this.#version,
    });
    return clone(object);
  }

  #tell(change: Change): void {
    this.#history.push(change);
    for (const listener of [...this.#listeners]) listener(change);
  }
}

function key(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

function withoutTimes(object: Obj): unknown {
  const { managedFields = [], ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, managedFields: managedFields.map(({ time: _, ...rest }) => rest) } };
}
