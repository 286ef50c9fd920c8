import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileQuery } from './insights.ts';

const AT = Date.UTC(2026, 10, 26, 12);
const MINUTE = 60_000;

/** Lines a minute apart, oldest first. */
const lines = (...bodies: unknown[]) =>
  bodies.map((body, index) => ({
    at: AT + index * MINUTE,
    logGroup: 'closes',
    text: typeof body === 'string' ? body : JSON.stringify(body),
  }));

const run = (query: string, ...bodies: unknown[]) => compileQuery(query).run(lines(...bodies));

/** Whether a filter keeps one line. */
const keeps = (condition: string, body: unknown) => run(`filter ${condition}`, body).length === 1;

/** The value of one expression for one line. */
const evaluate = (source: string, body: unknown = {}) => run(`fields ${source} as x`, body)[0]?.x;

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
describe('the fields of a line', () => {
  const EVENT = {
    eventVersion: '1.0',
    userIdentity: { type: 'IAMUser', accountId: 123456789012 },
    requestParameters: { instancesSet: { items: [{ instanceId: 'i-abcde123' }, { instanceId: 'i-2' }] } },
    flag: true,
    off: false,
    nothing: null,
    texts: ['a', 'b'],
  };

  it.each([
    ['userIdentity.type', 'IAMUser'],
    ['userIdentity.accountId', 123456789012],
    ['requestParameters.instancesSet.items.0.instanceId', 'i-abcde123'],
    ['requestParameters.instancesSet.items.1.instanceId', 'i-2'],
    ['texts.1', 'b'],
    ['`eventVersion`', '1.0'],
    ['flag', 1],
    ['off', 0],
    ['nothing', undefined],
    ['userIdentity', undefined],
    ['requestParameters.instancesSet.items.0', undefined],
    ['@log', 'closes'],
    ['@timestamp', AT],
    ['@message', JSON.stringify(EVENT)],
  ])('%s', (field, expected) => {
    expect(evaluate(field, EVENT)).toBe(expected);
  });

  it('are only those of AWS where the line is not JSON', () => {
    expect(run('fields type, @message', 'START type: 1')).toEqual([{ '@message': 'START type: 1' }]);
  });

  it('with other characters need backticks', () => {
    expect(evaluate('`foo-bar`', { 'foo-bar': 5 })).toBe(5);
    expect(evaluate('foo-bar', { foo: 7, bar: 2 })).toBe(5);
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Filter.html
describe('filter', () => {
  const BODY = {
    f1: 'An Exception',
    status: '503',
    code: 404,
    zero: 0,
    long: '12345678901234567890',
    short: '12e5',
    kind: "it's",
    ignored: [{ reason: 'r' }],
  };

  it.each([
    ['code > 400', true],
    ['code >= 404 and code <= 404', true],
    ['code < 404', false],
    ['code = 404', true],
    ['code = "404"', true],
    ['status = 503', true],
    ['status > "60"', true],
    ['long = "12345678901234567890"', true],
    ['long = "12345678901234567891"', false],
    ['short = 1200000', false],
    ['code != 404', false],
    ['f1 = "An Exception"', true],
    ['f1 = "exception"', false],
    ['f1 != "other"', true],
    ["kind = 'it\\'s'", true],
    ['f1 like "Exception"', true],
    ['f1 like "exception"', false],
    ['f1 like /Exception/', true],
    ['f1 =~ /^An/', true],
    ['f1 like /(?i)exception/', true],
    ['f1 =~ /^(?i)an exception$/', true],
    ['f1 not like /^An/', false],
    ['f1 not like "other"', true],
    ['status like /^5/', true],
    ['code like /4\\d\\d/', true],
    ['@message like "503"', true],
    ['code in [403, 404]', true],
    ['code in [403]', false],
    ['f1 in ["a", "An Exception"]', true],
    ['code not in [403]', true],
    ['ispresent(ignored.0.reason)', true],
    ['ispresent(ignored.0)', false],
    ['not ispresent(none)', true],
    ['strcontains(f1, "Exc")', true],
    ['strcontains(f1, "exc") = 1', false],
    ['none = 1', false],
    ['none != 1', true],
    ['none > 1 or code = 404', true],
    ['code = 1 or code = 404 and f1 = "x"', false],
    ['(code = 404 or code = 1) and not (f1 = "x" or status = "x")', true],
    ['code / 2 = 202', true],
    ['code - 4 * 100 = 4', true],
    ['zero', false],
    ['code', true],
  ])('%s: %s', (condition, expected) => {
    expect(keeps(condition, BODY)).toBe(expected);
  });

  it.each(['none not like "x"', 'none not in [1]', 'not (none = 1)'])(
    '%s throws, as AWS does not say what a negation of nothing gives',
    (condition) => {
      expect(() => keeps(condition, BODY)).toThrow(/ispresent/);
      expect(keeps(`ispresent(none) and ${condition}`, BODY)).toBe(false);
      expect(keeps(`not ispresent(none) or ${condition}`, BODY)).toBe(true);
    },
  );

  it('does not take a text as a condition', () => {
    expect(() => keeps('f1', BODY)).toThrow(/no condition/);
  });

  it('keeps the newest line first, with its time and text', () => {
    expect(run('filter a > 1', { a: 1 }, { a: 2 }, { a: 3 })).toEqual([
      { '@timestamp': AT + 2 * MINUTE, '@message': '{"a":3}' },
      { '@timestamp': AT + MINUTE, '@message': '{"a":2}' },
    ]);
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
describe('an expression', () => {
  it.each([
    ['2 ^ 3', 8],
    ['10 % 3', 1],
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['8 / 4 / 2', 1],
    ['-5 + 2', -3],
    ['1 / 0', undefined],
    ['none + 1', undefined],
    ['abs(1 - 5)', 4],
    ['ceil(1.2)', 2],
    ['floor(1.8)', 1],
    ['greatest(1, 3, 2)', 3],
    ['least(3, 1, 2)', 1],
    ['sqrt(16)', 4],
    ['coalesce(none, "a", "b")', 'a'],
    ['coalesce(none)', undefined],
    ['ispresent(none)', 0],
    ['isempty("")', 1],
    ['isempty(none)', 1],
    ['isblank("  ")', 1],
    ['concat("a", "b", 1)', 'ab1'],
    ['concat("a", none)', undefined],
    ['strlen("añ😀")', 3],
    ['toupper("foo")', 'FOO'],
    ['tolower("FOO")', 'foo'],
    ['trim("  foo ")', 'foo'],
    ['replace("foo", "o", "0")', 'f00'],
    ['strcontains("foo", "o")', 1],
    ['substr("xyZfooxyZ", 3, 3)', 'foo'],
    ['substr("xyZfooxyZ", 6)', 'xyZ'],
    ['bin(1h)', AT],
    ['datefloor(@timestamp, 1d)', Date.UTC(2026, 10, 26)],
    ['dateceil(@timestamp, 1d)', Date.UTC(2026, 10, 27)],
    ['bin(5m) - @timestamp', 0],
  ])('%s', (source, expected) => {
    expect(evaluate(source)).toBe(expected);
  });
});

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
describe('stats', () => {
  const BODIES = [
    { p: 'a', ms: 10, id: 'x', late: 'no' },
    { p: 'b', ms: 20, id: 'x' },
    { p: 'a', ms: 30, id: 'y' },
    { p: 'a', id: 'z' },
  ];
  const stat = (source: string) => run(`stats ${source} as x`, ...BODIES)[0]?.x;

  it.each([
    ['count(*)', 4],
    ['count()', 4],
    ['count(ms)', 3],
    ['count(none)', 0],
    ['sum(ms)', 60],
    ['avg(ms)', 20],
    ['min(ms)', 10],
    ['max(ms)', 30],
    ['max(id)', 'z'],
    ['min(id)', 'x'],
    ['pct(ms, 50)', 20],
    ['pct(ms, 99)', 30],
    ['count_distinct(id)', 3],
    ['latest(ms)', 30],
    ['earliest(ms)', 10],
    ['latest(late)', 'no'],
    ['sum(none)', undefined],
    ['max(ms) / 10', 3],
    ['sum(ms) / count(*) * 2', 30],
    ['sum(ms > 15)', 2],
    ['ceil(avg(ms) / 3)', 7],
  ])('%s', (source, expected) => {
    expect(stat(source)).toBe(expected);
  });

  it('groups by fields, the missing one too', () => {
    expect(run('stats count(*) as n, max(ms) by late, p | sort p asc, n asc', ...BODIES)).toEqual([
      { late: 'no', p: 'a', n: 1, 'max(ms)': 10 },
      { p: 'a', n: 2, 'max(ms)': 30 },
      { p: 'b', n: 1, 'max(ms)': 20 },
    ]);
  });

  it('groups by time', () => {
    expect(run('stats count(*) as n by bin(2m) as t | sort t asc', ...BODIES)).toEqual([
      { t: AT, n: 2 },
      { t: AT + 2 * MINUTE, n: 2 },
    ]);
  });

  it('groups by what a command before it made', () => {
    expect(
      run('fields coalesce(late, p) as k | stats count(*) as n by k | sort n desc, k asc', ...BODIES),
    ).toEqual([
      { k: 'a', n: 2 },
      { k: 'b', n: 1 },
      { k: 'no', n: 1 },
    ]);
  });

  it('can be filtered and counted again', () => {
    const query = 'stats count(*) as n by p | filter n > 1 | stats sum(n) as total';
    expect(run(query, ...BODIES)).toEqual([{ total: 3 }]);
  });

  it('leaves nothing but its columns', () => {
    expect(() => compileQuery('stats count(*) as n by p | filter ms > 1')).toThrow(/leaves no field ms/);
    expect(() => compileQuery('stats count(*) as n by p | sort m desc')).toThrow(/leaves no field m/);
  });

  it('does not sum text', () => {
    expect(() => run('stats sum(id)', ...BODIES)).toThrow(/not a number/);
  });
});

describe('other commands', () => {
  const BODIES = [{ a: 2, b: 'x' }, { a: 10, b: 'y' }, { a: 'text', b: 'x' }, { b: 'z' }];

  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html
  it('sort: nothing, text, numbers', () => {
    const a = (query: string) => run(query, ...BODIES).map((row) => row.a);
    expect(a('fields a | sort a asc')).toEqual([undefined, 'text', 2, 10]);
    expect(a('fields a | sort a desc')).toEqual([10, 2, 'text', undefined]);
  });

  it('sort: text by its letters and numbers, as in AWS’s example', () => {
    const sorted = '! # *%04 0# 5A 111A 2345_ @ @_ A A9876fghj a12345hfh 0 01 1 2 3'.split(' ');
    const rows = run('fields a | sort a asc', ...sorted.map((a) => ({ a })));
    // 01 and 1 are the same number: the newer line comes first.
    expect(rows.map(({ a }) => a)).toEqual(sorted.join(' ').replace('01 1', '1 01').split(' '));
  });

  it('sort: by several fields', () => {
    const rows = run('fields a, b | filter ispresent(a) | sort b asc, a desc', ...BODIES);
    expect(rows.map(({ a, b }) => `${b} ${a}`)).toEqual(['x 2', 'x text', 'y 10']);
  });

  it('limit: the first rows', () => {
    expect(run('fields a | sort @timestamp asc | limit 1', ...BODIES)).toEqual([{ a: 2 }]);
  });

  it('limit: 10,000 rows where none is given', () => {
    expect(run('fields a', ...Array(10_001).fill('{}'))).toHaveLength(10_000);
  });

  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Dedup.html
  it('dedup: the first of each value, and all without one', () => {
    expect(run('fields b, a | dedup b', ...BODIES)).toEqual([
      { b: 'z' },
      { b: 'x', a: 'text' },
      { b: 'y', a: 10 },
    ]);
    expect(
      run('fields b | sort @timestamp asc | dedup a | limit 5', {}, {}, { a: 1 }, { a: 1 }),
    ).toHaveLength(3);
  });

  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Display.html
  it('display: only its columns', () => {
    expect(run('fields a, b | display b | limit 1', ...BODIES)).toEqual([{ b: 'z' }]);
  });

  it('fields: adds to the columns before', () => {
    expect(run('fields a | fields b, a + 1 as c', { a: 1, b: 2 })).toEqual([{ a: 1, b: 2, c: 2 }]);
  });

  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Parse.html
  it('parse: asterisks', () => {
    const text = 'user=ada, method:GET, latency := 42';
    const query = `parse @message "user=*, method:*, latency := *" as @user, @method, @latency
      | stats avg(@latency) as ms by @method, @user # a comment`;
    expect(run(query, text)).toEqual([{ '@method': 'GET', '@user': 'ada', ms: 42 }]);
  });

  it('parse: a regular expression with named groups', () => {
    const query = 'parse @message /code=(?<code>\\d+)/ | filter code > 400 | display code';
    expect(run(query, 'code=404', 'code=200', 'none')).toEqual([{ code: '404' }]);
  });
});

describe('a query', () => {
  it('reads the log groups that it names, or all', () => {
    const all = ['a', 'b', 'c'].map((logGroup, index) => ({ at: AT - index, logGroup, text: '{}' }));
    const groups = (query: string) =>
      compileQuery(query)
        .run(all)
        .map((row) => row['@log']);
    expect(groups("SOURCE 'a' | SOURCE 'c' | fields @log")).toEqual(['a', 'c']);
    expect(groups('fields @log')).toEqual(['a', 'b', 'c']);
  });

  it('names the fields that it expects in the lines', () => {
    const query = `filter type = "close" and error.message like /x/
      | fields coalesce(shared_id, conversation_id) as id
      | stats latest(outcome) as last by id | filter last = "closed"`;
    expect(compileQuery(query).fields).toEqual([
      'type',
      'error.message',
      'shared_id',
      'conversation_id',
      'outcome',
    ]);
  });

  it.each([
    'SOURCE logGroups() | fields a',
    "fields a | SOURCE 'b'",
    'filter a = 1 | unnest b into c',
    'pattern @message',
    'head 5',
    'fields a b',
    'fields a |',
    'fields',
    '',
    'filter a == 1',
    'filter a = true',
    'filter a = null',
    'filter a AND b',
    'filter a like b',
    'filter a =~ "x"',
    'filter a in (1, 2)',
    'filter a = 1 or',
    'filter (a = 1',
    'filter !ispresent(a)',
    'filter a = 1 and b = 2) ',
    'fields jsonParse(a) as b',
    'fields abs(a, b)',
    'fields bin(5)',
    'fields bin(5x)',
    'fields a as',
    'stats count(*) by',
    'stats a by b',
    'stats median(a)',
    'stats pct(a)',
    'stats count(*) group by a',
    'sort a',
    'sort a up',
    'limit a',
    'limit any 5',
    'limit 100001',
    'dedup a | sort a asc',
    'parse @message "a=*" as b, c',
    'parse @message /(x)(?<y>z)/',
    'fields "open',
  ])('that is not known throws: %s', (query) => {
    expect(() => compileQuery(query)).toThrow(/Logs Insights: /);
  });

  it('of any other text is compiled or an error', () => {
    const words = 'fields filter stats count ( ) * a , | by as = 5 "x" /x/ like not and bin 5m [ ] in';
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words.split(' '))), (parts) => {
        try {
          compileQuery(parts.join(' '));
        } catch (error) {
          expect(String(error)).toContain('Logs Insights: ');
        }
      }),
    );
  });
});
