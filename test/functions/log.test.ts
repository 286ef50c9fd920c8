import { afterEach, describe, expect, it, vi } from 'vitest';
import { ENVIRONMENT } from '../../functions/environment.ts';
import { type FieldOf, LINES, type LineType } from '../../functions/line.ts';
import { faultLine, lineText, writeLine } from '../../functions/log.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('a line', () => {
  it('begins with its type and the stack, and has no field without a value', () => {
    const line = faultLine(undefined, 'close', new RangeError('too far'));
    expect(lineText(line, 'closer')).toBe(
      '{"type":"fault","service":"closer","where":"close","error":{"name":"RangeError","message":"too far"}}',
    );
  });

  it('has no stack where nothing was deployed', () => {
    expect(lineText(faultLine('r', 'close', 'text'), undefined)).toBe(
      '{"type":"fault","request_id":"r","where":"close","error":{"name":"Error","message":"text"}}',
    );
  });

  it('is written as one line, with the name that the stack gives its functions', () => {
    vi.stubEnv(ENVIRONMENT.service, 'closer');
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const line = faultLine('r', 'close', new Error('two\nlines'));
    writeLine(line);
    expect(write.mock.calls).toEqual([[`${lineText(line, 'closer')}\n`]]);
    expect(lineText(line, 'closer')).not.toContain('\n');
  });
});

describe('the schema of the lines', () => {
  it('has no field of which a body, a header or a secret could be the value', () => {
    const texts = (Object.keys(LINES) as LineType[]).flatMap((type) => Object.keys(LINES[type]));
    expect(texts.filter((name) => /body|header|secret|token|query|text/.test(name))).toEqual([]);
  });

  it('gives every type of line the stack first', () => {
    const first = (Object.keys(LINES) as LineType[]).map(
      (type) => Object.keys(LINES[type])[0] as FieldOf<LineType>,
    );
    expect(new Set(first)).toEqual(new Set(['service']));
  });
});
