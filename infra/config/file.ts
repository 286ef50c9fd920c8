import { readFileSync } from 'node:fs';
import { printParseErrorCode, visit } from 'jsonc-parser';
import { ConfigurationError, type Fault, type Problem, pathTo, quote } from './fault.ts';
import { nameStray, STRAY } from './stray.ts';

const MAX_DEPTH = 50;

/** For a key that JavaScript reserves. */
const RESERVED: Problem = {
  problem: 'is not a valid name: JavaScript reserves it',
  fix: 'Choose another name, or remove it',
};

const UNREADABLE: Record<string, Problem> = {
  ENOENT: { problem: 'does not exist', fix: 'Create it, or name another file with -c connections=FILE' },
  EISDIR: { problem: 'is a directory', fix: 'Name a file in it with -c connections=FILE' },
  EACCES: { problem: 'cannot be read: permission denied', fix: 'Give yourself permission to read it' },
};

/** Explains jsonc-parser's error codes to a reader who is not a programmer. */
const SYNTAX: Record<string, string> = {
  InvalidSymbol: 'this is not a JSON value; text and keys must be in double quotes',
  InvalidCharacter: 'a string must not contain a control character; write it as \\uXXXX',
  InvalidEscapeCharacter: 'there is no such escape; write a backslash itself twice',
  PropertyNameExpected: 'a key in double quotes is missing, or the comma before this must go',
  ValueExpected: 'a value is missing, or the comma before this must go',
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
 * @returns its value, and a fault for each key that is twice in one object, because `JSON.parse` drops the first,
 *   and for each `__proto__`, because the schema drops it
 * @throws {ConfigurationError} when the file cannot be read or is not JSON
 */
export function readJsonFile(file: string): { value: unknown; faults: Fault[] } {
  const refuse = (fault: Problem & { path?: string }) =>
    new ConfigurationError(file, [{ path: '', ...fault }]);
  const text = readText(file, refuse);
  if (text.trim() === '') throw refuse({ problem: 'is empty', fix: 'Start with the example in the README' });
  const { faults: keys, syntax, tooDeep } = inspect(text);
  if (tooDeep) throw refuse({ problem: `is nested more than ${MAX_DEPTH} deep`, fix: 'Flatten it' });
  try {
    return { value: JSON.parse(text), faults: keys };
  } catch {
    throw refuse(syntax ?? { problem: 'is not JSON', fix: 'Write strict JSON' });
  }
}

function readText(file: string, refuse: (fault: Problem) => ConfigurationError): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw refuse(UNREADABLE[code] ?? { problem: `cannot be read (${code})`, fix: 'Name a readable file' });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refuse({ problem: 'is not text in UTF-8', fix: 'Save it as UTF-8' });
  }
}

/** Finds what `JSON.parse` does not tell: the place of the first syntax error, and keys that would get lost. */
function inspect(text: string): { faults: Fault[]; syntax?: Fault; tooDeep: boolean } {
  const faults: Fault[] = [];
  const objects: Set<string>[] = [];
  let syntax: Fault | undefined;
  let depth = 0;
  const enter = () => {
    depth += 1;
    // The parser recurses, so it must stop before the call stack is full.
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
      const path = pathTo(...pathOfObject(), key);
      if (keys?.has(key)) faults.push(duplicate(path, line));
      else if (key === '__proto__') faults.push({ path, ...RESERVED });
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
    return { faults, tooDeep: true };
  }
  return { faults, tooDeep: false, ...(syntax && { syntax }) };
}

function duplicate(path: string, line: number): Fault {
  return {
    path,
    problem: `is there twice, the second time on line ${line + 1}`,
    fix: 'Keep one: only the last one would count',
  };
}

/** @param stray a typographic character in the same line: it is the likely cause */
function syntaxFault(error: string, line: number, column: number, stray: string | undefined): Fault {
  const path = `line ${line + 1}, column ${column + 1}`;
  if (stray) {
    return {
      path,
      problem: `is not JSON: the line has ${nameStray(stray)}`,
      fix: 'Write the plain character instead: " or a space',
    };
  }
  return {
    path,
    problem: `is not JSON: ${SYNTAX[error] ?? `this is not allowed here (${quote(error)})`}`,
    fix: 'Write strict JSON, without comments and trailing commas',
  };
}
