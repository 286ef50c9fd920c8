import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CRMS } from '../../../functions/crm/index.ts';
import { readContent } from '../../../functions/delivery.ts';
import { selector } from '../../../functions/intake/selector.ts';
import type { VerifySettings } from '../../../functions/schemes/scheme.ts';
import { uncoveredParts } from '../../../infra/config/coverage.ts';
import { readsOf } from '../../../infra/config/selector-reads.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { CHOSEN } from '../../../infra/config/verify.ts';
import { delivery } from '../../../samples/delivery.ts';
import { fixtureNames, readFixture, textOf } from '../../../samples/fixture.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';

const HMAC = { scheme: 'hmac', header: 'x-signature' };
const SETTINGS: Record<string, object> = {
  hmac: HMAC,
  rsa: { scheme: 'rsa', header: 'x-signature' },
  header: { scheme: 'header', header: 'x-token' },
  query: { scheme: 'query', parameter: 'token' },
};
/** Whether a signature covers the parts that no body is; written down a second time, from the vendors' pages. */
const SIGNED: Record<string, { headers: boolean; query: boolean }> = {
  hmac: { headers: false, query: false },
  rsa: { headers: false, query: false },
  'standard-webhooks': { headers: false, query: false },
  hubspot: { headers: false, query: true },
  twilio: { headers: false, query: true },
};
const BUSES = Object.keys(CRMS).filter((crm) => CRMS[crm]?.bus);
const WEBHOOKS = Object.keys(CRMS).filter((crm) => !CRMS[crm]?.bus);

/** Every way a selector can get at a part of the delivery. */
const waysTo = (part: string) => [
  `${part}.id`,
  `${part}."x-id"`,
  `(${part}).id`,
  `@.${part}.id`,
  `$.${part}.id`,
  `@ | ${part}.id`,
  `body.chats[?$.${part}.id == id].id`,
  `body.id || ${part}.id`,
  `body.open && ${part}.id`,
  `(@ || body).${part}.id`,
  `[body.id, ${part}.id][1]`,
  `{a: ${part}.id}.a`,
  `let $a = ${part} in $a.id`,
  `let $a = @ in $a.${part}.id`,
  `values(${part})[0]`,
  `${part}.*`,
  `${part} | id`,
  `not_null(body.id, ${part}.id)`,
  `body.open && ${part}.id || body.id`,
];
const WHOLE = [
  '@',
  '*',
  '$',
  'values(@)[1].id',
  '*.id',
  '[@][0].query.id',
  'map(&query.id, [@])',
  'to_string(@)',
];

/** Settings of a connection of this preset with nothing wrong, and with the scheme. */
function settingsOf(crm: string, scheme: string | undefined): Record<string, unknown> {
  const { connection = {} } = readFixture(crm, 'finished.json');
  const { conversationId: _id, finishedWhen, lookUp: _lookUp, sharedId: _shared, ...rest } = connection;
  const needsCondition = crm === 'custom' && { finishedWhen: finishedWhen ?? "body.status == 'closed'" };
  return {
    ...rest,
    ...needsCondition,
    ...(scheme && { verify: SETTINGS[scheme] ?? { scheme } }),
  };
}

/** Every scheme that can verify a preset's deliveries: its own as `undefined`, and those to be chosen. */
function waysToProve(crm: string): [scheme: string, chosen: string | undefined][] {
  const { verify } = CRMS[crm] ?? {};
  const own = typeof verify === 'function' ? verify({}) : verify;
  const chosen = CRMS[crm]?.takes.includes('verify') ? (CRMS[crm]?.schemes ?? CHOSEN) : [];
  return [
    ...(own ? [[own.scheme, undefined] as [string, undefined]] : []),
    ...chosen.map((scheme) => [scheme, scheme] as [string, string]),
  ];
}

const ALL = WEBHOOKS.flatMap((crm) => waysToProve(crm).map(([scheme, chosen]) => ({ crm, scheme, chosen })));

describe('a selector of a webhook', () => {
  it.each(ALL)(
    'of $crm by $scheme may read what the signature covers, or anything with a token',
    ({ crm, scheme, chosen }) => {
      const settings = settingsOf(crm, chosen);
      for (const part of ['headers', 'query'] as const) {
        for (const conversationId of waysTo(part)) {
          const isTaken = SIGNED[scheme]?.[part] ?? true;
          const paths = faultsOf(crm, { ...settings, conversationId }).map(({ path }) => path);
          expect({ conversationId, paths }).toEqual({
            conversationId,
            paths: isTaken ? [] : ['connections.c.conversationId'],
          });
        }
      }
      expect(faultsOf(crm, { ...settings, conversationId: 'body.chat.id' })).toEqual([]);
    },
  );

  it.each(ALL.filter(({ scheme }) => SIGNED[scheme]))(
    'of $crm by $scheme must not read the delivery as a whole',
    ({ crm, chosen }) => {
      for (const conversationId of WHOLE) {
        const faults = faultsOf(crm, { ...settingsOf(crm, chosen), conversationId });
        expect({ conversationId, paths: faults.map(({ path }) => path) }).toEqual({
          conversationId,
          paths: ['connections.c.conversationId'],
        });
      }
    },
  );

  it.each(['finishedWhen', 'sharedId'])('has the same limits as %s', (key) => {
    const value = key === 'finishedWhen' ? "headers.kind == 'closed'" : 'headers.kind';
    const settings = { [key]: value, ...(key === 'sharedId' && { lookUp: 'sharedId' }) };
    expect(faultsOf('zendesk', settings).map(({ path }) => path)).toContain(`connections.c.${key}`);
    const { finishedValues: _, ...gladly } = settingsOf('gladly', undefined);
    expect(
      faultsOf('gladly', { ...gladly, lookUp: 'sharedId', ...settings }).map(({ path }) => path),
    ).not.toContain(`connections.c.${key}`);
  });

  it('is refused with the reason and the fix', () => {
    expect(faultsOf('custom', { ...CUSTOM, conversationId: 'query.id' })).toEqual([
      {
        path: 'connections.c.conversationId',
        problem:
          'reads query, which the signature (hmac) does not cover: anybody who has seen one delivery could change it and close other chats',
        fix: 'Read it from the body, which the sender signs, as in body.ticket.id',
      },
    ]);
  });

  it('must not read a signed timestamp or id either', () => {
    const verify = { ...HMAC, idHeader: 'x-id', signed: '{id}.{body}' };
    expect(faultsOf('custom', { ...CUSTOM, verify, conversationId: 'headers."x-id"' })).toMatchObject([
      { path: 'connections.c.conversationId', problem: expect.stringContaining('does not cover') },
    ]);
  });

  it.each([
    ['chat.id', 'begins with "chat"', 'Did you mean body.chat.id?'],
    ['$.chat.id', 'begins with "chat"', 'Did you mean body.chat.id?'],
    ['@.chat.id', 'begins with "chat"', 'Did you mean body.chat.id?'],
    ['ticket.external_id', 'begins with "ticket"', 'Did you mean body.ticket.external_id?'],
    ['Body.ticket.id', 'begins with "Body"', 'Did you mean body.ticket.id?'],
    ['BODY.id', 'begins with "BODY"', 'Did you mean body.id?'],
    ['conversation_id', 'begins with "conversation_id"', 'Did you mean body.conversation_id?'],
    ['"chat-7".id', 'begins with "chat-7"', 'Did you mean body."chat-7".id?'],
    ['chats[?state == `1`].id', 'begins with "chats"', 'Did you mean body.chats[?state == `1`].id?'],
    ['body.a || chat.id', 'has a path that begins with "chat"', 'Did you mean body.a || body.chat.id?'],
    ['always', 'begins with "always"', 'Did you mean body.always?'],
  ])('that lacks the body, %s, is refused with the likely path', (conversationId, problem, fix) => {
    expect(faultsOf('custom', { ...CUSTOM, conversationId })).toEqual([
      {
        path: 'connections.c.conversationId',
        problem: `${problem}, but a selector sees body, headers and query`,
        fix,
      },
    ]);
  });

  it.each([
    ["status == 'closed'", 'begins with "status"', "Did you mean body.status == 'closed'?"],
    ["contains(tags, 'x')", 'begins with "tags"', "Did you mean contains(body.tags, 'x')?"],
    [
      "body.a == 'chat' && chat == 'x'",
      'begins with "chat"',
      "Did you mean body.a == 'chat' && body.chat == 'x'?",
    ],
    ['body.a && body.open != true', 'begins with "true"', 'Write `true` in backticks'],
    ['solved', 'is only the word "solved", which is never true', "as in body.status == 'solved'"],
    ['Always', 'is only the word "Always", which is never true', 'Did you mean "always"?'],
    ['ALWAYS', 'is only the word "ALWAYS", which is never true', 'Did you mean "always"?'],
  ])('that is never true, %s, is refused with the likely condition', (finishedWhen, problem, fix) => {
    expect(faultsOf('custom', { ...CUSTOM, finishedWhen })).toEqual([
      {
        path: 'connections.c.finishedWhen',
        problem: expect.stringContaining(problem),
        fix: expect.stringContaining(fix),
      },
    ]);
  });

  it.each(WEBHOOKS.filter((crm) => CRMS[crm]?.takes.includes('conversationId')))(
    'of %s must begin with body even if a delivery is a batch',
    (crm) => {
      const [, chosen] = waysToProve(crm)[0] ?? [];
      const faults = faultsOf(crm, { ...settingsOf(crm, chosen), conversationId: 'ticket.id' });
      expect(faults).toMatchObject([{ fix: 'Did you mean body.ticket.id?' }]);
    },
  );

  it.each([
    'headers."X-Event"',
    'headers.{a: "X-Event"}.a',
    'let $h = headers in $h."X-Event"',
    'headers | "X-Event"',
  ])(
    'that reads a header in upper case is refused, because names arrive in lower case: %s',
    (conversationId) => {
      const settings = { ...CUSTOM, verify: { scheme: 'bearer' }, conversationId };
      expect(faultsOf('custom', settings)).toEqual([
        {
          path: 'connections.c.conversationId',
          problem: 'reads the header "X-Event", but names of headers arrive in lower case',
          fix: 'Write headers."x-event"',
        },
      ]);
    },
  );

  it.each(WEBHOOKS)('of %s may use the body as a list only if it sees the whole body', (crm) => {
    const [, chosen] = waysToProve(crm)[0] ?? [];
    const connection = toConnection(connectionOf(crm, readFixture(crm, 'finished.json').connection));
    const isBatch = fixtureNames(crm).some((name) => {
      const fixture = readFixture(crm, name);
      try {
        const received = delivery({
          headers: fixture.headers ?? {},
          // Twilio's body is JSON where the address has its hash.
          query: [fixture.query, crm === 'twilio' && `bodySHA256=${'0'.repeat(64)}`]
            .filter(Boolean)
            .join('&'),
          body: textOf(fixture),
        });
        const content = readContent(received, CRMS[crm]?.parse);
        return CRMS[crm]?.read(content, connection).some((reading) => 'event' in reading);
      } catch {
        return false;
      }
    });
    const lists = ['body[0].id', 'body[].id', 'body[*].id', 'body[?open].id', 'body | [0].id', 'body[:1].id'];
    for (const conversationId of lists) {
      const faults = faultsOf(crm, { ...settingsOf(crm, chosen), conversationId });
      expect({ conversationId, problems: faults.map(({ problem }) => problem) }).toEqual({
        conversationId,
        problems: isBatch ? [expect.stringContaining('sees one event as body')] : [],
      });
    }
    for (const conversationId of ['body.ids[0]', 'body.*.id', 'body.list[].id']) {
      expect(faultsOf(crm, { ...settingsOf(crm, chosen), conversationId })).toEqual([]);
    }
  });

  it('of any depth is accepted or refused without throwing', () => {
    for (let depth = 500; depth < 10_000; depth += 500) {
      for (const conversationId of [
        `${'['.repeat(depth)}body${']'.repeat(depth)}`,
        `body${'.a'.repeat(depth)}`,
      ]) {
        expect(() => faultsOf('custom', { ...CUSTOM, conversationId })).not.toThrow();
      }
    }
  });

  it('has one fault if it does not parse or is true for an empty delivery', () => {
    expect(faultsOf('custom', { ...CUSTOM, finishedWhen: 'body.status == closed' })).toHaveLength(1);
    expect(faultsOf('custom', { ...CUSTOM, conversationId: 'chat.' })).toHaveLength(1);
  });
});

describe('a selector of a bus', () => {
  // Without the field, which has no effect beside a selector.
  const settings = (crm: string) => {
    const { field: _, ...others } = readFixture(crm, 'finished.json').connection ?? {};
    return others;
  };

  it.each(BUSES)('of %s must begin with a key of the event', (crm) => {
    const { lookUp: _lookUp, sharedId: _shared, ...own } = settings(crm);
    expect(faultsOf(crm, { ...own, conversationId: 'chat.id' })).toEqual([
      {
        path: 'connections.c.conversationId',
        problem: expect.stringMatching(/^begins with "chat", but an event has detail, detail-type, source/),
        fix: 'Did you mean detail.chat.id?',
      },
    ]);
    for (const conversationId of ['body.id', '$.body.id', '@.query.id', 'detail.id || headers.id']) {
      expect(faultsOf(crm, { ...own, conversationId })).toMatchObject([
        { problem: expect.stringContaining('begins like a webhook’s selector') },
      ]);
    }
    for (const conversationId of ['detail.id', '$.detail.id', 'resources[0]', 'detail.body.id']) {
      expect(faultsOf(crm, { ...own, conversationId })).toEqual([]);
    }
  });
});

describe('what a selector reads', () => {
  it('without a signature over it is known for every scheme', () => {
    const named: Record<VerifySettings['scheme'], string[]> = {
      hmac: ['headers', 'query'],
      rsa: ['headers', 'query'],
      'standard-webhooks': ['headers', 'query'],
      hubspot: ['headers'],
      twilio: ['headers'],
      bearer: [],
      header: [],
      query: [],
      basic: [],
      jwt: [],
      'event-bus': [],
    };
    for (const [scheme, parts] of Object.entries(named)) {
      expect(uncoveredParts(scheme as VerifySettings['scheme'])).toEqual(parts);
    }
  });

  it('includes the query if its result changes with the query', () => {
    const atom = fc.constantFrom(
      'body',
      'headers',
      'query',
      '@',
      '$',
      'a',
      'b',
      '`{"type": "Current"}`',
      "'x'",
    );
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc
          .tuple(tie('expression'), atom)
          .map(([left, right]) => `(${left}).${/^\w/.test(right) ? right : 'a'}`),
        fc
          .tuple(tie('expression'), tie('expression'), fc.constantFrom(' || ', ' && ', ' | ', ' == '))
          .map(([left, right, operator]) => `(${left}${operator}${right})`),
        tie('expression').map((each) => `(${each}).*`),
        tie('expression').map((each) => `[${each}, body]`),
        tie('expression').map((each) => `{a: ${each}}`),
        tie('expression').map((each) => `(${each})[0]`),
        tie('expression').map((each) => `(${each})[?a]`),
        tie('expression').map((each) => `values(${each})`),
        tie('expression').map((each) => `!(${each})`),
        fc
          .tuple(tie('expression'), tie('expression'))
          .map(([one, two]) => `map(&(${one}), to_array(${two}))`),
        fc
          .tuple(tie('expression'), tie('expression'))
          .map(([one, two]) => `let $v = ${one} in ($v | ${two})`),
      ),
    }));
    const seen = (value: string) => ({
      body: { a: 'a', b: { a: 1 } },
      headers: { a: 'h', b: 'b' },
      query: { a: value, b: { a: value } },
    });
    fc.assert(
      fc.property(expression, (each) => {
        const reads = readsOf(each);
        const [one, two] = ['one', 'two'].map((value) => JSON.stringify(selector(each)(seen(value))));
        if (one !== two) expect(reads.everything || reads.keys.has('query')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

const CUSTOM = { verify: HMAC, conversationId: 'body.id', finishedWhen: "body.status == 'closed'" };
