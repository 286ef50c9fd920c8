import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../functions/parse-body.ts';
import { makeRsaSecret, prove, whpk } from '../../samples/delivery.ts';
import { startReceiver } from '../support/receiver.ts';
import { SETTINGS } from '../support/settings.ts';

// The cost of a delivery grows linearly with its size. It is measured in CPU time of this process, not by the clock.

const NOW = Date.parse('2026-07-01T12:00:00Z');
const KIB = 1024;
const MIB = 1024 * KIB;
/** Twice is linear, four times quadratic. */
const MOST = 3;
/** A smaller difference is noise. */
const FLOOR_MS = 15;
const TOKEN = 'q7HhB2n0mVdLx5sWcZr8aTyK4uEoPgJf';
const ORGANIZATION = '00D000000000001';
const UNPROVEN = { 'x-twilio-signature': `${'A'.repeat(27)}=` };
const ED25519 = generateKeyPairSync('ed25519');

type Request = Parameters<ReturnType<typeof startReceiver>['send']>[0];
type Kind = {
  crm: string;
  settings?: Record<string, unknown>;
  secret: Record<string, unknown>;
  /** The request of a size, in the unit of the kind. */
  request: (size: number) => Request;
  /** Sizes below and above a limit. Each is compared with twice its size. */
  sizes: number[];
  /** The answer at each of the sizes. */
  codes: (string | undefined)[];
};

const twilio = { crm: 'twilio', secret: { signingSecret: TOKEN } };
const hubspot = {
  crm: 'hubspot',
  secret: { signingSecret: TOKEN },
  settings: { finishedValues: ['4'], lookUp: 'sharedId' },
};
const signed = (scheme: 'hubspot' | 'twilio', body: string) => {
  const url = `https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com/webhooks/${scheme}`;
  return { ...prove({ scheme }, { signingSecret: TOKEN }, { body, at: NOW, url }), body };
};
const custom = (settings: object) => ({
  crm: 'custom',
  secret: { token: TOKEN },
  settings: {
    verify: { scheme: 'bearer' },
    finishedWhen: 'always',
    conversationId: 'body.id',
    ...settings,
  },
});
const RSA = makeRsaSecret();
const LISTED = {
  scheme: 'hmac',
  header: 'x-signature',
  signed: '{timestamp}.{body}',
  signatureParameter: 'v1',
  timestampParameter: 't',
};
const IN_BODY = { scheme: 'hmac', header: 'x-signature', timestampSelector: 'body.at' };
const bearer = { authorization: `Bearer ${TOKEN}` };
const message = {
  crm: 'salesforce-outbound-message',
  settings: { sender: ORGANIZATION },
  secret: { token: TOKEN },
};
const soap = (inside: string) => ({
  query: `token=${TOKEN}`,
  body: `<Envelope><Body><notifications><OrganizationId>${ORGANIZATION}</OrganizationId>${inside}</notifications></Body></Envelope>`,
});
const list = (count: number, of: (index: number) => string) =>
  `[${Array.from({ length: count }, (_, index) => of(index)).join(',')}]`;

const halfOf = (limit: number) => Math.floor(limit / 2) - 10;

const KINDS: Record<string, Kind> = {
  'an unproven form without values': {
    ...twilio,
    request: (size) => ({ headers: UNPROVEN, body: 'a&'.repeat(size / 2) }),
    sizes: [halfOf(LIMITS.fields), 500_000],
    codes: ['signature_mismatch', 'signature_malformed'],
  },
  'an unproven form of short names': {
    ...twilio,
    request: (size) => ({
      headers: UNPROVEN,
      body: Array.from({ length: size / 5 }, (_, n) => `${n.toString(36)}=`).join('&'),
    }),
    sizes: [halfOf(LIMITS.fields), 400_000],
    codes: ['signature_mismatch', 'signature_malformed'],
  },
  'an unproven form of one long value': {
    ...twilio,
    request: (size) => ({ headers: UNPROVEN, body: `a=${'+'.repeat(size)}` }),
    sizes: [halfOf(LIMITS.formCharacters), 500_000],
    codes: ['signature_mismatch', 'signature_malformed'],
  },
  'an unproven query without values': {
    crm: 'cloudevents',
    settings: { verify: { scheme: 'query', parameter: 'token' }, finishedValues: ['x'] },
    secret: { token: TOKEN },
    request: (size) => ({ query: 'a&'.repeat(size / 2), body: '{}' }),
    sizes: [halfOf(LIMITS.fields), 512 * KIB],
    codes: ['credential_missing', 'credential_mismatch'],
  },
  'a form without values': {
    ...custom({ format: 'form' }),
    request: (size) => ({ headers: bearer, body: 'a&'.repeat(size / 2) }),
    sizes: [halfOf(LIMITS.fields), 512 * KIB],
    codes: [undefined, 'body_unreadable'],
  },
  'JSON of many values': {
    ...custom({ conversationId: 'body.chats[]' }),
    request: (size) => ({ headers: bearer, body: `{"chats":${list(size, (n) => `"${n}"`)}}` }),
    sizes: [halfOf(LIMITS.jsonValues), 55_000],
    codes: ['too_many_conversations', 'body_unreadable'],
  },
  'JSON nested deep': {
    ...custom({}),
    request: (size) => ({ headers: bearer, body: '['.repeat(size) + ']'.repeat(size) }),
    sizes: [halfOf(LIMITS.jsonDepth), 256 * KIB],
    codes: [undefined, 'body_unreadable'],
  },
  "a batch of HubSpot's": {
    ...hubspot,
    request: (size) =>
      signed(
        'hubspot',
        list(size, () => '{}'),
      ),
    sizes: [halfOf(LIMITS.events), 170_000],
    codes: [undefined, 'body_unreadable'],
  },
  "a batch of Twilio's": {
    ...twilio,
    request: (size) =>
      signed(
        'twilio',
        list(size, () => '{}'),
      ),
    sizes: [halfOf(LIMITS.events), 170_000],
    codes: [undefined, 'body_unreadable'],
  },
  'a batch of CloudEvents': {
    crm: 'cloudevents',
    settings: { finishedValues: ['x'] },
    secret: { token: TOKEN },
    request: (size) => ({ headers: bearer, body: list(size, () => '{}') }),
    sizes: [halfOf(LIMITS.events), 170_000],
    codes: [undefined, 'body_unreadable'],
  },
  'XML of siblings': {
    ...message,
    request: (size) => soap('<a/>'.repeat(size)),
    sizes: [halfOf(LIMITS.xmlTags), 120_000],
    codes: [undefined, 'body_unreadable'],
  },
  'XML of different tags': {
    ...message,
    request: (size) => soap(Array.from({ length: size }, (_, n) => `<t${n}></t${n}>`).join('')),
    sizes: [halfOf(LIMITS.xmlTags / 2), 26_000],
    codes: [undefined, 'body_unreadable'],
  },
  'RSA signatures of bodies': {
    ...custom({ verify: { scheme: 'rsa', header: 'x-signature' } }),
    secret: { publicKey: RSA.publicKey },
    request: (size) => ({
      headers: { 'x-signature': Buffer.alloc(256).toString('base64') },
      body: 'x'.repeat(size),
    }),
    sizes: [halfOf(MIB)],
    codes: ['signature_mismatch'],
  },
  'a header of many parameters': {
    ...custom({ verify: LISTED }),
    secret: { signingSecret: TOKEN },
    request: (size) => ({
      headers: { 'x-signature': `t=${NOW / 1000},${'v0=,'.repeat(size)}v1=0` },
      body: '{}',
    }),
    sizes: [2000],
    codes: ['signature_malformed'],
  },
  'JSON with a signed time in it': {
    ...custom({ verify: IN_BODY, conversationId: 'body.chats[]' }),
    secret: { signingSecret: TOKEN },
    request: (size) => {
      const body = `{"at":${NOW / 1000},"chats":${list(size, (n) => `"${n}"`)}}`;
      return { ...prove(SETTINGS.hmac, { signingSecret: TOKEN }, { body, at: NOW }), body };
    },
    sizes: [halfOf(LIMITS.jsonValues), 55_000],
    codes: ['too_many_conversations', 'body_unreadable'],
  },
  'Ed25519 signatures': {
    crm: 'standard-webhooks',
    settings: { finishedValues: ['x'] },
    secret: { signingSecret: whpk(ED25519.publicKey) },
    request: (size) => {
      const other = sign(null, Buffer.from('another'), ED25519.privateKey).toString('base64');
      const signatures = Array(size).fill(`v1a,${other}`).join(' ');
      const id = { 'webhook-id': 'm1', 'webhook-timestamp': `${NOW / 1000}` };
      return { headers: { ...id, 'webhook-signature': signatures }, body: 'x'.repeat(MIB) };
    },
    sizes: [5, 48],
    codes: ['signature_mismatch', 'signature_malformed'],
  },
};

/** CPU milliseconds of one request: the smallest of five, because other work on the machine only adds to it. */
async function costOf({ crm, settings = {}, secret }: Kind, request: Request) {
  const costs: number[] = [];
  let code: string | undefined;
  for (let run = 0; run < 5; run += 1) {
    const receiver = startReceiver(crm, settings, secret, NOW);
    const before = process.cpuUsage();
    ({ code } = await receiver.send(request));
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1000);
  }
  return { ms: Math.max(FLOOR_MS, Math.min(...costs)), code };
}

describe.each(Object.entries(KINDS))('%s', (_name, kind) => {
  it.each(kind.sizes.map((size, index) => [size, kind.codes[index]]))(
    'of %i costs at least a third of twice its size, and is answered %s',
    async (size, code) => {
      const small = await costOf(kind, kind.request(Number(size)));
      const large = await costOf(kind, kind.request(2 * Number(size)));
      expect([small.code, large.code]).toEqual([code, code]);
      expect(large.ms / small.ms).toBeLessThan(MOST);
    },
    60_000,
  );
});

it.each([
  ['of many fields', 'a&'.repeat(MIB / 2)],
  ['of one field', `a=${'+'.repeat(MIB - 2)}`],
  ['of one escaped field', `a=${'%41'.repeat(MIB / 3 - 1)}`],
])(
  'a form without a valid signature %s costs about as much as a body that is only hashed',
  async (_what, body) => {
    const hashed = { 'x-hub-signature': `sha256=${'0'.repeat(64)}` };
    const jira = { crm: 'jira', secret: { signingSecret: TOKEN }, request: () => ({}), sizes: [], codes: [] };
    const alone = await costOf(jira, { headers: hashed, body });
    const form = await costOf({ ...jira, ...twilio }, { headers: UNPROVEN, body });
    expect([alone.code, form.code]).toEqual(['signature_mismatch', 'signature_malformed']);
    expect(form.ms / alone.ms).toBeLessThan(MOST);
  },
);
