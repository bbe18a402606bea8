import type { Json } from './schema.js';

/** What a row with null columns is to the domain: without them. */
export type Present<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as null extends T[K] ? K : never]?: NonNullable<T[K]>;
};

export function present<T extends object>(row: T): Present<T> {
  // A loop: lists are made of a hundred thousand rows.
  const made: Record<string, unknown> = {};
  for (const name of Object.keys(row)) {
    const value = row[name as keyof T];
    if (value !== null) made[name] = value;
  }
  return made as Present<T>;
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
