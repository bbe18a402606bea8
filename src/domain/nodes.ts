import type { EnvironmentNode, OfferedNode } from './model.js';

/**
 * Words by which descriptors of every generation name what they need (api.md §3), the more telling before the more general:
 * `spring-java` is spring. Words of one row mean the same thing; the first is its name here.
 */
const WORDS: readonly (readonly string[])[] = [
  ['tomcat'],
  ['jetty'],
  ['jboss', 'wildfly'],
  ['spring'],
  ['node', 'node.js', 'nodejs'],
  ['php'],
  ['python'],
  ['ruby'],
  ['static'],
  ['java'],
  ['mysql'],
  ['mariadb'],
  ['postgresql', 'postgres'],
  ['redis'],
  ['mongodb', 'mongo'],
];

/** The known word in a node's name, case ignored: `JBOSSAS_7` → `jboss`, `WildFly` → `jboss`. */
export function knownWord(name: string): string | undefined {
  const text = name.toLowerCase();
  return WORDS.find((row) => row.some((word) => text.includes(word)))?.[0];
}

export interface NodeChoice {
  name: string;
  /** Absent when the platform tells no versions. */
  version?: string;
  /** Says that another version than the wanted one was taken. */
  remark?: string;
}

/**
 * What of `offered` a node means: the same known word, or the same name. A version that is not offered becomes the nearest one,
 * never an error. Undefined: nothing offered matches.
 */
export function chooseNode(node: EnvironmentNode, offered: readonly OfferedNode[]): NodeChoice | undefined {
  const match = findOffered(node.name, offered);
  if (!match) return undefined;
  const version = nearestVersion(node.version ?? '', match.versions);
  if (version === undefined) return { name: match.name };
  if (!node.version || covers(node.version, version)) return { name: match.name, version };
  return {
    name: match.name,
    version,
    remark: `${match.name} ${node.version} is not offered; ${match.name} ${version} is used.`,
  };
}

/** The sentence for a container that nothing matches. */
export function unknownNode(node: EnvironmentNode, offered: readonly OfferedNode[]): string {
  const names = offered.map((one) => one.name).join(', ');
  return `The ${node.contentType} "${node.name}" is not known here. There is: ${names || 'none'}.`;
}

function findOffered(name: string, offered: readonly OfferedNode[]): OfferedNode | undefined {
  const exact = offered.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (exact) return exact;
  const word = knownWord(name);
  return word === undefined ? undefined : offered.find((one) => knownWord(one.name) === word);
}

/** The offered version nearest to the wanted one, number by number; any: the newest. */
export function nearestVersion(wanted: string, offered: readonly string[]): string | undefined {
  const newestFirst = [...offered].sort((a, b) => compare(numbers(b), numbers(a)));
  if (wanted === '') return newestFirst[0];
  const exact = newestFirst.find((one) => covers(wanted, one));
  if (exact !== undefined) return exact;
  const goal = numbers(wanted);
  return newestFirst.reduce<string | undefined>((best, one) => {
    if (best === undefined) return one;
    return compare(distance(numbers(one), goal), distance(numbers(best), goal)) < 0 ? one : best;
  }, undefined);
}

/** `10` covers `10.1.7`, and `10.1` covers `10`: the shorter one says less. */
function covers(wanted: string, offered: string): boolean {
  if (wanted === offered) return true;
  const a = numbers(wanted);
  const b = numbers(offered);
  const length = Math.min(a.length, b.length);
  return length > 0 && a.slice(0, length).every((value, index) => value === b[index]);
}

function numbers(version: string): number[] {
  return (version.match(/\d+/g) ?? []).map(Number);
}

function distance(a: number[], b: number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, index) =>
    Math.abs((a[index] ?? 0) - (b[index] ?? 0)),
  );
}

function compare(a: number[], b: number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
