import { describe, expect, it } from 'vitest';
import { SCHEMES } from '../../../functions/schemes/index.ts';
import { type HmacSettings, type VerifySettings, verifyDelivery } from '../../../functions/schemes/scheme.ts';
import {
  delivery,
  type Headers,
  makeRsaSecret,
  signHmac,
  signHubspot,
  signHubspotOlder,
  signRsa,
  signStandardWebhooks,
  signTwilio,
} from '../../../samples/delivery.ts';
import { SETTINGS } from '../../support/settings.ts';

// The codes are in the API's answers and the sentences in its log: both are what somebody with a refused delivery reads.

const NOW = Date.parse('2026-07-01T12:00:00Z');
const BODY = 'status=closed';
const URL = delivery().url;
const RSA = makeRsaSecret();
const SECRET = {
  signingSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  token: 'the-token',
  username: 'webhook',
  password: 'the-password',
  publicKey: RSA.publicKey,
};
const signing = { secret: SECRET.signingSecret, body: BODY, at: NOW, url: URL };
const HMAC = SETTINGS.hmac;
const WITH_TIME = { ...HMAC, signed: '{timestamp}.{body}', timestampHeader: 'x-time' };
const WITH_ID = { ...HMAC, signed: '{id}.{body}', idHeader: 'x-id' };

const LISTED: HmacSettings = {
  ...HMAC,
  signatureParameter: 'v1',
  timestampParameter: 't',
  signed: '{timestamp}.{body}',
};
const IN_BODY: HmacSettings = { ...HMAC, timestampSelector: 'body.at', timestampHeader: 'x-time' };

type Request = Parameters<typeof delivery>[0];
/** What is wrong with the delivery, the delivery, and the code and sentence of its refusal. */
type Row = [what: string, request: Request, code: string, detail: string, settings?: VerifySettings];

const AUTHORIZATION: Row[] = [
  ['no credential', {}, 'credential_missing', 'The credential is missing.'],
  [
    'another credential',
    { headers: { authorization: 'Bearer x' } },
    'credential_mismatch',
    'The credential is not equal to the stored one.',
  ],
];
const signed = signHmac({ settings: HMAC, ...signing });
const dated = signHmac({ settings: WITH_TIME, ...signing });
const standard = signStandardWebhooks(signing);
const v3 = signHubspot(signing);
const older = signHubspotOlder('v1', signing);

/** A body with a valid signature. */
function timed(content: object, headers: Headers = {}): Request {
  const body = JSON.stringify(content);
  return { headers: { ...signHmac({ settings: HMAC, ...signing, body }), ...headers }, body };
}

const ROWS: { [Name in keyof typeof SCHEMES]?: Row[] } = {
  bearer: AUTHORIZATION,
  basic: AUTHORIZATION.map(([what, , ...rest]) => [
    what,
    what === 'no credential' ? {} : { headers: { authorization: 'Basic eA==' } },
    ...rest,
  ]),
  header: AUTHORIZATION.map(([what, , ...rest]) => [
    what,
    what === 'no credential' ? {} : { headers: { 'x-token': 'x' } },
    ...rest,
  ]),
  query: [
    ['no credential', {}, 'credential_missing', 'The credential is missing.'],
    [
      'another credential',
      { query: 'code=x' },
      'credential_mismatch',
      'The credential is not equal to the stored one.',
    ],
    [
      'the credential given twice',
      { query: 'code=the-token&code=the-token' },
      'credential_mismatch',
      'The credential is given twice.',
    ],
    [
      'too many parameters',
      { query: `code=the-token${'&a'.repeat(1000)}` },
      'credential_mismatch',
      'The address has too many parameters.',
    ],
  ],
  jwt: [
    ['no token', {}, 'credential_missing', 'The token is missing.'],
    [
      'text that is not a token',
      { headers: { 'x-token': 'x' } },
      'token_invalid',
      'The token is not valid for this connection.',
    ],
  ],
  hmac: [
    ['no signature', {}, 'signature_missing', 'The signature is missing.'],
    [
      'a signature in another format',
      { headers: { 'x-signature': 'x' } },
      'signature_malformed',
      'The signature has the wrong format (check encoding and prefix).',
    ],
    [
      'another body',
      { headers: signed, body: 'x' },
      'signature_mismatch',
      'The signature does not match the body and the stored secret.',
    ],
    ['no time', { headers: signed }, 'timestamp_missing', 'The timestamp is missing.', WITH_TIME],
    [
      'a time that is not a number',
      { headers: { ...dated, 'x-time': 'x' } },
      'timestamp_malformed',
      'The timestamp cannot be read.',
      WITH_TIME,
    ],
    [
      'an old time',
      { headers: { ...dated, 'x-time': '1' } },
      'timestamp_stale',
      'The timestamp is too far from the current time.',
      WITH_TIME,
    ],
    ['no id', { headers: signed }, 'signature_missing', 'The signed id is missing.', WITH_ID],
    [
      'eleven signatures',
      { headers: { 'x-signature': Array(11).fill('v1=00').join(',') } },
      'signature_malformed',
      'The header lists too many signatures.',
      LISTED,
    ],
    [
      'no time in the body',
      timed({ status: 'closed' }),
      'timestamp_missing',
      'The timestamp is missing.',
      IN_BODY,
    ],
    [
      'an old time in the body',
      timed({ at: 1 }),
      'timestamp_stale',
      'The timestamp is too far from the current time.',
      IN_BODY,
    ],
    [
      'another time in the header than in the body',
      timed({ at: NOW / 1000 }, { 'x-time': `${NOW / 1000 + 1}` }),
      'timestamp_malformed',
      'The timestamp in the header is not the one in the body.',
      IN_BODY,
    ],
    [
      'a body that is not JSON, where the body has the time',
      { headers: signed },
      'body_unreadable',
      'The body is not JSON, so the time in it cannot be read.',
      IN_BODY,
    ],
  ],
  rsa: [
    ['no signature', {}, 'signature_missing', 'The signature is missing.'],
    [
      'a signature of another length',
      { headers: { 'x-signature': 'AAAA' } },
      'signature_malformed',
      'The signature has the wrong format (check encoding and the length of the stored key).',
    ],
    [
      'another body',
      { headers: signRsa({ settings: SETTINGS.rsa, ...RSA, body: BODY }), body: 'x' },
      'signature_mismatch',
      'The signature does not match the body and the stored key.',
    ],
  ],
  'standard-webhooks': [
    ['no signature', {}, 'signature_missing', 'The signature is missing.'],
    [
      'no id',
      { headers: { ...standard, 'webhook-id': '' } },
      'signature_missing',
      'The signed id is missing.',
    ],
    [
      'eleven signatures',
      { headers: { ...standard, 'webhook-signature': Array(11).fill('v1,AAAA').join(' ') } },
      'signature_malformed',
      'The header lists more than 10 signatures.',
    ],
    [
      'a signature of another version',
      { headers: { ...standard, 'webhook-signature': 'v2,AAAA' } },
      'signature_malformed',
      'The header lists no v1 or v1a signature.',
    ],
    [
      'another body',
      { headers: standard, body: 'x' },
      'signature_mismatch',
      'No signature matches the body and the stored secret.',
    ],
  ],
  hubspot: [
    ['no signature', {}, 'signature_missing', 'The signature is missing.'],
    [
      'an empty v3',
      { headers: { ...v3, 'x-hubspot-signature-v3': '' } },
      'signature_missing',
      'The signature is missing.',
    ],
    [
      'a v3 in another format',
      { headers: { ...v3, 'x-hubspot-signature-v3': 'x' } },
      'signature_malformed',
      'The signature does not have the format of v3.',
    ],
    [
      'a v1 in another format',
      { headers: { ...older, 'x-hubspot-signature': 'x' } },
      'signature_malformed',
      'The signature does not have the format of v1 or v2.',
    ],
    [
      'another body',
      { headers: v3, body: 'x' },
      'signature_mismatch',
      'The signature does not match the request, its address and the stored secret.',
    ],
  ],
  twilio: [
    ['no signature', {}, 'signature_missing', 'The signature is missing.'],
    [
      'a signature in another format',
      { headers: { 'x-twilio-signature': 'x' } },
      'signature_malformed',
      'The signature does not have the format of Twilio.',
    ],
    [
      'too many fields',
      { headers: signTwilio(signing).headers, body: 'a&'.repeat(1001) },
      'signature_malformed',
      'The form has more fields than Twilio signs.',
    ],
    [
      'a JSON body without its hash',
      { headers: signTwilio(signing).headers, body: '{}' },
      'signature_missing',
      'The address has no bodySHA256, so the body is not signed.',
    ],
    [
      'the hash of another body',
      { headers: signTwilio(signing).headers, body: '{}', query: 'bodySHA256=x' },
      'signature_mismatch',
      'The hash in the address does not match the body.',
    ],
    [
      'another body',
      { headers: signTwilio(signing).headers, body: 'x' },
      'signature_mismatch',
      'The signature does not match the address, the body and the stored secret.',
    ],
    [
      'an event type that the form has twice',
      {
        headers: signTwilio({ ...signing, body: 'EventType=onA&EventType=onB' }).headers,
        body: 'EventType=onA&EventType=onB',
      },
      'signature_malformed',
      'The fields could be split in more than one way.',
    ],
  ],
};

describe.each(Object.entries(ROWS))('the scheme %s', (name, rows) => {
  const scheme = SCHEMES[name as keyof typeof SCHEMES];
  const own = SETTINGS[name as keyof typeof SCHEMES];

  it.each(rows)(
    'says what is wrong with a delivery that has %s',
    async (_what, request, code, detail, verify = own) => {
      const received = delivery({ body: BODY, ...request });
      expect(await verifyDelivery({ scheme, verify }, SECRET, received, NOW)).toEqual({ code, detail });
    },
  );
});
