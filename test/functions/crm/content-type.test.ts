import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CRMS } from '../../../functions/crm/index.ts';
import type { ChosenSettings } from '../../../functions/schemes/scheme.ts';
import { isOnBus } from '../../../infra/config/bus.ts';
import { type Jwks, startJwks } from '../../../local/jwks.ts';
import { type Headers, makeRsaSecret, prove } from '../../../samples/delivery.ts';
import { fixtureNames, readFixture, textOf } from '../../../samples/fixture.ts';
import { connectionOf, settingsOf } from '../../support/crm.ts';
import { startReceiver } from '../../support/receiver.ts';

// No signature covers the content type, so the same verified bytes must mean the same under every content type.

const NOW = Date.parse('2026-07-01T12:00:00Z');
const ORIGIN = 'https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com';
const SECRET = {
  signingSecret: `whsec_${Buffer.from('a key of this test, 32 bytes lng').toString('base64')}`,
  token: 'q7HhB2n0mVdLx5sWcZr8aTyK4uEoPgJf',
  username: 'webhook',
  password: 'q7HhB2n0mVdLx5sWcZr8aTyK4uEoPgJf',
  ...makeRsaSecret(),
};
const TYPES: [string, string | undefined][] = [
  ['a form', 'application/x-www-form-urlencoded'],
  ['a form with a character set', 'Application/X-WWW-Form-URLEncoded; charset=utf-8'],
  ['a form of parts', 'multipart/form-data; boundary=x'],
  ['text', 'text/plain'],
  ['nothing', undefined],
  ['XML', 'text/xml'],
  ['JSON and a form', 'application/json,application/x-www-form-urlencoded'],
];
/** A row for each scheme that a connection may choose, as connections.json has it. */
const CHOICES: Record<ChosenSettings['scheme'], object> = {
  hmac: { scheme: 'hmac', header: 'x-signature' },
  rsa: { scheme: 'rsa', header: 'x-signature' },
  'standard-webhooks': { scheme: 'standard-webhooks' },
  bearer: { scheme: 'bearer' },
  header: { scheme: 'header', header: 'x-token' },
  query: { scheme: 'query', parameter: 'token' },
  basic: { scheme: 'basic' },
};
const SCHEMES: Record<string, object> = {
  ...CHOICES,
  'hmac with a time': {
    scheme: 'hmac',
    header: 'x-signature',
    signed: '{timestamp}.{body}',
    timestampHeader: 'x-timestamp',
  },
};

let jwks: Jwks;
beforeAll(async () => {
  jwks = await startJwks();
});
afterAll(() => jwks.close());

type Sent = {
  crm: string;
  settings?: Record<string, unknown>;
  headers?: Headers;
  query?: string;
  body: string;
  /** Unix milliseconds. */
  at?: number;
};

/** The answer to a valid delivery and the closes it asks for: as JSON, and under every other content type. */
async function readings({ crm, settings = {}, headers = {}, query = '', body, at = NOW }: Sent) {
  const own = CRMS[crm]?.takes.includes('jwksUrl') ? { jwksUrl: jwks.url } : {};
  const all = { ...settingsOf(crm, { ...settings, ...own }), polyai: 'support' };
  const { verify, sender, audience } = connectionOf(crm, all);
  const token =
    verify.scheme === 'jwt'
      ? await jwks.sign({
          iss: `orgId:${sender}`,
          aud: `webhookId:${audience}`,
          exp: Math.floor(Date.now() / 1000) + 3600,
        })
      : SECRET.token;
  const now = verify.scheme === 'jwt' ? Date.now() : at;
  const url = `${ORIGIN}/webhooks/${crm}${query && `?${query}`}`;
  const isHex = verify.scheme === 'hmac' && verify.keyEncoding === 'hex';
  const secret = { ...SECRET, ...(isHex && { signingSecret: '5ec2e700' }) };
  const proof = prove(verify, { ...secret, token }, { body, at: now, url });
  const read = async (type: string | undefined) => {
    const receiver = startReceiver(crm, all, verify.scheme === 'jwt' ? undefined : secret, now);
    const { status, code, closes, line } = await receiver.send({
      headers: { ...headers, ...proof.headers, 'content-type': type },
      query: [query, proof.query].filter(Boolean).join('&'),
      body,
    });
    return { status, code, closes, ignored: line?.ignored, queued: receiver.queued.length };
  };
  const asJson = await read('application/json');
  return { asJson, others: await Promise.all(TYPES.map(async ([name, type]) => [name, await read(type)])) };
}

async function expectOneReading(sent: Sent) {
  const { asJson, others } = await readings(sent);
  expect(asJson.status).not.toBe(401);
  expect(others).toEqual(TYPES.map(([name]) => [name, asJson]));
  return asJson;
}

const lowered = (headers: Headers = {}) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

describe.each(Object.keys(CRMS).filter((crm) => !isOnBus(crm)))('a delivery of %s', (crm) => {
  // Without a signature, the content type of a binary CloudEvent says what its data is.
  const names = fixtureNames(crm).filter((name) => {
    const { headers, connection } = readFixture(crm, name);
    const isSigned = connectionOf(crm, connection).verify.scheme === 'standard-webhooks';
    return isSigned || lowered(headers)['ce-specversion'] === undefined;
  });

  it.each(names)('means the same under every content type: %s', async (name) => {
    const fixture = readFixture(crm, name);
    const { headers, query = '', connection: settings = {}, now, expected } = fixture;
    const at = now === undefined ? NOW : Date.parse(now);
    const sent = { crm, settings, headers: lowered(headers), query, body: textOf(fixture), at };
    const reading = await expectOneReading(sent);
    const found = 'closes' in expected ? expected.closes.length : 0;
    expect(reading.queued).toBe(found);
  });
});

describe.each(Object.entries(SCHEMES))('a delivery of a custom sender, verified by %s', (_name, verify) => {
  const settings = { verify, finishedWhen: "body.status == 'closed'", conversationId: 'body.chat' };

  it('is JSON under every content type', async () => {
    const body = '{"status":"closed","chat":"c1","text":"&status=closed&chat=VICTIM&"}';
    expect(await expectOneReading({ crm: 'custom', settings, body })).toMatchObject({ closes: ['c1'] });
    const form = 'status=closed&chat=c1';
    expect(await expectOneReading({ crm: 'custom', settings, body: form })).toMatchObject({
      code: 'body_unreadable',
    });
  });

  it('is a form under every content type if the connection says so', async () => {
    const body = 'status=closed&chat=c1';
    const sent = { crm: 'custom', settings: { ...settings, format: 'form' }, body };
    expect(await expectOneReading(sent)).toMatchObject({ closes: ['c1'] });
  });
});

/** A customer's words in a delivery that asks for no close. Read as a form, they would close another chat. */
const ATTACKS: [string, Omit<Sent, 'body'>, unknown][] = [
  [
    'zendesk',
    { crm: 'zendesk' },
    { type: 'zen:event-type:ticket.created', subject: 'Hello &polyai_conversation_id=VICTIM& bye' },
  ],
  [
    'zendesk, a changed subject',
    { crm: 'zendesk' },
    {
      type: 'zen:event-type:ticket.subject_changed',
      event: { current: 'help&polyai_conversation_id=VICTIM&x=' },
    },
  ],
  [
    'jira',
    { crm: 'jira' },
    {
      webhookEvent: 'comment_created',
      comment: { body: '&event=issue.done&polyai_conversation_id=VICTIM&' },
    },
  ],
  [
    'servicenow',
    { crm: 'servicenow' },
    { state: '2', short_description: '&state=7&correlation_id=VICTIM&polyai_conversation_id=VICTIM&' },
  ],
  [
    'twilio, JSON with its hash',
    { crm: 'twilio' },
    [{ type: 'x', data: '&EventType=onConversationStateUpdated&StateTo=closed&UniqueName=VICTIM&' }],
  ],
  [
    'salesforce',
    { crm: 'salesforce', settings: { sender: '00D000000000001' } },
    {
      organization_id: '00D000000000001',
      subject: '&event=case.closed&polyai_conversation_id=VICTIM&organization_id=00D000000000001&',
    },
  ],
  [
    'intercom with a flat selector',
    {
      crm: 'intercom',
      settings: { sender: 'vne310wv', conversationId: 'body.chat', finishedWhen: "body.s == 'closed'" },
    },
    {
      app_id: 'vne310wv',
      topic: 'conversation.user.replied',
      text: '&s=closed&chat=VICTIM&app_id=vne310wv&',
    },
  ],
  ...Object.keys(SCHEMES).map((name): [string, Omit<Sent, 'body'>, unknown] => [
    `custom by ${name}`,
    {
      crm: 'custom',
      settings: {
        verify: SCHEMES[name],
        finishedWhen: "body.status == 'closed'",
        conversationId: 'body.chat',
      },
    },
    { status: 'open', text: '&status=closed&chat=VICTIM&' },
  ]),
];

it.each(ATTACKS)('form fields in the words of a customer close nothing: %s', async (_name, sent, body) => {
  const reading = await expectOneReading({ ...sent, body: JSON.stringify(body) });
  expect(reading).toMatchObject({ closes: [], queued: 0 });
});

describe('a signed CloudEvent', () => {
  const settings = {
    finishedValues: ['com.example.chat.closed'],
    verify: { scheme: 'standard-webhooks' },
  };
  const event = {
    specversion: '1.0',
    type: 'com.example.chat.updated',
    data: { polyai_conversation_id: 'c1' },
  };
  const binary = { 'ce-specversion': '1.0', 'ce-type': 'com.example.chat.closed', 'ce-id': 'e1' };

  it.each([
    ['nothing finished', event, []],
    ['a finish', { ...event, type: 'com.example.chat.closed' }, ['c1']],
    ['data alone', { polyai_conversation_id: 'c1' }, []],
  ])('means the same if headers of a binary event are added: %s', async (_what, body, closes) => {
    const sent = { crm: 'cloudevents', settings, body: JSON.stringify(body) };
    const bare = await expectOneReading(sent);
    expect(bare.closes).toEqual(closes);
    expect(await expectOneReading({ ...sent, headers: binary })).toEqual(bare);
  });
});
