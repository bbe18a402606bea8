import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The rules of the house, as CONTRIBUTING.md states them. */

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

const SOURCES = ['src', 'adapters', 'wadl'].flatMap(files).filter((file) => file.endsWith('.ts'));
const TEXT = new Map(SOURCES.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));

interface Import {
  from: string;
  /** A file of the project, or the name of a package. */
  to: string;
  onlyTypes: boolean;
}

const IMPORTS = SOURCES.flatMap((from): Import[] => {
  const statements = (TEXT.get(from) ?? '').matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm,
  );
  return [...statements].map(([, type, plain, bare, lazy]) => {
    const given = plain ?? bare ?? lazy ?? '';
    const to = given.startsWith('.') ? posix.join(dirname(from), given).replace(/\.js$/, '.ts') : given;
    return { from, to, onlyTypes: type !== undefined };
  });
});

/** What the files of a place may import of the project beside the place itself; `type:` for types alone. First match counts. */
const RULES: [place: RegExp, allowed: RegExp[], typesOnly?: RegExp[]][] = [
  [/^src\/domain\//, []],
  [/^src\/(gateway|main)(\.ts|\/)/, [/./]],
  [/^src\/config/, [/^src\/(config|domain)/], [/^adapters\/adapter\.ts$/]],
  [/^src\/representations\//, [/^src\/domain\//]],
  [/^src\/api\/handlers(\.ts|\/)/, [/^src\/(domain|api|services|representations)\//]],
  [/^src\/api\//, [/^src\/(domain|representations)\//]],
  [/^src\/archives\//, [/^src\/domain\//]],
  [/^src\/store\//, [/^src\/domain\//]],
  [/^src\/services\//, [/^src\/(domain|archives)\//, /^adapters\/adapter\.ts$/], [/^src\/store\//]],
  [/^src\/conpaas\//, [/^src\/(domain|archives)\//]],
  [/^src\/http\//, [/^src\/(api|representations|domain)\//, /^wadl\//]],
  [
    /^src\/cli\//,
    [
      /^src\/(api|representations|domain)\//,
      /^src\/(config|gateway|main)/,
      /^src\/conpaas\/cloud\/local\.ts$/,
      /^adapters\/registry\.ts$/,
    ],
    [/^adapters\/adapter\.ts$/],
  ],
  [/^src\/console\//, [/^src\/(api|representations|domain)\//]],
  [/^wadl\//, [/^src\/(api|representations|domain)\//]],
  [/^adapters\/registry\.ts$/, [/^adapters\/[^/]+\/(index|definition)\.ts$/], [/^adapters\/adapter\.ts$/]],
  [/^adapters\/adapter\.ts$/, [], [/^src\/domain\//]],
  [/^adapters\//, [/^src\/domain\//, /^adapters\/(adapter|upstream[^/]*|zip-names)\.ts$/]],
];

function home(file: string): string {
  return /^(src\/[^/]+\/|adapters\/[^/]+\/|wadl\/)/.exec(file)?.[1] ?? file;
}

function violation({ from, to, onlyTypes }: Import): string | undefined {
  if (!TEXT.has(to)) return undefined;
  const rule = RULES.find(([place]) => place.test(from));
  if (!rule) return `${from}: no rule says what it may import`;
  const [, allowed, typesOnly = []] = rule;
  const fine =
    home(from) === home(to) ||
    allowed.some((pattern) => pattern.test(to)) ||
    (onlyTypes && typesOnly.some((pattern) => pattern.test(to)));
  return fine ? undefined : `${from} imports ${to}`;
}

describe('the house', () => {
  it('is read by this test: there are sources, and imports between them', () => {
    expect(SOURCES.length).toBeGreaterThan(60);
    expect(IMPORTS.filter(({ to }) => TEXT.has(to)).length).toBeGreaterThan(100);
    const dangling = IMPORTS.filter(({ to }) => to.startsWith('src/') || to.startsWith('adapters/')).filter(
      ({ to }) => !TEXT.has(to),
    );
    expect(dangling).toEqual([]);
  });

  it('imports only what each room may import', () => {
    expect(IMPORTS.map(violation).filter((one) => one !== undefined)).toEqual([]);
  });

  it('would notice: a rule that allows everything is none', () => {
    const forbidden: Import[] = [
      { from: 'src/domain/model.ts', to: 'src/store/store.ts', onlyTypes: true },
      { from: 'src/services/operations.ts', to: 'src/store/open.ts', onlyTypes: false },
      { from: 'src/http/app.ts', to: 'src/services/operations.ts', onlyTypes: false },
      { from: 'adapters/memory/client.ts', to: 'adapters/conpaas/client.ts', onlyTypes: false },
      { from: 'src/conpaas/system.ts', to: 'src/store/open.ts', onlyTypes: false },
    ];
    for (const one of forbidden) {
      TEXT.set(one.to, TEXT.get(one.to) ?? '');
      expect(violation(one)).toBeDefined();
    }
  });

  it('keeps Express in its rooms', () => {
    const express = IMPORTS.filter(({ to }) => to === 'express').map(({ from }) => from);
    const elsewhere = express.filter((from) => !/^src\/(http|console)\/|^src\/conpaas\/.*http/.test(from));
    expect(elsewhere).toEqual([]);
    expect(express).not.toEqual([]);
  });

  it('reads the environment in few places', () => {
    const readers = SOURCES.filter((file) =>
      /\bprocess\.env\b|\benv\b.*from 'node:process'/.test(TEXT.get(file) ?? ''),
    );
    // ConPaaS looks for what the machine has (PATH, JAVA_HOME, CATALINA_HOME); settings come from config.ts alone.
    expect(readers.filter((file) => !/^src\/cli\/terminal\.ts$|^src\/conpaas\//.test(file))).toEqual([]);
    expect(
      SOURCES.filter((file) => /env\[?\.?'?COAPS_(?!MARK)/.test(TEXT.get(file) ?? '')).filter(
        (file) => !/^src\/(cli|config)/.test(file),
      ),
    ).toEqual([]);
  });

  it('names files in kebab-case, by ideas and not by kinds', () => {
    const all = [...SOURCES, ...files('test').filter((file) => file.endsWith('.ts'))];
    const named = all.map((file) => posix.basename(file, extname(file)).replace(/\.test$/, ''));
    expect(named.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
    const vague = all.filter((file) => /(^|[/-])(utils?|helpers?|commons?|manager|base|misc)([/.-]|$)/.test(file));
    expect(vague.filter((file) => !/conpaas\/.*manager/.test(file))).toEqual([]);
  });

  it('keeps files short', () => {
    const all = [...SOURCES, ...files('test').filter((file) => file.endsWith('.ts'))];
    const long = all.map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').split('\n').length }));
    expect(long.filter(({ lines }) => lines > 300)).toEqual([]);
  });

  it('exports by name', () => {
    expect(SOURCES.filter((file) => /^export default/m.test(TEXT.get(file) ?? ''))).toEqual([]);
  });
});
