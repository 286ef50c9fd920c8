import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../infra/root.ts';

// Holds the direction of imports that docs/architecture.md draws: functions ← infra ← samples ← operate ← local ← commands ←
// scripts, test.

/** Each folder may import itself and the folders before it. Scripts and tests are the last, on one level. */
const FOLDERS = ['functions', 'infra', 'samples', 'operate', 'local', 'commands', 'scripts', 'test'] as const;
const TOP = ['scripts', 'test'];

const SOURCES: Record<string, string> = Object.fromEntries(
  FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.[jt]s$/.test(file))
      .map((file) => `${folder}/${file}`),
  ).map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]),
);
const { imports: SUBPATHS } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** The specifiers of every import and re-export, of types and dynamic ones too. */
function specifiersOf(source: string): string[] {
  const patterns = [
    /^\s*(?:import|export)\b[^;'"`]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\b(?:import|require)\s*\(\s*['"`]([^'"`]+)['"`]/g,
  ];
  return patterns.flatMap((pattern) => [...source.matchAll(pattern)].map(([, found = '']) => found));
}

/** The files of this project that a file imports. A package is left out. */
function importsOf(file: string, source = SOURCES[file] ?? ''): string[] {
  return specifiersOf(source).flatMap((specifier) => {
    if (specifier.startsWith('#')) return relative('.', SUBPATHS[specifier]);
    return specifier.startsWith('.') ? join(dirname(file), specifier) : [];
  });
}

const GRAPH = new Map(Object.keys(SOURCES).map((file) => [file, importsOf(file)]));
const folderOf = (file: string) => file.split('/')[0] ?? '';

function mayImport(file: string, imported: string): boolean {
  const [own, other] = [folderOf(file), folderOf(imported)];
  if (TOP.includes(own)) return true;
  return FOLDERS.indexOf(other as never) <= FOLDERS.indexOf(own as never) && !TOP.includes(other);
}

/** Every import for which the rule does not hold, as a sentence. */
function violations(isAllowed: (file: string, imported: string) => boolean): string[] {
  return [...GRAPH].flatMap(([file, imports]) =>
    imports.filter((imported) => !isAllowed(file, imported)).map((imported) => `${file} imports ${imported}`),
  );
}

/** All files that a file needs, itself included. */
function closureOf(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const imported of GRAPH.get(file) ?? []) closureOf(imported, found);
  return found;
}

/** The circles of imports, each once: the files from one to itself again. */
function circles(): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (file: string, path: string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file].join(' → '));
    if (start >= 0 || done.has(file)) return;
    for (const imported of GRAPH.get(file) ?? []) walk(imported, [...path, file]);
    done.add(file);
  };
  for (const file of GRAPH.keys()) walk(file, []);
  return found;
}

describe('the imports', () => {
  it('run one way: functions ← infra ← samples ← operate ← local ← commands ← scripts, test', () => {
    expect(violations(mayImport)).toEqual([]);
  });

  it('lead from functions to functions only', () => {
    expect(
      violations((file, imported) => folderOf(file) !== 'functions' || folderOf(imported) === 'functions'),
    ).toEqual([]);
  });

  it('lead from no command to the local AWS, because commands run where only a deployed stack is', () => {
    expect(
      violations((file, imported) => folderOf(file) !== 'commands' || folderOf(imported) !== 'local'),
    ).toEqual([]);
  });

  it('lead from no wing of functions to another, except that cleanup reads outcomes as close does', () => {
    const wingOf = (file: string) => /^functions\/(intake|close|cleanup)\//.exec(file)?.[1];
    expect(
      violations((file, imported) => {
        const [own, other] = [wingOf(file), wingOf(imported)];
        return !own || !other || own === other || (own === 'cleanup' && other === 'close');
      }),
    ).toEqual([]);
  });

  it('lead from no file of functions to a handler', () => {
    expect(
      violations(
        (file, imported) => folderOf(file) !== 'functions' || !/^functions\/\w+\.lambda\.ts$/.test(imported),
      ),
    ).toEqual([]);
  });

  it('have no circle', () => {
    expect(circles()).toEqual([]);
  });

  it('of a script lead to no test, except that the soak is one, and is drawn, and the cost counts metrics as the tests do', () => {
    const mayUse = (file: string, imported: string) =>
      (/^scripts\/(soak\.ts|pictures\/)/.test(file) && imported.startsWith('test/soak/')) ||
      (file.startsWith('scripts/cost/') && imported.startsWith('test/signals/'));
    expect(
      violations(
        (file, imported) =>
          folderOf(file) !== 'scripts' || folderOf(imported) !== 'test' || mayUse(file, imported),
      ),
    ).toEqual([]);
  });

  it('of npm start need nothing of test', () => {
    const needed = [...closureOf('scripts/start.ts')];
    expect(needed).toContain('functions/schemes/index.ts');
    expect(needed.filter((file) => folderOf(file) === 'test')).toEqual([]);
  });

  it('all lead to files that exist, so none was misread', () => {
    // A test of the bundles writes its imports, of .mjs files, into a temporary folder.
    const isMissing = (file: string) => !file.endsWith('.mjs') && !existsSync(join(ROOT, file));
    expect(violations((_, imported) => !isMissing(imported))).toEqual([]);
    expect([...GRAPH.values()].flat().length).toBeGreaterThan(500);
  });
});

// Not written out, so that this file does not seem to import it.
const B = '../b.ts';

describe('the reading of imports', () => {
  it.each([
    ["import { a } from '../b.ts';", 'functions/b.ts'],
    ["import {\n  a,\n  type B,\n} from '../b.ts';", 'functions/b.ts'],
    ["import type { A } from '../b.ts';", 'functions/b.ts'],
    ["import '../b.ts';", 'functions/b.ts'],
    ["export * from '../b.ts';", 'functions/b.ts'],
    ["export type { A } from '../b.ts';", 'functions/b.ts'],
    [`const { a } = await import('${B}');`, 'functions/b.ts'],
    [`type A = import('${B}').A;`, 'functions/b.ts'],
    ["import { connections } from '#configured';", 'functions/configured.ts'],
    ["import { selector } from '#selector';", 'functions/intake/selector.ts'],
  ])('finds %s', (source, expected) => {
    expect(importsOf('functions/crm/a.ts', source)).toEqual([expected]);
  });

  it('refuses an import against the direction, whatever its kind', () => {
    expect(mayImport('functions/a.ts', 'infra/b.ts')).toBe(false);
    expect(mayImport('operate/a.ts', 'scripts/b.ts')).toBe(false);
    expect(mayImport('local/a.ts', 'test/b.ts')).toBe(false);
    expect(mayImport('local/a.ts', 'functions/b.ts')).toBe(true);
  });
});
