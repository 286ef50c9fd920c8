import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigurationError, loadConfiguration } from '../../../infra/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-file-'));
const file = join(folder, 'connections.json');

afterAll(() => rmSync(folder, { recursive: true }));

describe('the configuration file', () => {
  it.each([
    ['nothing', '', 'is empty', 'example'],
    ['white space', ' \n', 'is empty', 'example'],
    ['a byte order mark', '\uFEFF', 'is empty', 'example'],
    ['an array', '[]', 'is an array, not an object', 'keys among'],
    ['a string', '"polyai"', 'is a string, not an object', 'keys among'],
    ['null', 'null', 'is null, not an object', 'keys among'],
    ['too many levels', '['.repeat(100_000), 'is nested more than', 'Flatten'],
    [
      'too many levels, all closed',
      `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`,
      'is nested more than',
      'Flatten',
    ],
    ['UTF-16', Buffer.from('\uFEFF{}', 'utf16le'), 'is not text in UTF-8', 'Save it as UTF-8'],
  ])('is refused if it contains %s', (_what, content, problem, fix) => {
    const [fault, ...others] = faultsOf(content);
    expect(fault).toEqual({
      path: '',
      problem: expect.stringContaining(problem),
      fix: expect.stringContaining(fix),
    });
    expect(others).toEqual([]);
  });

  it.each([
    ['a comment', '{\n  "stack": {} // five\n}', 'line 2, column 15', 'comments are not allowed'],
    ['a block comment', '/* five */ {}', 'line 1, column 1', 'comments are not allowed'],
    ['a trailing comma', '{\n  "stack": {},\n}', 'line 3, column 1', 'the comma before this must go'],
    ['a missing comma', '{ "stack": {}\n  "polyai": {} }', 'line 2, column 3', 'a comma is missing'],
    ['a missing colon', '{ "stack" {} }', 'line 1, column 11', 'a colon is missing'],
    ['a missing value', '{ "stack": }', 'line 1, column 12', 'a value is missing'],
    ['a missing brace', '{ "stack": {}', 'line 1, column 14', 'a closing brace is missing'],
    ['a missing bracket', '[1', 'line 1, column 3', 'a closing bracket is missing'],
    ['single quotes', "{ 'stack': {} }", 'line 1, column 3', 'double quotes'],
    ['typographic quotes', '{ “stack”: {} }', 'line 1, column 3', 'a typographic quotation mark \\(“\\)'],
    ['a typographic end', '{ "a”: 1, "b": 2 }', 'line 1, column 12', 'a typographic quotation mark \\(”\\)'],
    ['a no-break space', '{\u00a0"stack": {} }', 'line 1, column 2', 'a no-break space \\(U\\+00A0\\)'],
    ['an open string', '{ "stack: {} }', 'line 1, column 3', 'no closing quotation mark'],
    ['a wrong escape', '{ "a\\x": 1 }', 'line 1, column 3', 'no such escape'],
    [
      'a tab in a string',
      '{ "a\tb": 1 }',
      'line 1, column 3',
      'a string must not contain a control character',
    ],
    ['two values', '{} {}', 'line 1, column 4', 'there is more after the end'],
  ])('is refused with line and column if it contains %s', (_what, content, path, problem) => {
    expect(faultsOf(content)).toEqual([
      {
        path,
        problem: expect.stringMatching(new RegExp(`^is not JSON: .*${problem}`)),
        fix: expect.stringContaining(
          /typographic|no-break/.test(problem) ? 'the plain character' : 'strict JSON',
        ),
      },
    ]);
  });

  it('that does not exist is named by the path that was given', () => {
    const { message, faults } = refusalOf('no/such/../connections.json');
    expect(message).toMatch(/^1 fault in no\/such\/\.\.\/connections\.json:\n {2}the file does not exist\. /);
    expect(faults[0]?.fix).toContain('-c connections=FILE');
  });

  it('is refused if it is a directory', () => {
    const directory = join(folder, 'directory');
    mkdirSync(directory);
    expect(refusalOf(directory).message).toContain('the file is a directory. Name a file');
  });

  it('is refused if its name is impossible', () => {
    expect(refusalOf('connections\0.json').message).toContain(
      'the file cannot be read (ERR_INVALID_ARG_VALUE)',
    );
  });

  it('may begin with a byte order mark', () => {
    expect(faultsOf('\uFEFF{}').map(({ path }) => path)).toEqual(['connections', 'polyai']);
  });

  it('is refused with a key twice in one object, because the first would be lost', () => {
    const faults = faultsOf(
      '{\n "connections": { "a": {},\n "b": { "crm": "x", "crm": "y" },\n "\\u0061": {} } }',
    );
    const duplicates = faults.filter(({ problem }) => problem.includes('is there twice'));
    expect(duplicates).toEqual([
      {
        path: 'connections.a',
        problem: 'is there twice, the second time on line 4',
        fix: expect.stringContaining('Keep one'),
      },
      {
        path: 'connections.b.crm',
        problem: 'is there twice, the second time on line 3',
        fix: expect.any(String),
      },
    ]);
  });

  it('may have more objects and lists in a row than may be nested', () => {
    const names = Array.from({ length: 200 }, (_, index) => `"name-${index}": { "allowedSources": [] }`);
    const faults = faultsOf(`{ "connections": { ${names.join()} } }`);
    expect(faults.filter(({ path }) => path.endsWith('.allowedSources'))).toHaveLength(200);
  });

  it('may have the same key in two objects', () => {
    const faults = faultsOf(
      '{ "connections": { "a": { "crm": "x" }, "b": { "crm": "x", "verify": { "crm": 1 } } } }',
    );
    expect(faults.filter(({ problem }) => problem.includes('twice'))).toEqual([]);
  });

  it('with any text at all is refused with a ConfigurationError', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.string({ unit: fc.constantFrom(...'{}[]",:/*1 ') }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(faultsOf(text).length).toBeGreaterThan(0);
      }),
    );
  });
});

function faultsOf(content: string | Buffer) {
  writeFileSync(file, content);
  return refusalOf(file).faults;
}

function refusalOf(path: string): ConfigurationError {
  try {
    loadConfiguration(path);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('the file is accepted');
}
