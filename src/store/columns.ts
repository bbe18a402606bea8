import type { Json } from './schema.js';

/** What a row with null columns is to the domain: without them. */
export type Present<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as null extends T[K] ? K : never]?: NonNullable<T[K]>;
};

export function present<T extends object>(row: T): Present<T> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Present<T>;
}

export function toJson<T>(value: T): Json<T> {
  return JSON.stringify(value ?? null);
}

export function fromJson<T>(text: Json<T>): T {
  return JSON.parse(text) as T;
}

export function toFlag(value: boolean): number {
  return value ? 1 : 0;
}

export function timestamp(): string {
  return new Date().toISOString();
}
