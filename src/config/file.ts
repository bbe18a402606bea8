import { isNode, isScalar, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml';

/** The file as values, and where each of them stands. */
export interface ConfigFile {
  values: Record<string, unknown>;
  /** `coaps.yaml:12:3` of the value at this path, or of the nearest thing around it. */
  place(path: readonly PropertyKey[]): string;
  /** Whether the text at this path stands in the file itself, and not in an environment variable. */
  holds(path: readonly string[]): boolean;
  faults: string[];
}

/** Reads YAML and puts environment variables in for `${NAME}`; `$${` is a plain `${`. */
export function readConfigFile(name: string, source: string, env: NodeJS.ProcessEnv): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const faults = [...document.errors, ...document.warnings].map((error) => `${at(error.pos[0])} ${error.message}`);
  visit(document, {
    Scalar(_key, scalar) {
      if (typeof scalar.value !== 'string') return;
      scalar.value = scalar.value.replace(/\$(\$?)\{([^}]*)\}/g, (whole, escaped: string, variable: string) => {
        if (escaped) return whole.slice(1);
        const value = env[variable];
        if (value === undefined)
          faults.push(`${at(scalar.range?.[0] ?? 0)} the environment variable ${variable} is not set`);
        return value ?? '';
      });
    },
  });
  return { values: toValues(), place, holds, faults };

  function toValues(): Record<string, unknown> {
    if (faults.length > 0) return {};
    const values: unknown = document.toJS({ maxAliasCount: 100 });
    if (values === null || values === undefined) return {};
    if (typeof values === 'object' && !Array.isArray(values)) return values as Record<string, unknown>;
    faults.push(`${at(0)} expected settings such as "listen: {port: 8080}"`);
    return {};
  }

  function holds(path: readonly string[]): boolean {
    const node = document.contents === null ? undefined : document.getIn(path, true);
    return isScalar(node) && typeof node.value === 'string' && !/(?<!\$)\$\{/.test(node.source ?? '');
  }

  function place(path: readonly PropertyKey[]): string {
    for (let length = path.length; length > 0; length--) {
      const key = path[length - 1];
      const parent = path.slice(0, length - 1);
      const holder = parent.length === 0 ? document.contents : document.getIn(parent, true);
      const found = isNode(holder) && 'items' in holder ? position(holder.items as unknown[], key) : undefined;
      if (found !== undefined) return at(found);
    }
    return name;
  }
}

/** Where the pair with this key, or the item with this number, begins. */
function position(items: readonly unknown[], key: PropertyKey | undefined): number | undefined {
  if (typeof key === 'number') return (items[key] as Node | undefined)?.range?.[0];
  const pair = (items as Pair[]).find((item) => isScalar(item.key) && String(item.key.value) === key);
  return (pair?.key as Node | undefined)?.range?.[0];
}
