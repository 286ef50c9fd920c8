import { readFileSync } from 'node:fs';
import { printParseErrorCode, visit } from 'jsonc-parser';
import { ConfigurationError, type Fault, type Finding, pathOf, quote } from './fault.ts';
import { nameStray, STRAY } from './stray.ts';

const MAX_DEPTH = 50;

const UNREADABLE: Record<string, Finding> = {
  ENOENT: { problem: 'does not exist', mend: 'Write it, or name another one with -c connections=FILE' },
  EISDIR: { problem: 'is a directory', mend: 'Name a file in it with -c connections=FILE' },
  EACCES: { problem: 'cannot be read for want of permission', mend: 'Make it readable for you' },
};

/** In words, what jsonc-parser finds; its own names are for programmers. */
const SYNTAX: Record<string, string> = {
  InvalidSymbol: 'this is no JSON value; text and keys stand in double quotes',
  InvalidCharacter: 'a control character cannot stand in a string; write it as \\uXXXX',
  InvalidEscapeCharacter: 'there is no such escape; a backslash itself is written twice',
  PropertyNameExpected: 'a key in double quotes is missing, or the comma before this is one too many',
  ValueExpected: 'a value is missing, or the comma before this is one too many',
  ColonExpected: 'a colon is missing',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a closing brace is missing',
  CloseBracketExpected: 'a closing bracket is missing',
  EndOfFileExpected: 'there is more after the end',
  InvalidCommentToken: 'comments are not allowed',
  UnexpectedEndOfComment: 'comments are not allowed',
  UnexpectedEndOfString: 'a string has no closing quotation mark',
};

/**
 * Reads a file of strict JSON.
 *
 * @returns its value, and a fault for each key that stands twice in one object: `JSON.parse` would drop the first
 * @throws {ConfigurationError} when the file cannot be read or is not JSON
 */
export function readJsonFile(file: string): { value: unknown; faults: Fault[] } {
  const refuse = (fault: Finding & { path?: string }) =>
    new ConfigurationError(file, [{ path: '', ...fault }]);
  const text = readText(file, refuse);
  if (text.trim() === '') throw refuse({ problem: 'is empty', mend: 'Begin with the example in the README' });
  const { duplicates, syntax, tooDeep } = inspect(text);
  if (tooDeep) throw refuse({ problem: `is nested more than ${MAX_DEPTH} deep`, mend: 'Flatten it' });
  try {
    return { value: JSON.parse(text), faults: duplicates };
  } catch {
    throw refuse(syntax ?? { problem: 'is not JSON', mend: 'Write strict JSON' });
  }
}

function readText(file: string, refuse: (fault: Finding) => ConfigurationError): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw refuse(UNREADABLE[code] ?? { problem: `cannot be read (${code})`, mend: 'Name a readable file' });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse({ problem: 'is not text in UTF-8', mend: 'Save it as UTF-8' });
  }
}

/** What `JSON.parse` does not tell: the place of the first syntax error, and keys that stand twice. */
function inspect(text: string): { duplicates: Fault[]; syntax?: Fault; tooDeep: boolean } {
  const duplicates: Fault[] = [];
  const objects: Set<string>[] = [];
  let syntax: Fault | undefined;
  let depth = 0;
  const enter = () => {
    depth += 1;
    // The parser recurses, so it is stopped before the stack is.
    if (depth > MAX_DEPTH) throw new RangeError();
  };
  const leave = () => {
    depth -= 1;
  };
  const visitor: Parameters<typeof visit>[1] = {
    onArrayBegin: enter,
    onArrayEnd: leave,
    onObjectBegin: () => {
      enter();
      objects.push(new Set());
    },
    onObjectEnd: () => {
      leave();
      objects.pop();
    },
    onObjectProperty: (key, _offset, _length, line, _column, pathOfObject) => {
      const keys = objects.at(-1);
      if (keys?.has(key)) duplicates.push(duplicate(pathOf(...pathOfObject(), key), line));
      keys?.add(key);
    },
    onError: (code, offset, length, line, column) => {
      const before = text.slice(text.lastIndexOf('\n', offset) + 1, offset);
      const stray = STRAY.exec(text.slice(offset, offset + length)) ?? STRAY.exec(before);
      syntax ??= syntaxFault(printParseErrorCode(code), line, column, stray?.[0]);
    },
  };
  try {
    visit(text, visitor, { disallowComments: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { duplicates, tooDeep: true };
  }
  return { duplicates, tooDeep: false, ...(syntax && { syntax }) };
}

function duplicate(path: string, line: number): Fault {
  return {
    path,
    problem: `stands twice, the second time on line ${line + 1}`,
    mend: 'Keep one: only the last would count',
  };
}

/** @param stray a character of a word processor's in the same line, which is then the likely cause */
function syntaxFault(error: string, line: number, column: number, stray: string | undefined): Fault {
  const path = `line ${line + 1}, column ${column + 1}`;
  if (stray) {
    return {
      path,
      problem: `is not JSON: the line has ${nameStray(stray)}`,
      mend: 'Write the plain character instead: " or a space',
    };
  }
  return {
    path,
    problem: `is not JSON: ${SYNTAX[error] ?? `this cannot stand here (${quote(error)})`}`,
    mend: 'Write strict JSON, without comments and trailing commas',
  };
}
