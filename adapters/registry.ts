import type { AdapterDefinition, AdapterOptions, OptionDefinition } from './adapter.js';
import { memoryDefinition } from './memory/definition.js';

/** Every provider. A new one is one import and one entry. */
export const ADAPTERS: readonly AdapterDefinition[] = [memoryDefinition];

export function findAdapter(name: string): AdapterDefinition | undefined {
  return ADAPTERS.find((one) => one.name === name);
}

export interface ValidatedOptions {
  /** With defaults filled in; what is unknown or of the wrong type is left out. */
  options: AdapterOptions;
  /** What is wrong, as sentences that hold no value of a secret option. Empty: all is well. */
  faults: string[];
}

/**
 * Checks a platform's options against its adapter's definition. Numbers, booleans and maps (as JSON) may come as text, because environment
 * variables have no other form. All faults are collected, so that one start tells them all.
 */
export function validateOptions(
  definition: AdapterDefinition,
  given: Readonly<Record<string, unknown>>,
): ValidatedOptions {
  const options: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const option of definition.options) {
    const value = given[option.name];
    if (value === undefined || value === null) {
      if (option.default !== undefined) options[option.name] = option.default;
      else if (option.required) faults.push(`option "${option.name}" is missing: ${option.help}`);
      continue;
    }
    const read = readValue(option, value);
    if (read === undefined) faults.push(`option "${option.name}" must be a ${WORD[option.type]}: ${option.help}`);
    else options[option.name] = read;
  }
  const known = definition.options.map((option) => option.name);
  for (const name of Object.keys(given).filter((one) => !known.includes(one))) {
    faults.push(
      `option "${name}" is not known to the adapter ${definition.name}; it knows ${known.join(', ') || 'none'}`,
    );
  }
  return { options, faults };
}

const WORD = { string: 'text', number: 'number', boolean: 'truth value (true or false)', map: 'map' } as const;

function readValue(option: OptionDefinition, value: unknown): unknown {
  switch (option.type) {
    case 'string':
      return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
    case 'number': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
    }
    case 'boolean':
      if (value === 'true' || value === 'false') return value === 'true';
      return typeof value === 'boolean' ? value : undefined;
    case 'map':
      return readMap(value);
  }
}

function readMap(value: unknown): unknown {
  if (typeof value !== 'string') return typeof value === 'object' && !Array.isArray(value) ? value : undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
