import { describe, expect, it } from 'vitest';
import { CRMS } from '../../../functions/crm/index.ts';
import { checkConfiguration } from '../../../infra/config/load.ts';
import { requires } from '../../../infra/config/preset.ts';
import { parseCapture } from '../../../operate/explain/capture.ts';
import { explainDelivery } from '../../../operate/explain/explain.ts';
import { subjectOf } from '../../../operate/explain/subject.ts';
import { signHmac, signZendesk, zendeskEvent } from '../../../samples/delivery.ts';
import { CONVERSATION, readFixture, textOf } from '../../../samples/fixture.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = 'a-secret-of-this-test';
const SENTENCE = 'Dear agent, my card was charged twice';
const ID = 'CONV-1234567890';

const CONFIGURATION = checkConfiguration(
  {
    polyai: { support: { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' } },
    connections: {
      zendesk: { crm: 'zendesk', polyai: 'support' },
      own: {
        crm: 'custom',
        polyai: 'support',
        verify: { scheme: 'hmac', header: 'x-signature' },
        finishedWhen: "body.status == 'closed'",
        conversationId: 'body.chat.id',
      },
    },
  },
  'the test',
);

const explain = (name: string, text: string, options: Partial<Parameters<typeof explainDelivery>[2]> = {}) =>
  explainDelivery(subjectOf(name, CONFIGURATION), parseCapture(text), { now: NOW, ...options });

/** A raw HTTP request. */
const request = (headers: Record<string, string>, body: string) =>
  [
    'POST /webhooks/own HTTP/1.1',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');

const body = JSON.stringify({ status: 'closed', chat: { id: ID }, comment: SENTENCE });

const own = checkHmac();
function checkHmac() {
  const { verify } = subjectOf('own', CONFIGURATION).connection;
  if (verify.scheme !== 'hmac') throw new Error('the scheme is another one');
  return verify;
}
const sign = (text: string) => signHmac({ settings: own, secret: SECRET, body: text, at: NOW });

describe('an explanation', () => {
  it('of a body alone says what a verified delivery of it would do', async () => {
    expect(await explain('own', body)).toMatchObject({
      verified: null,
      finished: true,
      conversationId: ID,
      would: 'close',
    });
  });

  it('of a request with its secret verifies the signature', async () => {
    const found = await explain('own', request(sign(body), body), { secret: { signingSecret: SECRET } });
    expect(found).toMatchObject({ verified: true, would: 'close' });
    expect(found.steps.map(({ step, ok }) => [step, ok])).toEqual([
      ['signature', true],
      ['finished', true],
      ['id', true],
    ]);
  });

  it('of a forged request says that it would be refused, and why', async () => {
    const text = request(sign(`${body} `), body);
    expect(await explain('own', text, { secret: { signingSecret: SECRET } })).toMatchObject({
      verified: false,
      reason: 'signature_mismatch',
      would: 'refuse',
    });
  });

  it('of a request without a secret leaves the signature open', async () => {
    const found = await explain('own', request(sign(body), body));
    expect(found).toMatchObject({ verified: null, would: 'close' });
    expect(found.steps[0]?.sentence).toContain('--secret-file');
  });

  it('of a secret that is not ready names the fault', async () => {
    const found = await explain('own', request(sign(body), body), { secret: { signingSecret: '' } });
    expect(found).toMatchObject({ verified: false, reason: 'secret_not_ready', would: 'refuse' });
  });

  it('of an old delivery verifies it at the time when it was signed', async () => {
    const text = JSON.stringify(zendeskEvent({ externalId: ID }));
    const headers = signZendesk({ secret: SECRET, body: text, at: NOW - 3_600_000 });
    const found = await explain('zendesk', request(headers, text), { secret: { signingSecret: SECRET } });
    expect(found).toMatchObject({ verified: true, reason: 'timestamp_stale', would: 'close' });
  });

  it('of a delivery that is not finished says so', async () => {
    const found = await explain('own', JSON.stringify({ status: 'open', chat: { id: ID } }));
    expect(found).toMatchObject({ finished: false, reason: 'not_finished', would: 'ignore' });
    expect(found).not.toHaveProperty('proposal');
  });

  it('of a body in another format says so', async () => {
    expect(await explain('own', 'status=closed')).toMatchObject({
      reason: 'body_unreadable',
      would: 'refuse',
    });
  });

  it('shows the signed bytes only when that was asked for', async () => {
    const text = request(sign(body), body);
    expect(JSON.stringify(await explain('own', text))).not.toContain(SENTENCE);
    expect(JSON.stringify(await explain('own', text, { showBody: true }))).toContain(SENTENCE);
    expect(JSON.stringify(await explain('own', text))).toContain(`${body.length} bytes, SHA-256 `);
  });

  it('never shows the secret', async () => {
    const text = request(sign(body), body);
    const found = await explain('own', text, { secret: { signingSecret: SECRET }, showBody: true });
    expect(JSON.stringify(found)).not.toContain(SECRET);
  });
});

/** Moves the conversation id of a preset's example to a field that nobody reads. */
function misplaced(crm: string): string | undefined {
  const fixture = readFixture(crm, 'finished.json');
  if (typeof fixture.body !== 'object' || fixture.body === null || Array.isArray(fixture.body))
    return undefined;
  const moved = JSON.parse(textOf(fixture).replaceAll(CONVERSATION, ''));
  // The event of a batch is the first item of a list.
  const [inner] = Object.values(moved)
    .map((value) => (Array.isArray(value) ? value[0] : value))
    .filter((value) => typeof value === 'object' && value !== null);
  Object.assign((inner as object | undefined) ?? moved, { 'chat reference': ID });
  return JSON.stringify({
    headers: fixture.headers ?? {},
    body: JSON.stringify(moved),
    query: fixture.query,
  });
}

const MISPLACED = Object.entries(CRMS).flatMap(([crm, { takes }]): [string, string][] => {
  const isAlone = takes.includes('conversationId') && !requires(crm).includes('verify');
  const text = isAlone ? misplaced(crm) : undefined;
  return text ? [[crm, text]] : [];
});

describe('a misplaced id', () => {
  it('is tried with at least ten CRMs', () => {
    expect(MISPLACED.length).toBeGreaterThanOrEqual(10);
  });

  it.each(MISPLACED)('of %s is found, and the proposed selector reads it', async (crm, text) => {
    const subject = subjectOf(crm, undefined);
    // Some examples have a selector or a look-up of their own, which the proposal replaces.
    const { conversationId: _own, lookUp: _lookUp, sharedId: _shared, ...connection } = subject.connection;
    const plain = { ...subject, connection };
    const { proposal } = await explainDelivery(plain, parseCapture(text), { now: NOW });
    expect(proposal?.conversationId).toContain('"chat reference"');
    const corrected = {
      ...plain,
      connection: { ...connection, conversationId: proposal?.conversationId ?? '' },
    };
    const again = await explainDelivery(corrected, parseCapture(text), { now: NOW });
    expect(again).toMatchObject({ would: 'close', conversationId: ID });
    expect(again).not.toHaveProperty('proposal');
  });

  it('in a list of custom fields is selected by the field’s own id', async () => {
    const text = JSON.stringify({
      status: 'closed',
      fields: [
        { id: 1, value: 'x' },
        { id: 360012, value: ID },
      ],
    });
    expect((await explain('own', text)).proposal).toEqual({
      conversationId: 'body.fields[?id==`360012`].value | [0]',
    });
  });

  it('is proposed where the present selector reads another kind of value', async () => {
    const text = JSON.stringify({ status: 'closed', chat: { id: 35436 }, polyai: ID });
    expect((await explain('own', text)).proposal).toEqual({ conversationId: 'body.polyai' });
  });

  it('may be an address of Agent Studio', async () => {
    const text = JSON.stringify({
      status: 'closed',
      link: `https://studio.uk.poly.ai/a/b/conversations/${ID}`,
    });
    expect((await explain('own', text)).proposal).toEqual({ conversationId: 'body.link' });
  });

  it('is not proposed where nothing looks like one', async () => {
    const text = JSON.stringify({ status: 'closed', name: 'Ada', note: SENTENCE });
    expect(await explain('own', text)).not.toHaveProperty('proposal');
  });
});

describe('a captured delivery', () => {
  it.each([
    ['a body', '{"a":1}', { body: '{"a":1}', query: '' }],
    [
      'a raw request',
      'POST /x?b=2 HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\n\r\n{}',
      { body: '{}', headers: { 'x-a': '1,2' }, query: 'b=2' },
    ],
    ['headers and a body', 'X-A: 1\n\n{"a": 1}', { body: '{"a": 1}', headers: { 'x-a': '1' }, query: '' }],
    [
      'an export with a text',
      '{"headers":{"X-A":["1"]},"body":"{}"}',
      { body: '{}', headers: { 'x-a': '1' }, query: '' },
    ],
    [
      'an export with an object',
      '{"headers":{"X-A":"1"},"body":{"c":3},"query":"?d"}',
      { body: '{"c":3}', headers: { 'x-a': '1' }, query: 'd' },
    ],
    ['a body with an empty line', 'a=1\n\nb=2', { body: 'a=1\n\nb=2', query: '' }],
  ])('may be %s', (_, text, expected) => {
    expect(parseCapture(text)).toEqual(expected);
  });
});
