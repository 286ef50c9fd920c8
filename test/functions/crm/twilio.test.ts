import { stringify } from 'node:querystring';
import fc from 'fast-check';
import {
  getExpectedBodyHash,
  getExpectedTwilioSignature,
  validateRequest,
  validateRequestWithBody,
} from 'twilio/lib/webhooks/webhooks.js';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import twilio from '../../../functions/crm/twilio.ts';
import scheme from '../../../functions/schemes/twilio.ts';
import {
  changeByte,
  changeCharacter,
  delivery,
  type Headers,
  prove,
  signTwilio,
} from '../../../samples/delivery.ts';
import { faultsOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { startReceiver } from '../../support/receiver.ts';
import { anyChange } from '../../support/verdict.ts';

const TOKEN = '12345';
const NOW = 1782907200000;
const FORM = 'application/x-www-form-urlencoded; charset=UTF-8';
const JSON_TYPE = 'application/json';
const ADDRESS = 'https://mycompany.com/myapp.php?foo=1&bar=2';

type Fields = Record<string, string | string[]>;

type Attempt = {
  token?: string | string[];
  url?: string;
  signature?: string;
  body?: string | Buffer;
  type?: string;
};

function verify({ token = TOKEN, url = ADDRESS, signature = '', body = '', type = FORM }: Attempt): string {
  const keys = scheme.readKeys({ signingSecret: token });
  const headers = { 'content-type': type, ...(signature && { 'x-twilio-signature': signature }) };
  const [, query = ''] = url.split(/\?(.*)/s);
  const received = { ...delivery({ headers, body, query }), url };
  return scheme.verify({ scheme: 'twilio' }, keys, received, NOW)?.code ?? 'accepted';
}

const encode = (fields: Fields) => new URLSearchParams(pairsOf(fields)).toString();
const pairsOf = (fields: Fields) =>
  Object.entries(fields).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );

const FIELDS = {
  CallSid: 'CA1234567890ABCDE',
  Caller: '+14158675309',
  Digits: '1234',
  From: '+14158675309',
  To: '+18005551212',
};
const BINDING = 'MessagingBinding.Address';

/** @see https://github.com/twilio/twilio-node/blob/main/spec/validation.spec.js */
const VECTORS: [string, Attempt][] = [
  ['a form', { body: encode(FIELDS), signature: 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' }],
  [
    'JSON',
    {
      url: `${ADDRESS}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620`,
      body: '{"property": "value", "boolean": true}',
      type: JSON_TYPE,
      signature: 'a9nBmqA0ju/hNViExpshrM61xv4=',
    },
  ],
  [
    'JSON, signed with the port',
    {
      url: `${ADDRESS}&bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a`,
      body: '{}',
      type: JSON_TYPE,
      signature: 'Ldidvp12m26NI7eqEvxnEpkd9Hc=',
    },
  ],
  [
    'a form at another port',
    {
      url: 'http://mycompany.com:1234/myapp.php?foo=1&bar=2',
      body: encode(FIELDS),
      signature: 'Zmvh+3yNM1Phv2jhDCwEM3q5ebU=',
    },
  ],
  [
    'a form at an address with a user name and a password',
    {
      url: 'https://user:pass@mycompany.com/myapp.php?foo=1&bar=2',
      body: encode(FIELDS),
      signature: 'CukzLTc1tT5dXEDIHm/tKBanW10=',
    },
  ],
  [
    'a form with a repeated field',
    {
      body: encode({ [BINDING]: ['+1325xxxxxxx', '+1415xxxxxxx'] }),
      signature: '83O6e2vORAoJHUNzJjDWN1jz+BA=',
    },
  ],
  [
    'a form with a repeated field, the other way round and once too often',
    {
      body: encode({ [BINDING]: ['+1415xxxxxxx', '+1325xxxxxxx', '+1415xxxxxxx'] }),
      signature: '83O6e2vORAoJHUNzJjDWN1jz+BA=',
    },
  ],
];

describe("Twilio's signature", () => {
  it.each(VECTORS)('is accepted with published values: %s', (_name, vector) => {
    expect(verify(vector)).toBe('accepted');
    expect(verify({ ...vector, token: ['the-new-one', TOKEN] })).toBe('accepted');
    expect(verify({ ...vector, token: '12346' })).toBe('signature_mismatch');
    expect(verify({ ...vector, body: `${vector.body}0` })).toBe('signature_mismatch');
    expect(verify({ ...vector, url: vector.url?.replace('foo=1', 'foo=2') ?? `${ADDRESS}0` })).toBe(
      'signature_mismatch',
    );
  });

  const body = encode(FIELDS);
  const signature = 'RSOYDt4T1cUTdK1PDd93/VVr8B8=';

  it.each<[string, Attempt, string]>([
    ['no header', { signature: '' }, 'signature_missing'],
    ['its second half', { signature: signature.slice(14) }, 'signature_malformed'],
    ['hex', { signature: 'a'.repeat(40) }, 'signature_malformed'],
    ['base64 for URLs', { signature: signature.replace('/', '_') }, 'signature_malformed'],
    ['two signatures', { signature: `${signature},${signature}` }, 'signature_malformed'],
    ['http', { url: ADDRESS.replace('https', 'http') }, 'signature_mismatch'],
    ['another host', { url: ADDRESS.replace('.com', '.org') }, 'signature_mismatch'],
    ['another slash', { url: ADDRESS.replace('?', '/?') }, 'signature_mismatch'],
    [
      'the query in another order',
      { url: ADDRESS.replace(/foo=1&bar=2/, 'bar=2&foo=1') },
      'signature_mismatch',
    ],
    ['an added field', { body: `${body}&x=` }, 'signature_mismatch'],
    ['a removed field', { body: body.replace(/Digits=1234&/, '') }, 'signature_mismatch'],
    ['a second value of a field', { body: `${body}&Digits=1` }, 'signature_mismatch'],
    ['a space for a plus sign', { body: body.replace('%2B', '+') }, 'signature_mismatch'],
    ['JSON for the form', { body: `{"${body}` }, 'signature_missing'],
    ['a JSON list for the form', { body: `[${body}` }, 'signature_missing'],
  ])('of a form is refused with %s', (_what, change, code) => {
    expect(verify({ body, signature })).toBe('accepted');
    expect(verify({ body, signature, ...change })).toBe(code);
  });

  it.each([JSON_TYPE, '', 'text/xml', FORM])('of a form does not depend on the content type %j', (type) => {
    expect(verify({ body, signature, type })).toBe('accepted');
    expect(verify({ body: `${body}0`, signature, type })).toBe('signature_mismatch');
  });

  it('of a form does not depend on the escapes, order or repetition of its fields', () => {
    const same = [
      body.replaceAll('%2B', '%2b'),
      body.split('&').reverse().join('&'),
      `${body}&${body}`,
      `&${body}&&`,
      body.replace('Digits', '%44igits'),
    ];
    for (const each of same) expect(verify({ body: each, signature })).toBe('accepted');
  });

  it('of the address alone does not cover a body', () => {
    const ofAddress = getExpectedTwilioSignature(TOKEN, ADDRESS, {});
    expect(verify({ signature: ofAddress })).toBe('accepted');
    expect(verify({ signature: ofAddress, type: JSON_TYPE })).toBe('accepted');
    expect(verify({ signature: ofAddress, body: '[{}]', type: JSON_TYPE })).toBe('signature_missing');
    expect(verify({ signature: ofAddress, body: '[{}]', type: FORM })).toBe('signature_missing');
    expect(verify({ signature: ofAddress, body: 'a', type: FORM })).toBe('signature_mismatch');
  });

  it.each<[string, (hash: string) => string, string]>([
    ['its own', (hash) => `bodySHA256=${hash}`, 'accepted'],
    ['its own, twice', (hash) => `bodySHA256=${hash}&bodySHA256=${hash}`, 'accepted'],
    [
      'its own, then another',
      (hash) => `bodySHA256=${hash}&bodySHA256=${'0'.repeat(64)}`,
      'signature_mismatch',
    ],
    [
      'another, then its own',
      (hash) => `bodySHA256=${'0'.repeat(64)}&bodySHA256=${hash}`,
      'signature_mismatch',
    ],
    ['its own in upper case', (hash) => `bodySHA256=${hash.toUpperCase()}`, 'signature_mismatch'],
    ['half of its hash', (hash) => `bodySHA256=${hash.slice(32)}`, 'signature_mismatch'],
    ['an empty one', () => 'bodySHA256=', 'signature_mismatch'],
    ['one of another name', (hash) => `bodysha256=${hash}`, 'signature_missing'],
    ['one in another value', (hash) => `a=bodySHA256%3D${hash}`, 'signature_missing'],
  ])('of JSON depends on the hash in the address: %s', (_what, queryOf, code) => {
    const json = '[{"type":"a"}]';
    const url = `${ADDRESS}&${queryOf(getExpectedBodyHash(json))}`;
    const ofAddress = getExpectedTwilioSignature(TOKEN, url, {});
    expect(verify({ url, signature: ofAddress, body: json, type: JSON_TYPE })).toBe(code);
  });

  it.each([
    ['Unicode', '[{"a":"Zażółć 💬"}]'],
    ['tabs and CRLF', '[\r\n\t{"a":\t1}\r\n]\r\n'],
    ['escapes', '["\\u003c\\/%2F+"]'],
    ['bytes that are not text', Buffer.from([91, 0, 255, 254, 128, 10])],
  ])('covers every byte of a JSON body with %s', (_what, json) => {
    const { headers, query } = signTwilio({ secret: TOKEN, body: json, url: ADDRESS });
    const attempt = {
      url: `${ADDRESS}&${query}`,
      signature: headers['x-twilio-signature'] ?? '',
      type: JSON_TYPE,
    };
    expect(verify({ ...attempt, body: json })).toBe('accepted');
    expect(verify({ ...attempt, body: Buffer.concat([Buffer.from(json), Buffer.from(' ')]) })).toBe(
      'signature_mismatch',
    );
  });

  it.each([
    [1000, 'accepted'],
    [1001, 'signature_malformed'],
    [100_000, 'signature_malformed'],
  ])('of a form with %i fields is %s', (count, code) => {
    const many = Array.from({ length: count }, (_, index) => `f${index}=`).join('&');
    const { headers } = signTwilio({ secret: TOKEN, body: many, url: ADDRESS });
    expect(verify({ body: many, signature: headers['x-twilio-signature'] ?? '' })).toBe(code);
  });

  it('is accepted for a form with brackets that are not escaped', () => {
    const form = 'a={b}&c=[d]';
    const { headers } = signTwilio({ secret: TOKEN, body: form, url: ADDRESS });
    expect(verify({ body: form, signature: headers['x-twilio-signature'] ?? '' })).toBe('accepted');
  });

  it('is accepted for a JSON body with any number of ampersands, because it is not a form', () => {
    const json = JSON.stringify(['&'.repeat(2000)]);
    const { headers, query } = signTwilio({ secret: TOKEN, body: json, url: ADDRESS });
    const url = `${ADDRESS}&${query}`;
    expect(verify({ url, body: json, signature: headers['x-twilio-signature'] ?? '' })).toBe('accepted');
  });

  it('is accepted for a form up to 256 KiB and an address up to 1,000 parameters', () => {
    const code = (form: string, url = ADDRESS) => {
      const { headers } = signTwilio({ secret: TOKEN, body: form, url });
      return verify({ body: form, url, signature: headers['x-twilio-signature'] ?? '' });
    };
    expect(code(`a=${'x'.repeat(256 * 1024 - 2)}`)).toBe('accepted');
    expect(code(`a=${'x'.repeat(256 * 1024 - 1)}`)).toBe('signature_malformed');
    expect(code('a=1', `${ADDRESS}${'&a'.repeat(998)}`)).toBe('accepted');
    expect(code('a=1', `${ADDRESS}${'&a'.repeat(999)}`)).toBe('signature_malformed');
  });
});

const texts = fc.string({ unit: 'grapheme', maxLength: 12 });
const formFields: fc.Arbitrary<Fields> = fc.dictionary(
  texts.filter((name) => name !== '__proto__'),
  fc.oneof(texts, fc.array(texts, { minLength: 2, maxLength: 4 })),
  { noNullPrototype: true },
);
const urls = fc
  .tuple(
    fc.constantFrom('https', 'http'),
    fc.constantFrom('mycompany.com', 'user:pass@mycompany.com', 'My-Company.example', '[::1]'),
    fc.constantFrom('', ':8443', ':443', ':80'),
    fc.constantFrom('', '/', '/myapp.php', "/it's", '/a%20b/ü'),
    fc.constantFrom(
      '',
      '?',
      '?foo=1&bar=2',
      "?name=O'Neil&x=a+b",
      '?x=%27%28&y=a%20b',
      '?q=ü&q=é',
      '?a=b=c&d',
    ),
  )
  .map(([protocol, host, port, path, query]) => `${protocol}://${host}${port}${path}${query}`);

/** The forms of an address that Twilio's back ends sign. */
const signedAs: Record<string, (url: string) => string> = {
  'as it is': (url) => url,
  'with the port': (url) => withPort(url, (protocol) => (protocol === 'https' ? ':443' : ':80')),
  'without the port': (url) => withPort(url, () => ''),
  'as a browser writes it': (url) => new URL(url).href,
  'with its query escaped again': (url) => {
    const [address, query] = new URL(url).href.split(/\?(.*)/s);
    return query ? `${address}?${stringify(Object.fromEntries(new URLSearchParams(query)))}` : `${address}`;
  },
  'of another path': (url) => `${url}x`,
};

function withPort(url: string, port: (protocol: string) => string): string {
  return url.replace(
    /^(\w+)(:\/\/(?:[^/@]*@)?(?:\[.*?\]|[^/?:]*))(:\d+)?/,
    (_, protocol, host) => `${protocol}${host}${port(protocol)}`,
  );
}

describe("Twilio's own library", () => {
  const forms = fc.constantFrom(...Object.keys(signedAs));
  const changes = fc.constantFrom('nothing', 'token', 'fields', 'url');

  it('accepts and refuses the same forms, however the address was signed', () => {
    const verdicts = new Set<string>();
    fc.assert(
      fc.property(
        urls,
        forms,
        formFields,
        formFields,
        urls,
        changes,
        (url, form, fields, others, otherUrl, change) => {
          const signature = getExpectedTwilioSignature(TOKEN, signedAs[form]?.(url) ?? '', fields);
          const token = change === 'token' ? '12346' : TOKEN;
          const arrived = {
            url: change === 'url' ? otherUrl : url,
            fields: change === 'fields' ? others : fields,
          };
          const isValid = validateRequest(token, signature, arrived.url, arrived.fields);
          const verdict = isValid ? 'accepted' : 'signature_mismatch';
          verdicts.add(`${form}: ${verdict}`);
          for (const body of [encode(arrived.fields), stringify(arrived.fields)]) {
            expect(verify({ token, url: arrived.url, signature, body })).toBe(verdict);
          }
        },
      ),
      { numRuns: 1000 },
    );
    const accepted = [...verdicts].filter((verdict) => verdict.endsWith('accepted'));
    expect(accepted.map((verdict) => verdict.split(':')[0]).sort()).toEqual(
      Object.keys(signedAs)
        .filter((form) => form !== 'of another path')
        .sort(),
    );
  });

  it('accepts and refuses the same JSON, however the address was signed', () => {
    const changed = fc.constantFrom('nothing', 'token', 'body', 'url');
    fc.assert(
      fc.property(
        urls,
        forms,
        fc.json(),
        fc.json(),
        urls,
        changed,
        (start, form, body, otherBody, other, change) => {
          const withHash = (url: string) =>
            `${url}${url.includes('?') ? '&' : '?'}bodySHA256=${getExpectedBodyHash(body)}`;
          const url = withHash(start);
          const signature = getExpectedTwilioSignature(TOKEN, signedAs[form]?.(url) ?? '', {});
          const token = change === 'token' ? '12346' : TOKEN;
          const arrived = {
            url: change === 'url' ? withHash(other) : url,
            body: change === 'body' ? otherBody : body,
          };
          const isValid = validateRequestWithBody(token, signature, arrived.url, arrived.body);
          expect(verify({ token, ...arrived, signature, type: JSON_TYPE })).toBe(
            isValid ? 'accepted' : 'signature_mismatch',
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('signs as these tests do', () => {
    fc.assert(
      fc.property(urls, formFields, fc.jsonValue(), (url, fields, value) => {
        const ofForm = signTwilio({ secret: TOKEN, body: encode(fields), url });
        const expected = getExpectedTwilioSignature(TOKEN, url, fields);
        expect(ofForm).toEqual({ headers: { 'x-twilio-signature': expected }, query: '' });
        const body = JSON.stringify([value]);
        const { headers, query } = signTwilio({ secret: TOKEN, body, url });
        const signed = `${url}${url.includes('?') ? '&' : '?'}${query}`;
        expect(query).toBe(`bodySHA256=${getExpectedBodyHash(body)}`);
        expect(headers['x-twilio-signature']).toBe(getExpectedTwilioSignature(TOKEN, signed, {}));
      }),
    );
  });
});

describe('a changed delivery', () => {
  it('is refused if a byte of its JSON body or a character of anything else is changed', () => {
    const bodies = fc.json().map((json) => Buffer.from(`[${json}]`));
    fc.assert(
      fc.property(
        fc.base64String({ minLength: 8 }),
        bodies,
        fc.nat(),
        anyChange,
        (token, body, position, amount) => {
          const { headers, query } = signTwilio({ secret: token, body, url: ADDRESS });
          const signature = headers['x-twilio-signature'] ?? '';
          const url = `${ADDRESS}&${query}`;
          const attempt = { token, url, signature, body, type: JSON_TYPE };
          const refused = /^signature_/;
          expect(verify(attempt)).toBe('accepted');
          expect(verify({ ...attempt, body: changeByte(body, position, amount) })).toMatch(refused);
          expect(verify({ ...attempt, token: changeCharacter(token, position) })).toMatch(refused);
          expect(verify({ ...attempt, signature: changeCharacter(signature, position) })).toMatch(refused);
          // The host is left out: it is the API's own, and its case does not count.
          const path = new URL(url).origin.length;
          const elsewhere = url.slice(0, path) + changeCharacter(url.slice(path), position);
          expect(verify({ ...attempt, url: elsewhere })).toMatch(refused);
        },
      ),
    );
  });

  it('is refused if a name or value of its form is changed', () => {
    const fields = fc.dictionary(fc.base64String({ minLength: 4 }), fc.base64String({ minLength: 4 }), {
      minKeys: 1,
    });
    fc.assert(
      fc.property(fields, fc.nat(), fc.boolean(), (given, position, isName) => {
        const { headers } = signTwilio({ secret: TOKEN, body: encode(given), url: ADDRESS });
        const entries = Object.entries(given);
        const index = position % entries.length;
        const changed = entries.map(([name, value], at) => {
          if (at !== index) return [name, value];
          return isName ? [changeCharacter(name, position), value] : [name, changeCharacter(value, position)];
        });
        const body = new URLSearchParams(changed as [string, string][]).toString();
        const verdict = verify({ body, signature: headers['x-twilio-signature'] ?? '' });
        expect(verdict).toBe('signature_mismatch');
      }),
    );
  });
});

describe('the scheme', () => {
  it.each(['/webhooks/twilio', '(https://mycompany.com/myapp.php)'])(
    'compares an address that is not a URL only as it is: %s',
    (url) => {
      expect(verify({ url, signature: getExpectedTwilioSignature(TOKEN, url, {}) })).toBe('accepted');
      const inside = 'https://mycompany.com/myapp.php';
      expect(verify({ url, signature: getExpectedTwilioSignature(TOKEN, inside, {}) })).toBe(
        'signature_mismatch',
      );
    },
  );

  it('refuses an address with half of a character', () => {
    for (const url of [
      '\ud800',
      'https://a.example/?\ud800',
      'https://a.example/?%ED%A0%80',
      'https://[/?%',
    ]) {
      expect(verify({ url, signature: 'RSOYDt4T1cUTdK1PDd93/VVr8B8=' })).toBe('signature_mismatch');
    }
  });

  it.each([{}, { signingSecret: '' }, { signingSecret: [] }, { signingSecret: 7 }])(
    'has no keys in %j',
    (secret) => {
      expect(() => scheme.readKeys(secret)).toThrow(/signingSecret/);
    },
  );
});

const CONNECTION: Connection = {
  crm: 'twilio',
  project: 'support-uk',
  secretId: 'stack/connections/twilio-flex/secret',
  verify: { scheme: 'twilio' },
};
const OWN_URL = 'https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com/webhooks/twilio';
const ID = 'KpQx-polyai-0001';
const STATE = {
  AccountSid: 'ACe95c0000000000000000000000000001',
  EventType: 'onConversationStateUpdated',
  ConversationSid: 'CHee95cfd541a925a3337fec19a0200009',
  StateFrom: 'active',
  StateTo: 'closed',
};

type Sent = {
  settings?: Record<string, unknown>;
  url?: string;
  query?: string;
  body: string | Buffer;
  headers?: Headers;
  /** The body that is signed, if it is not the body that is sent. */
  signed?: string;
  /** What the proof adds to the address, if it is not what Twilio would add. */
  proof?: string;
};

/** Sends a delivery through the receiver. */
async function receive({
  settings = {},
  url = OWN_URL,
  query = '',
  body,
  headers = {},
  signed,
  proof: added,
}: Sent) {
  const receiver = startReceiver('twilio', settings, { signingSecret: TOKEN }, NOW);
  const proof = prove(
    { scheme: 'twilio' },
    { signingSecret: TOKEN },
    { body: signed ?? body, at: NOW, url: query ? `${url}?${query}` : url },
  );
  const {
    status,
    code,
    headers: answered,
  } = await receiver.send({
    body,
    query: [query, added ?? proof.query].filter(Boolean).join('&'),
    headers: { 'content-type': FORM, ...proof.headers, ...headers },
  });
  return { status, code, type: answered['content-type'], queued: receiver.queued };
}

describe('a valid delivery', () => {
  it('that is a form is accepted, in base64 and as text, with the id in its signed address', async () => {
    const form = encode({ ...STATE, Attributes: '{}', Note: 'a+b & c=d, Zażółć 💬' });
    for (const body of [form, Buffer.from(form)]) {
      const sent = await receive({
        query: `polyai_conversation_id=${ID}`,
        body,
        headers: { 'i-twilio-idempotency-token': 't1' },
      });
      expect(sent.status).toBe(200);
      expect(sent.queued).toMatchObject([
        { conversationId: ID, deliveryId: 't1', crmRef: STATE.ConversationSid },
      ]);
    }
  });

  it('of Event Streams is accepted', async () => {
    const type = 'com.twilio.conversations.conversation-state.updated';
    const body = JSON.stringify([{ specversion: '1.0', type, id: 'NO1', data: STATE }]);
    const headers = { 'content-type': JSON_TYPE };
    const settings = { lookUp: 'sharedId' };
    const { status, queued } = await receive({ settings, body: Buffer.from(body), headers });
    expect(status).toBe(200);
    expect(queued).toMatchObject([{ sharedId: STATE.ConversationSid, deliveryId: 'NO1' }]);
  });

  it('is accepted if its public address was signed with the default port', async () => {
    const settings = { publicUrl: 'https://hooks.acme.example/twilio' };
    const query = `polyai_conversation_id=${ID}`;
    const url = 'https://hooks.acme.example:443/twilio';
    expect((await receive({ settings, url, query, body: encode(STATE) })).status).toBe(200);
  });

  it('is refused if the id in its address or the state in its form is changed', async () => {
    const body = encode(STATE);
    const url = `${OWN_URL}?polyai_conversation_id=${ID}`;
    const { headers } = signTwilio({ secret: TOKEN, body, url });
    const other = await receive({ query: 'polyai_conversation_id=another', body, headers });
    expect(other.code).toBe('signature_mismatch');
    const paused = encode({ ...STATE, StateTo: 'inactive' });
    expect((await receive({ body, signed: paused })).code).toBe('signature_mismatch');
    expect(other.queued).toEqual([]);
  });
});

describe('a signature that fits another split into names and values', () => {
  // Twilio signs names and values without a separator between them or after the address, so a delivery that is split
  // in another way has the same signature.
  const ACCOUNT = STATE.AccountSid;
  const START = `AccountSid${ACCOUNT}AuthormalloryBody`;
  const END = 'ConversationSidCHee95cfd541a925a3337fec19a0200009EventTypeonMessageAddedSourceSDK';
  const closing = { EventType: STATE.EventType, StateTo: 'closed', UniqueName: 'VICTIM' };
  const victim = `EventType${STATE.EventType}StateToclosedUniqueNameVICTIM`;
  const original = (Body: string) =>
    encode({
      AccountSid: ACCOUNT,
      Author: 'mallory',
      Body,
      ConversationSid: STATE.ConversationSid,
      EventType: 'onMessageAdded',
      Source: 'SDK',
    });
  const forged = JSON.stringify([
    {
      specversion: '1.0',
      type: 'com.twilio.conversations.conversation-state.updated',
      data: { ...STATE, UniqueName: 'VICTIM' },
    },
  ]);
  const hash = `bodySHA256=${getExpectedBodyHash(forged)}`;

  const attacks: [string, string, Sent, string?][] = [
    [
      'the account swallowed',
      `hello${victim}Z`,
      { body: encode({ [`${START}hello`]: '', ...closing, [`Z${END}`]: '' }) },
    ],
    [
      'the account kept',
      `hello${victim}Z`,
      { body: encode({ AccountSid: ACCOUNT, AuthormalloryBodyhello: '', ...closing, [`Z${END}`]: '' }) },
    ],
    [
      'no event type at all',
      'helloStateToclosedUniqueNameVICTIMZ',
      {
        settings: { finishedWhen: "body.StateTo == 'closed'", conversationId: 'body.UniqueName' },
        body: encode({
          AccountSid: ACCOUNT,
          AuthormalloryBodyhello: '',
          StateTo: 'closed',
          UniqueName: 'VICTIM',
          [`Z${END}`]: '',
        }),
      },
      'body_unreadable',
    ],
    [
      'the hash of another body',
      `x&${hash}&z=`,
      { query: `polyai_conversation_id=${ID}${START}x&${hash}&z=${END}`, body: forged },
    ],
    [
      'the hash of another body, escaped',
      `x&${hash}&z=`,
      {
        query: `polyai_conversation_id=${ID}${START}x&${hash}&z=${END}`.replace('AccountSid', '%41ccountSid'),
        body: forged,
      },
    ],
    [
      'another id in the address',
      `x&polyai_conversation_id=VICTIMAccountSid${ACCOUNT}${victim}Z`,
      {
        query: `polyai_conversation_id=${ID}${START}x&polyai_conversation_id=VICTIM`,
        body: encode({ AccountSid: ACCOUNT, ...closing, [`Z${END}`]: '' }),
      },
    ],
  ];

  it.each(attacks)('closes nothing: %s', async (_what, text, attack, code = 'signature_malformed') => {
    const query = `polyai_conversation_id=${ID}`;
    const body = original(text);
    const isInAddress = attack.query !== undefined;
    const url = isInAddress ? `${OWN_URL}?${query}` : OWN_URL;
    const { headers } = signTwilio({ secret: TOKEN, body, url });
    const { status, code: refusal, queued } = await receive({ ...attack, headers, proof: '' });
    expect(status).toBe(code === 'body_unreadable' ? 400 : 401);
    // The signature itself is valid.
    expect(refusal).toBe(code);
    expect(queued).toEqual([]);
  });
});

it.each([
  ['no account', { AccountSid: undefined }],
  ['another kind of id', { AccountSid: `SK${STATE.AccountSid.slice(2)}` }],
  ['half an account', { AccountSid: 'ACe95c' }],
  ['no event type', { EventType: undefined }],
  ['an event type that does not exist', { EventType: 'onConversationStateupdated' }],
])('a signed form with %s is unreadable', async (_what, change) => {
  const fields = JSON.parse(JSON.stringify({ ...STATE, UniqueName: ID, ...change }));
  const settings = { finishedWhen: 'always', conversationId: 'body.UniqueName' };
  const { code, queued } = await receive({ settings, body: encode(fields) });
  expect([code, queued]).toEqual(['body_unreadable', []]);
});

/** @see https://www.twilio.com/docs/conversations/conversations-webhooks */
const EVENT_TYPES = [
  ...['Add', 'Added', 'Remove', 'Removed', 'Update', 'Updated'].flatMap((end) => [
    `onConversation${end}`,
    `onMessage${end}`,
    `onParticipant${end}`,
  ]),
  ...['onUserAdded', 'onUserUpdate', 'onUserUpdated', 'onDeliveryUpdated'],
];

it.each(EVENT_TYPES)(
  'a signed form with the event type %s can be read and finishes nothing',
  async (EventType) => {
    const { status, queued } = await receive({ body: encode({ ...STATE, EventType, UniqueName: ID }) });
    expect([status, queued]).toEqual([200, []]);
  },
);

it.each([`x${STATE.AccountSid}`, `${STATE.AccountSid}0`])(
  'a signed form is unreadable when the id of its account is longer: %s',
  (AccountSid) => {
    expect(() => twilio.parse?.(encode({ ...STATE, AccountSid }), delivery({}), {})).toThrow(
      'lacks the AccountSid or the EventType of a Conversations or TaskRouter event',
    );
  },
);

it('an event of a stream is finished only by its type, whatever its data say', () => {
  const event = { specversion: '1.0', id: 'NO1', data: { ...STATE, UniqueName: ID } };
  const type = 'com.twilio.conversations.conversation.updated';
  expect(read([{ ...event, type }]).ignored).toEqual(['not_finished']);
});

it('a close that is looked up has the time at which the state changed', () => {
  const StateUpdated = '2026-07-01T12:00:00.000Z';
  const { closes } = read({ ...STATE, StateUpdated }, { lookUp: 'sharedId' });
  expect(closes).toMatchObject([{ sharedId: STATE.ConversationSid, happenedAt: StateUpdated }]);
});

it('the test event of a stream is named as such', () => {
  const event = { specversion: '1.0', type: 'com.twilio.eventstreams.test-event', id: 'NO1', data: {} };
  expect(read([event]).ignored).toEqual(['test_event']);
});

it.each([
  ['no specversion', { specversion: undefined }],
  ['another specversion', { specversion: '2.0' }],
  ['no account', { data: { ...STATE, AccountSid: undefined } }],
])('an event of a stream with %s is not finished', (_what, change) => {
  const type = 'com.twilio.conversations.conversation-state.updated';
  const event = { specversion: '1.0', type, id: 'NO1', data: { ...STATE, UniqueName: ID } };
  expect(read([event]).closes).toHaveLength(1);
  expect(read([{ ...event, ...change }]).ignored).toEqual(['not_finished']);
});

function read(body: unknown, connection: Partial<Connection> = {}, query: Record<string, string> = {}) {
  const content = { body, headers: {}, query };
  return readReasons(twilio, { ...CONNECTION, ...connection }, content);
}

describe('an event of TaskRouter', () => {
  const ADDRESS_OF_FLEX = 'https://hooks.example.com/webhooks/flex';
  const TASK = {
    AccountSid: STATE.AccountSid,
    EventType: 'task.completed',
    ResourceSid: 'WT00000000000000000000000000000001',
    ResourceType: 'task',
    TaskAssignmentStatus: 'completed',
    TaskAttributes: `{"polyai_conversation_id":"${ID}","channelType":"chat"}`,
    TaskCompletedReason: 'resolved',
    TaskSid: 'WT00000000000000000000000000000001',
    Timestamp: '1769089800',
    WorkspaceSid: 'WS00000000000000000000000000000001',
  };
  const CONVERSATION_SID = 'CHee95cfd541a925a3337fec19a0200009';

  it('has the signature that Twilio’s own library makes, and the known value', () => {
    const signature = 'GEPojpbsV95Pxm8M7Mrff25lfNM=';
    expect(getExpectedTwilioSignature(TOKEN, ADDRESS_OF_FLEX, TASK)).toBe(signature);
    const attempt = { url: ADDRESS_OF_FLEX, signature, body: encode(TASK) };
    expect(verify(attempt)).toBe('accepted');
    for (const change of [
      { EventType: 'task.canceled' },
      { TaskAttributes: '{}' },
      { Timestamp: '1769089801' },
    ]) {
      expect(verify({ ...attempt, body: encode({ ...TASK, ...change }) })).toBe('signature_mismatch');
    }
  });

  it('is answered 204 with the content type that Twilio asks for, closing or not', async () => {
    for (const [EventType, closes] of [
      ['task.completed', 1],
      ['task.created', 0],
      ['reservation.wrapup', 0],
      ['task-queue.expression.updated', 0],
      ['worker.activity.update', 0],
      ['workflow.target-matched', 0],
      ['workspace.created', 0],
    ] as const) {
      const body = encode({ ...TASK, EventType });
      const { status, type, queued } = await receive({ body });
      expect([EventType, status, type, queued.length]).toEqual([EventType, 204, 'application/json', closes]);
    }
    const state = await receive({ body: encode({ ...STATE, UniqueName: ID }) });
    expect(state.status).toBe(200);
  });

  it.each([
    ['task.completed', true],
    ['task.canceled', true],
    ['task.wrapup', false],
    ['task.created', false],
    ['task.updated', false],
    ['task.deleted', false],
    ['task.transfer-completed', false],
    ['reservation.completed', false],
  ])('of the type %s is finished: %s', (EventType, isFinished) => {
    const { closes } = read({ ...TASK, EventType });
    expect(closes).toHaveLength(isFinished ? 1 : 0);
  });

  it.each(['voice', 'Voice', 'VOICE'])('about a call is never finished: %s', (TaskChannelUniqueName) => {
    for (const finishedValues of [undefined, ['task.wrapup', 'task.completed']]) {
      const { ignored } = read(
        { ...TASK, TaskChannelUniqueName },
        finishedValues === undefined ? {} : { finishedValues },
      );
      expect(ignored).toEqual(['not_finished']);
    }
  });

  it('of a chat on any other channel is finished', () => {
    for (const TaskChannelUniqueName of ['chat', 'default', 'sms', 'voicemail', '']) {
      expect(read({ ...TASK, TaskChannelUniqueName }).closes).toHaveLength(1);
    }
  });

  it('is looked up by the conversation of Flex, else by the task, at the time of the event', () => {
    const looksUp = { lookUp: 'sharedId' } as const;
    const happenedAt = '2026-01-22T13:50:00.000Z';
    const TaskAttributes = JSON.stringify({ conversationSid: CONVERSATION_SID });
    expect(read({ ...TASK, TaskAttributes }, looksUp).closes).toMatchObject([
      { sharedId: CONVERSATION_SID, crmRef: TASK.TaskSid, happenedAt },
    ]);
    expect(read({ ...TASK, TaskAttributes: '{' }, looksUp).closes).toMatchObject([
      { sharedId: TASK.TaskSid, happenedAt },
    ]);
  });

  it('proves a change by the wrap-up only, where that counts too', () => {
    const settings = { lookUp: 'sharedId', finishedValues: ['task.wrapup', 'task.completed'] } as const;
    const connection = { ...settings, finishedValues: [...settings.finishedValues] };
    expect(read({ ...TASK, EventType: 'task.wrapup' }, connection).closes).toHaveLength(1);
    expect(read(TASK, connection).ignored).toEqual(['not_finished']);
  });

  describe('whose signature fits another split into names and values', () => {
    const note = (text: string) => encode({ ...TASK, EventType: 'task.created', TaskCanceledReason: text });
    const victim = '{"polyai_conversation_id":"VICTIM"}';

    it.each<[string, string, string]>([
      [
        'another type in a text of a task',
        note('xEventTypetask.completedz'),
        `AccountSid=${STATE.AccountSid}&EventType=task.completed`,
      ],
      [
        'a task in a message of a conversation',
        encode({
          ...STATE,
          EventType: 'onMessageAdded',
          Body: `xEventTypetask.completedTaskAttributes${victim}`,
        }),
        `AccountSid=${STATE.AccountSid}&EventType=task.completed&TaskAttributes=${victim}`,
      ],
      ['a state of a conversation in a text of a task', note('EventTypeonConversationStateUpdated'), ''],
    ])('is refused: %s', async (_what, body) => {
      expect((await receive({ body })).code).toBe('signature_malformed');
    });

    it('is refused where a text of a finished task becomes its attributes', async () => {
      const text = `x TaskAttributes${victim}`;
      const genuine = { ...TASK, TaskCanceledReason: text };
      const { headers } = signTwilio({ secret: TOKEN, body: encode(genuine), url: OWN_URL });
      // The attributes end where the text begins, and the rest of the text is a second value of them.
      const forged = new URLSearchParams(pairsOf({ ...TASK }));
      forged.set('TaskAttributes', `${TASK.TaskAttributes}TaskCanceledReasonx `);
      forged.append('TaskAttributes', victim);
      const attempt = { url: OWN_URL, signature: headers['x-twilio-signature'] ?? '' };
      for (const body of [encode(genuine), forged.toString()]) {
        expect(verify({ ...attempt, body })).toBe('signature_malformed');
      }
    });
  });
});

describe('a state', () => {
  it.each(['closed', 'Closed'])('is finished if it is now %s', (StateTo) => {
    expect(read({ ...STATE, StateTo, UniqueName: ID }).closes).toHaveLength(1);
  });

  it.each(['active', 'inactive', 'initializing', '', 'closed ', undefined, null, ['closed']])(
    'is not finished if it is now %j',
    (StateTo) => {
      expect(read({ ...STATE, StateTo, UniqueName: ID }).ignored).toEqual(['not_finished']);
    },
  );

  it.each([
    'onConversationUpdated',
    'onConversationRemoved',
    'onconversationstateupdated',
    '',
    'constructor',
  ])('is not finished in an event of the type %j', (EventType) => {
    expect(read({ ...STATE, EventType, UniqueName: ID }).ignored).toEqual(['not_finished']);
  });

  it('is not finished in a stream of other events', () => {
    expect(
      read([{ type: 'com.twilio.conversations.message.added', data: STATE }, {}, null, 7]).ignored,
    ).toEqual(Array(4).fill('not_finished'));
    expect(read([])).toEqual({ closes: [], ignored: [] });
  });
});

describe('the id', () => {
  const polyai_conversation_id = ID;

  it.each<[string, Record<string, unknown>, Record<string, string>, unknown]>([
    [
      'attributes first',
      { Attributes: `{"polyai_conversation_id":"${ID}"}`, UniqueName: 'u' },
      { polyai_conversation_id: 'q' },
      ID,
    ],
    ['attributes that are already an object', { Attributes: { polyai_conversation_id } }, {}, ID],
    ['the unique name last', { Attributes: '{}', UniqueName: ID }, { polyai_conversation_id: '' }, ID],
    [
      'the address before the unique name, which anybody may set',
      { Attributes: '{"polyai_conversation_id":"null"}', UniqueName: 'u' },
      { polyai_conversation_id },
      ID,
    ],
    ['attributes that are not JSON', { Attributes: '{' }, { polyai_conversation_id }, ID],
    ['attributes that are a number', { Attributes: '7' }, { polyai_conversation_id }, ID],
    ['no field', {}, {}, undefined],
  ])('is read from %s', (_where, fields, query, id) => {
    expect(read({ ...STATE, ...fields }, {}, query).closes[0]?.conversationId).toBe(id);
  });
});

describe('the configuration', () => {
  it.each([
    ['no setting', {}],
    ['the look-up', { lookUp: 'sharedId' }],
    ['another end', { finishedValues: ['closed', 'inactive'] }],
    ['a public address', { publicUrl: 'https://hooks.acme.example/twilio' }],
  ])('accepts %s', (_what, connection) => {
    expect(faultsOf('twilio', connection)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'a verify setting',
      { verify: { scheme: 'bearer' } },
      'connections.c.verify does not apply to crm "twilio"',
    ],
    ['a sender', { sender: 'AC1' }, 'connections.c.sender does not apply to crm "twilio"'],
    ['a public address with a password', { publicUrl: 'https://a:b@hooks.acme.example/' }, 'has a user name'],
  ])('is a fault with %s', (_what, connection, fault) => {
    const faults = faultsOf('twilio', connection).map(({ path, problem }) => `${path} ${problem}`);
    expect(faults).toEqual([expect.stringContaining(fault)]);
  });
});
