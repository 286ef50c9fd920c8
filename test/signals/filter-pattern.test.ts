import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from './filter-pattern.ts';

// Events and patterns: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
const EVENT = JSON.stringify({
  eventType: 'UpdateTrail',
  sourceIPAddress: '111.111.111.111',
  arrayKey: ['value', 'another value'],
  objectList: [
    { name: 'a', id: 1 },
    { name: 'b', id: 2 },
  ],
  SomeObject: null,
  ThisFlag: true,
});
const USERS = JSON.stringify({
  user: { id: 1, email: 'John.Stiles@example.com' },
  users: [
    { id: 2, email: 'John.Doe@example.com' },
    { id: 3, email: 'Jane.Doe@example.com' },
  ],
  actions: ['GET', 'PUT', 'DELETE'],
  coordinates: [
    [0, 1, 2],
    [4, 5, 6],
    [7, 8, 9],
  ],
});
const FIGURES = JSON.stringify({
  latency: 500,
  numbers: [9e3, 0.5],
  errorCode: 400,
  processes: [1, 2, 3, 4, { averageRuntime: 55.5 }],
});

const matches = (pattern: string, text: string) => compilePattern(pattern)(text);

describe('terms', () => {
  it.each([
    ['ERROR', '[ERROR] A fatal exception has occurred', true],
    ['ERROR', 'Exiting with ERRORCODE: -1', true],
    ['ERROR', 'error', false],
    ['ERROR -Exiting', 'Exiting with ERRORCODE: -1', false],
    ['ERROR -Exiting', '[ERROR] A fatal exception has occurred', true],
    ['"ERROR" -"Exiting"', 'Exiting with ERRORCODE: -1', false],
    ['ERROR Exception', '[ERROR] Caught IllegalArgumentException', true],
    ['ERROR Exception', '[ERROR] Caught', false],
    ['"Failed to process the request"', '[ERROR] Unable to continue: Failed to process the request', true],
    ['"Failed to process the request"', 'process the request Failed to', false],
    ['?ERROR ?WARN', 'WARN message', true],
    ['?ERROR ?WARN', 'INFO message', false],
    ['ERROR WARN', 'ERROR message', false],
    ['', 'anything', true],
    ['"a \\"quoted\\" word"', 'has a "quoted" word', true],
  ])('%s in %s: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });
});

describe('a JSON pattern', () => {
  it.each([
    ['{ $.eventType = "UpdateTrail" }', EVENT, true],
    ['{ $.eventType = UpdateTrail }', EVENT, true],
    ['{ $.eventType = "Update" }', EVENT, false],
    ['{ $.eventType != "UpdateTrail" }', EVENT, false],
    ['{ $.sourceIPAddress != 123.123.* }', EVENT, true],
    ['{ $.sourceIPAddress = 111.111.* }', EVENT, true],
    ['{ $.sourceIPAddress = 111x111* }', EVENT, false],
    ['{ $.eventType = "*Trail" }', EVENT, true],
    ['{ $.eventType = "*date*" }', EVENT, true],
    ['{ $.eventType = "Up*ail" }', EVENT, false],
    ['{ $.eventType = "*" }', EVENT, true],
    ['{ $.noSuch = "*" }', EVENT, false],
    ['{ $.noSuch != "x" }', EVENT, false],
    ['{ $.noSuch != 5 }', EVENT, false],
    ['{ ($.noSuch NOT EXISTS) || ($.noSuch != "x") }', EVENT, true],
    ['{ $.SomeObject != "x" }', EVENT, false],
    ['{ $.arrayKey[0] = "value" }', EVENT, true],
    ['{ $.eventType[0] = "U" }', EVENT, false],
    ['{ $.objectList[1].id = 2 }', EVENT, true],
    ['{ $.objectList[2].id = 2 }', EVENT, false],
    ['{ $.SomeObject IS NULL }', EVENT, true],
    ['{ $.noSuch IS NULL }', EVENT, false],
    ['{ $.SomeOtherObject NOT EXISTS }', EVENT, true],
    ['{ $.SomeObject NOT EXISTS }', EVENT, false],
    ['{ $.ThisFlag IS TRUE }', EVENT, true],
    ['{ $.ThisFlag IS FALSE }', EVENT, false],
    ['{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', USERS, true],
    ['{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', USERS, false],
    [
      '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = 9 && $.actions[2] = nomatch }',
      USERS,
      true,
    ],
    [
      '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = 9) && $.actions[2] = nomatch }',
      USERS,
      false,
    ],
    ['{ $.latency >= 500 }', FIGURES, true],
    ['{ $.latency > 500 }', FIGURES, false],
    ['{ $.numbers[0] < 10e3 }', FIGURES, true],
    ['{ $.numbers[1] < 10e-3 }', FIGURES, false],
    ['{ $.processes[4].averageRuntime <= 55.5 }', FIGURES, true],
    ['{ $.errorCode = 400 }', FIGURES, true],
    ['{ $.errorCode != 500 }', FIGURES, true],
    ['{ $.latency > +1000 }', FIGURES, false],
    ['{ $.latency = * }', FIGURES, true],
  ])('%s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it.each(['{ $.users = 1 }', '{ $.users != 1 }', '{ $.users = "*" }'])('%s matches no array', (pattern) => {
    expect(matches(pattern, '{"users":[1,2,3]}')).toBe(false);
  });

  it.each(['not JSON', '"text"', '[1]', ''])('matches nothing but JSON objects: %s', (text) => {
    expect(matches('{ $.a NOT EXISTS }', text)).toBe(false);
  });

  it('reads a pattern that CDK makes of any() and all()', () => {
    const pattern = '{ ($.status = "429") || (($.status = "5*") && ($.integrationStatus != "5*")) }';
    expect(matches(pattern, '{"status":"429","integrationStatus":"-"}')).toBe(true);
    expect(matches(pattern, '{"status":"503","integrationStatus":"200"}')).toBe(true);
    expect(matches(pattern, '{"status":"503","integrationStatus":"503"}')).toBe(false);
  });
});

describe('what AWS does not document throws', () => {
  it.each([
    ['{ $.errorCode = "400" }', /comparing a number with a string/],
    ['{ $.errorCode = 4* }', /comparing a number with a string/],
    ['{ $.flag = true }', /IS TRUE/],
    ['{ $.name > 5 }', /comparing a number with a string/],
  ])('%s', (pattern, message) => {
    expect(() => matches(pattern, '{"errorCode":400,"flag":true,"name":"x"}')).toThrow(message);
  });
});

describe('unknown syntax throws', () => {
  it.each([
    '{ $.a EXISTS }',
    '{ $.a IS NOT NULL }',
    '{ $.a = %regex% }',
    '{ $.a > "5" }',
    '{ $.a }',
    '{ $.* = "x" }',
    '{ a = "x" }',
    '{ $.a = "x" ',
    '{ $.a = "x" } more',
    '{ $.a = "x" & $.b = "y" }',
    '{ !($.a = "x") }',
    '[ip, user]',
    '%ERROR%',
    'key:value',
    'ERROR ?WARN',
    '"open',
  ])('%s', (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(/filter pattern: /);
  });

  it('and any other text gives a test or an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}$.a[0]="*&|! ()-?%5<') }), (pattern) => {
        try {
          expect(typeof compilePattern(pattern)).toBe('function');
        } catch (error) {
          expect(String(error)).toContain('filter pattern: ');
        }
      }),
    );
  });
});
