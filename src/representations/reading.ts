import { Fault } from '../domain/errors.js';
import type { XmlElement } from './xml-tree.js';

/** The first child with one of the names. */
export function child(element: XmlElement | undefined, ...names: string[]): XmlElement | undefined {
  return element?.children.find((one) => names.includes(one.name));
}

export function children(element: XmlElement | undefined, ...names: string[]): XmlElement[] {
  return element?.children.filter((one) => names.includes(one.name)) ?? [];
}

/** The first of the attributes that says something; an empty one counts as absent. */
export function attributeOf(element: XmlElement | undefined, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = element?.attributes.get(name);
    if (value !== undefined && value.trim() !== '') return value;
  }
  return undefined;
}

/** Free text that some clients send as an attribute, others as a child. */
export function textOf(element: XmlElement | undefined, ...names: string[]): string | undefined {
  const value = attributeOf(element, ...names) ?? child(element, ...names)?.text.trim();
  return value === '' ? undefined : value;
}

/** MiB as decimal digits. Throws Fault `InvalidValue`. */
export function mebibytes(element: XmlElement | undefined, name: string): number | undefined {
  const text = attributeOf(element, name)?.trim();
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) {
    throw new Fault('InvalidValue', `${name}="${text.slice(0, 40)}" is not a number of MiB.`);
  }
  return Number(text);
}

export function truth(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  return ['true', 'yes', '1'].includes(text.trim().toLowerCase());
}

/** Leaves undefined members out, as `exactOptionalPropertyTypes` wants it. */
export function given<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}
