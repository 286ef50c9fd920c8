import { createHash } from 'node:crypto';
import { Signature } from '@hubspot/api-client/lib/src/utils/signature.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import hubspot from '../../../functions/crm/hubspot.ts';
import { readContent } from '../../../functions/delivery.ts';
import scheme from '../../../functions/schemes/hubspot.ts';
import {
  changeByte,
  changeCharacter,
  delivery,
  type Headers,
  isPlain,
  prove,
  signHubspot,
  signHubspotOlder,
} from '../../../samples/delivery.ts';
import { faultsOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { startReceiver } from '../../support/receiver.ts';
import { anyBytes, anyChange } from '../../support/verdict.ts';

const SECRET = 'yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy';
const NOW = 1782907200000;
const WINDOW_MS = 300_000;
const ADDRESS = 'https://www.example.com/webhook_uri';
const BODY = '[{"subscriptionType":"ticket.propertyChange","objectId":1246965}]';

type Attempt = {
  secret?: string | string[];
  method?: string;
  url?: string;
  headers: Headers;
  body?: string | Buffer;
  now?: number;
};

function verify({
  secret = SECRET,
  method,
  url = ADDRESS,
  headers,
  body = BODY,
  now = NOW,
}: Attempt): string {
  const keys = scheme.readKeys({ signingSecret: secret });
  const received = { ...delivery({ headers, body, ...(method && { method }) }), url };
  return scheme.verify({ scheme: 'hubspot' }, keys, received, now)?.code ?? 'accepted';
}

const v3 = (change: Partial<Parameters<typeof signHubspot>[0]> = {}) =>
  signHubspot({ secret: SECRET, body: BODY, at: NOW, url: ADDRESS, ...change });
const older = (version: 'v1' | 'v2', change: Partial<Parameters<typeof signHubspot>[0]> = {}) =>
  signHubspotOlder(version, { secret: SECRET, body: BODY, url: ADDRESS, ...change });

const B1 =
  '[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]';
const PYTHON_BODY = "{'example_field':'example_value'}";
const JSON_BODY = '{"example_field":"example_value"}';
const versioned = (version: string, signature: string): Headers => ({
  'x-hubspot-signature': signature,
  'x-hubspot-signature-version': version,
});

/** @see https://developers.hubspot.com/docs/api/webhooks/validating-requests and HubSpot's client libraries */
const VECTORS: [string, Attempt][] = [
  [
    'H1, v1',
    {
      body: B1,
      headers: versioned('v1', '232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de'),
    },
  ],
  [
    'H2, v1',
    {
      body: PYTHON_BODY,
      headers: versioned('v1', '69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750'),
    },
  ],
  [
    'H3, v2 of a GET',
    {
      method: 'GET',
      body: '',
      headers: versioned('v2', 'eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e'),
    },
  ],
  [
    'H4, v2',
    {
      body: JSON_BODY,
      headers: versioned('v2', '9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900'),
    },
  ],
  [
    'H6, v3',
    {
      body: PYTHON_BODY,
      now: 1693657560000,
      headers: {
        'x-hubspot-signature-v3': 'K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=',
        'x-hubspot-request-timestamp': '1693657560000',
      },
    },
  ],
];

describe("HubSpot's signature", () => {
  it.each(VECTORS)('is accepted with published values: %s', (_name, vector) => {
    expect(verify(vector)).toBe('accepted');
    expect(verify({ ...vector, body: `${vector.body} ` })).toBe('signature_mismatch');
    expect(verify({ ...vector, secret: `${SECRET}x` })).toBe('signature_mismatch');
  });

  it('is accepted in each version and with the second of two secrets', () => {
    for (const headers of [v3(), older('v1'), older('v2'), { ...v3(), ...older('v1') }]) {
      expect(verify({ headers })).toBe('accepted');
      expect(verify({ headers, secret: ['the-new-one', SECRET] })).toBe('accepted');
    }
  });

  it.each<[string, Attempt, string]>([
    ['no header at all', { headers: {} }, 'signature_missing'],
    ['an empty v3', { headers: { ...v3(), 'x-hubspot-signature-v3': '' } }, 'signature_missing'],
    ['a time, and no v3', { headers: { 'x-hubspot-request-timestamp': `${NOW}` } }, 'signature_missing'],
    [
      'a v3 without its time',
      { headers: { 'x-hubspot-signature-v3': v3()['x-hubspot-signature-v3'] ?? '' } },
      'timestamp_missing',
    ],
    ['another method', { headers: v3(), method: 'PUT' }, 'signature_mismatch'],
    ['http', { headers: v3(), url: ADDRESS.replace('https', 'http') }, 'signature_mismatch'],
    ['a slash at the end', { headers: v3(), url: `${ADDRESS}/` }, 'signature_mismatch'],
    ['another query', { headers: v3(), url: `${ADDRESS}?a` }, 'signature_mismatch'],
    ['two signatures', { headers: doubled(v3(), 'x-hubspot-signature-v3') }, 'signature_malformed'],
    [
      'a v3 in hex',
      { headers: { ...v3(), 'x-hubspot-signature-v3': 'a'.repeat(64) } },
      'signature_malformed',
    ],
    ['two v1 signatures', { headers: doubled(older('v1'), 'x-hubspot-signature') }, 'signature_malformed'],
    ['a v1 in upper case', { headers: upperCase(older('v1')) }, 'signature_malformed'],
    ['a v2 in base64', { headers: versioned('v2', 'A'.repeat(43)) }, 'signature_malformed'],
    ['no version', { headers: without(older('v1'), 'version') }, 'signature_malformed'],
    [
      'v1 as v2',
      { headers: versioned('v2', older('v1')['x-hubspot-signature'] ?? '') },
      'signature_mismatch',
    ],
    [
      'v2 as v1',
      { headers: versioned('v1', older('v2')['x-hubspot-signature'] ?? '') },
      'signature_mismatch',
    ],
    ['a v2 of another address', { headers: older('v2'), url: `${ADDRESS}?a` }, 'signature_mismatch'],
    ['a v2 of another method', { headers: older('v2'), method: 'PUT' }, 'signature_mismatch'],
  ])('is refused with %s', (_what, attempt, code) => {
    expect(verify(attempt)).toBe(code);
  });

  it.each(['v0', 'v3', 'V1', 'v1,v2', 'constructor', '__proto__', ''])(
    'is refused if its version is %j',
    (version) => {
      expect(verify({ headers: { ...older('v1'), 'x-hubspot-signature-version': version } })).toBe(
        'signature_malformed',
      );
    },
  );

  it.each([
    ['a signature of another secret', v3({ secret: 'another' }), 'signature_mismatch'],
    ['no signature', { 'x-hubspot-signature-v3': '' }, 'signature_missing'],
    ['no time', without(v3(), 'timestamp'), 'timestamp_missing'],
    ['an old time', v3({ at: NOW - WINDOW_MS - 1 }), 'timestamp_stale'],
    ['a signature in another format', { ...v3(), 'x-hubspot-signature-v3': 'v1' }, 'signature_malformed'],
  ])('in v3 with %s is refused beside a valid v1 or v2', (_what, wrong, code) => {
    expect(verify({ headers: { ...older('v1'), ...wrong } })).toBe(code);
    expect(verify({ headers: { ...older('v2'), ...wrong } })).toBe(code);
  });

  it.each([
    [0, 'accepted'],
    [-WINDOW_MS, 'accepted'],
    [-WINDOW_MS - 1, 'timestamp_stale'],
    [WINDOW_MS, 'accepted'],
    [WINDOW_MS + 1, 'timestamp_stale'],
  ])('in v3 with a time %d ms from now: %s', (offset, verdict) => {
    expect(verify({ headers: v3({ at: NOW + offset }) })).toBe(verdict);
  });

  it.each(['abc', 'NaN', 'Infinity', '1e12', '0x19f', `${NOW}.0`, ` ${NOW}`, '-1', `${NOW},${NOW}`])(
    'in v3 is refused if its time is %j, although that time is signed',
    (timestamp) => {
      const options = {
        clientSecret: SECRET,
        requestBody: BODY,
        url: ADDRESS,
        timestamp: timestamp as never,
      };
      const signature = Signature.getSignature('POST', 'v3', { ...options, signature: '' });
      const headers = { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': timestamp };
      expect(verify({ headers })).toBe('timestamp_malformed');
    },
  );

  const ESCAPES = '%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B';
  const UNESCAPED = ":/?@!$'()*,;";
  const KEPT = '%20%26%3D%2B%23%25%5B%5D%22%7E%C3%A9+';

  it('covers the address with the listed escapes decoded and every other escape unchanged', () => {
    for (const sign of [v3, (change: object) => older('v2', change)]) {
      const headers = sign({ url: `${ADDRESS}?a=${UNESCAPED}&b=${KEPT}` });
      expect(verify({ headers, url: `${ADDRESS}?a=${ESCAPES}&b=${KEPT}` })).toBe('accepted');
      expect(verify({ headers, url: `${ADDRESS}?a=${ESCAPES.toLowerCase()}&b=${KEPT}` })).toBe('accepted');
      expect(verify({ headers, url: `${ADDRESS}?a=${UNESCAPED}&b=${KEPT}` })).toBe('accepted');
      expect(verify({ headers, url: `${ADDRESS}?a=${ESCAPES}&b=${KEPT.toLowerCase()}` })).toBe(
        'signature_mismatch',
      );
    }
  });

  it.each(KEPT.match(/%..|\+/g) ?? [])('covers %s in the address unchanged', (kept) => {
    const character = kept.startsWith('%') ? Buffer.from(kept.slice(1), 'hex').toString('latin1') : ' ';
    const headers = v3({ url: `${ADDRESS}?a=${character}` });
    expect(verify({ headers, url: `${ADDRESS}?a=${kept}` })).toBe('signature_mismatch');
    expect(verify({ headers: v3({ url: `${ADDRESS}?a=${kept}` }), url: `${ADDRESS}?a=${kept}` })).toBe(
      'accepted',
    );
  });

  it('does not decode an escape twice', () => {
    expect(verify({ headers: v3({ url: `${ADDRESS}?a=/` }), url: `${ADDRESS}?a=%252F` })).toBe(
      'signature_mismatch',
    );
    expect(verify({ headers: v3({ url: `${ADDRESS}?a=%252F` }), url: `${ADDRESS}?a=%252F` })).toBe(
      'accepted',
    );
  });

  it.each([
    ['Unicode', '{"a":"Zażółć 💬 \\ud83d\\ude00"}'],
    ['tabs and CRLF', '{\r\n\t"a":\t1\r\n}\r\n'],
    ['escapes', '{"a":"\\u003c\\/\\"%2F"}'],
    ['bytes that are not text', Buffer.from([0, 255, 254, 128, 10])],
    ['nothing', ''],
  ])('covers every byte of a body with %s', (_what, body) => {
    for (const headers of [v3({ body }), older('v1', { body }), older('v2', { body })]) {
      expect(verify({ headers, body })).toBe('accepted');
      expect(verify({ headers, body: Buffer.concat([Buffer.from(body), Buffer.from(' ')]) })).toBe(
        'signature_mismatch',
      );
    }
  });
});

/** Deliveries as HubSpot may send them: any body, and an address with any query that needs no decoding. */
const deliveries = fc.record({
  secret: fc
    .string({ minLength: 1, unit: 'grapheme' })
    .filter((secret) => secret === secret.trim() && isPlain(secret)),
  requestBody: fc.oneof(fc.string({ unit: 'grapheme' }), fc.json()),
  url: fc
    .tuple(fc.webUrl({ withQueryParameters: true }), fc.webQueryParameters())
    .map(([url, query]) => `${url}${query}`)
    .filter((url) => !/%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/i.test(url)),
  method: fc.constantFrom('POST', 'GET', 'PUT'),
  version: fc.constantFrom('v1', 'v2', 'v3'),
});

describe("HubSpot's own library", () => {
  const sign = (given: {
    method: string;
    version: string;
    secret: string;
    requestBody: string;
    url: string;
  }) => {
    const { secret: clientSecret, requestBody, url } = given;
    const options = { clientSecret, requestBody, url, timestamp: NOW, signature: '' };
    return Signature.getSignature(given.method, given.version, options);
  };
  const headersOf = (version: string, signature: string): Headers =>
    version === 'v3'
      ? { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': `${NOW}` }
      : versioned(version, signature);

  it('signs deliveries that are accepted, and only those are accepted', () => {
    fc.assert(
      fc.property(
        deliveries,
        deliveries,
        fc.constantFrom('secret', 'requestBody', 'url', 'method', 'none'),
        (one, other, swapped) => {
          const headers = headersOf(one.version, sign(one));
          const arrived = swapped === 'none' ? one : { ...one, [swapped]: other[swapped] };
          const { secret, method, url, requestBody: body } = arrived;
          const isSame = sign({ ...arrived, version: one.version }) === sign(one);
          expect(verify({ secret, method, url, headers, body })).toBe(
            isSame ? 'accepted' : 'signature_mismatch',
          );
          expect(
            verify({ secret: one.secret, method: one.method, url: one.url, headers, body: one.requestBody }),
          ).toBe('accepted');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('signs as these tests do', () => {
    fc.assert(
      fc.property(deliveries, ({ secret, requestBody: body, url, method, version }) => {
        const signing = { secret, body, at: NOW, url, method };
        const headers =
          version === 'v3' ? signHubspot(signing) : signHubspotOlder(version as 'v1' | 'v2', signing);
        expect(headers).toEqual(
          headersOf(version, sign({ secret, requestBody: body, url, method, version })),
        );
      }),
    );
  });

  it('accepts a time in the future and a time that is not a number, which are refused here', () => {
    const isValid = (timestamp: unknown) => {
      const options = {
        clientSecret: SECRET,
        requestBody: BODY,
        url: ADDRESS,
        timestamp: timestamp as number,
      };
      const signature = Signature.getSignature('POST', 'v3', { ...options, signature: '' });
      const headers = { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': `${timestamp}` };
      return [Signature.isValid({ ...options, signature, signatureVersion: 'v3' }), verify({ headers })];
    };
    // The library reads the clock. These times are wrong at any moment.
    expect(isValid(9e14)).toEqual([true, 'timestamp_stale']);
    expect(isValid('abc')).toEqual([true, 'timestamp_malformed']);
  });

  it('throws if the time is old or missing, which is a refusal here', () => {
    const options = { clientSecret: SECRET, requestBody: BODY, url: ADDRESS, signatureVersion: 'v3' };
    for (const timestamp of [undefined, 1]) {
      expect(() =>
        Signature.isValid({ ...options, signature: '', timestamp: timestamp as number }),
      ).toThrow();
    }
    expect(verify({ headers: v3({ at: 1 }) })).toBe('timestamp_stale');
  });

  it('reads a signature without a version as v1, which is refused here', () => {
    const signature = older('v1')['x-hubspot-signature'] ?? '';
    expect(Signature.isValid({ clientSecret: SECRET, requestBody: BODY, signature })).toBe(true);
    expect(verify({ headers: { 'x-hubspot-signature': signature } })).toBe('signature_malformed');
  });

  it('decodes no escape in the address, although HubSpot says that one must', () => {
    const url = `${ADDRESS}?a=%2F`;
    const signature = v3({ url })['x-hubspot-signature-v3'] ?? '';
    const options = { clientSecret: SECRET, requestBody: BODY, url, timestamp: NOW };
    expect(Signature.getSignature('POST', 'v3', { ...options, signature })).not.toBe(signature);
    expect(verify({ headers: v3({ url }), url })).toBe('accepted');
  });
});

describe('a changed delivery', () => {
  it('is refused if any byte is changed', () => {
    fc.assert(
      fc.property(
        fc.base64String({ minLength: 8 }),
        anyBytes,
        fc.nat(),
        anyChange,
        (secret, body, position, amount) => {
          for (const headers of [
            v3({ secret, body }),
            older('v1', { secret, body }),
            older('v2', { secret, body }),
          ]) {
            const attempt = { secret, headers, body };
            expect(verify(attempt)).toBe('accepted');
            expect(verify({ ...attempt, body: changeByte(body, position, amount) })).toBe(
              'signature_mismatch',
            );
            expect(verify({ ...attempt, secret: changeCharacter(secret, position) })).toBe(
              'signature_mismatch',
            );
            for (const [name, value] of Object.entries(headers)) {
              const changed = { ...headers, [name]: changeCharacter(value, position) };
              expect(verify({ ...attempt, headers: changed })).toMatch(/_(mismatch|malformed|stale)$/);
            }
          }
        },
      ),
    );
  });

  it('is refused if a character of a signed address is changed', () => {
    fc.assert(
      fc.property(fc.nat(), (position) => {
        const url = changeCharacter(ADDRESS, position);
        expect(verify({ headers: v3(), url })).toBe('signature_mismatch');
        expect(verify({ headers: older('v2'), url })).toBe('signature_mismatch');
        expect(verify({ headers: older('v1'), url })).toBe('accepted');
      }),
    );
  });

  it('cannot be parsed if its body was extended, which a v1 signature allows', () => {
    // Whoever sees SHA-256 of secret and body can continue it after the padding of its last block.
    const bits = (SECRET.length + BODY.length) * 8;
    const zeros = (119 - ((SECRET.length + BODY.length) % 64)) % 64;
    const padding = Buffer.concat([Buffer.from([0x80]), Buffer.alloc(zeros + 8)]);
    padding.writeBigUInt64BE(BigInt(bits), padding.length - 8);
    expect((SECRET.length + BODY.length + padding.length) % 64).toBe(0);
    const body = Buffer.concat([Buffer.from(BODY), padding, Buffer.from(BODY)]);
    const signature = createHash('sha256').update(SECRET).update(body).digest('hex');
    expect(verify({ headers: versioned('v1', signature), body })).toBe('accepted');
    expect(() => readContent(delivery({ body }), hubspot.parse)).toThrow();
  });

  it('means the same if its content type is changed', () => {
    const body = '{"subject":"&hs_pipeline_stage=4&polyai_conversation_id=another&"}';
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(readContent(delivery({ headers, body }), hubspot.parse).body).toEqual(JSON.parse(body));
  });
});

describe('the scheme', () => {
  it.each([{}, { signingSecret: '' }, { signingSecret: [] }, { signingSecret: 7 }, { signingSecret: ' x' }])(
    'has no keys in %j',
    (secret) => {
      expect(() => scheme.readKeys(secret)).toThrow(/signingSecret/);
    },
  );
});

const CONNECTION: Connection = {
  crm: 'hubspot',
  project: 'support-uk',
  secretId: 'stack/connections/hubspot-tickets/secret',
  verify: { scheme: 'hubspot' },
  finishedValues: ['4'],
  lookUp: 'sharedId',
};

/** Sends a delivery through the receiver, signed for a URL. */
async function receive(url: string, body: string, query = '') {
  const receiver = startReceiver('hubspot', COMPLETE, { signingSecret: SECRET }, NOW);
  const { headers } = prove({ scheme: 'hubspot' }, { signingSecret: SECRET }, { body, at: NOW, url });
  const { status, body: answer } = await receiver.send({ headers, body: Buffer.from(body), query });
  return { status, answer: JSON.parse(answer), queued: receiver.queued };
}

const COMPLETE = { finishedValues: ['4'], lookUp: 'sharedId' };
const OWN_URL = 'https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com/webhooks/hubspot';
const closed = (objectId: number, value = '4') => ({
  subscriptionType: 'ticket.propertyChange',
  eventId: 100 + objectId,
  objectId,
  propertyName: 'hs_pipeline_stage',
  propertyValue: value,
});

describe('a valid delivery', () => {
  it("is accepted at the API's own address, query and all", async () => {
    const body = JSON.stringify([closed(7)]);
    const { status, queued } = await receive(OWN_URL, body);
    expect(status).toBe(200);
    expect(queued).toMatchObject([{ sharedId: '7', crmRef: '7', deliveryId: '107', crm: 'hubspot' }]);
    const withQuery = await receive(`${OWN_URL}?team=a,b`, body, 'team=a%2Cb');
    expect(withQuery.status).toBe(200);
  });

  it('of a hundred events closes the chat of each ticket once', async () => {
    const events = Array.from({ length: 100 }, (_, index) => closed(index % 99));
    const { answer, queued } = await receive(OWN_URL, JSON.stringify(events));
    expect(answer).toMatchObject({ accepted: 99, ignored: [] });
    expect(queued.map(({ sharedId }) => sharedId)).toEqual(
      events.slice(0, 99).map(({ objectId }) => `${objectId}`),
    );
  });

  it('of a hundred events with one finish closes one chat', async () => {
    const events = Array.from({ length: 100 }, (_, index) => closed(index, index === 41 ? '4' : '2'));
    const { answer, queued } = await receive(OWN_URL, JSON.stringify(events));
    expect(answer.ignored).toHaveLength(99);
    expect(queued).toMatchObject([{ sharedId: '41' }]);
  });
});

function read(body: unknown, connection: Partial<Connection> = {}) {
  return readReasons(hubspot, { ...CONNECTION, ...connection }, { body, headers: {}, query: {} }, NOW);
}

describe('an event', () => {
  it.each([
    ['ticket.creation', {}],
    ['ticket.propertyChange', { propertyName: 'hs_pipeline' }],
    ['ticket.propertyChange', { propertyName: 'hs_ticket_priority' }],
    ['object.propertyChange', { objectTypeId: '0-1' }],
    ['object.propertyChange', { objectTypeId: '2-4' }],
    ['object.propertyChange', {}],
    ['deal.propertyChange', {}],
    ['conversation.propertyChange', {}],
    ['conversation.propertyChange', { propertyName: 'status', propertyValue: 'OPEN' }],
    ['conversation.propertyChange', { propertyName: 'assignedTo', propertyValue: 'CLOSED' }],
    ['ticket.propertyChange', { propertyName: 'status', propertyValue: 'CLOSED' }],
    ['', {}],
    [null, {}],
    [{}, {}],
  ])('of the type %j with %j is not finished', (subscriptionType, more) => {
    expect(read([{ ...closed(7), subscriptionType, ...more }]).ignored).toEqual(['not_finished']);
  });

  it('is finished in each of the stages that the connection lists', () => {
    const several: Partial<Connection> = { finishedValues: ['4', '88120934'], repeatedFinish: 'allow' };
    expect(read([closed(7, '88120934')], several).closes).toHaveLength(1);
    expect(read([closed(7, '8812093')], several).closes).toHaveLength(0);
    expect(read([{ ...closed(7), propertyValue: 4 }]).closes).toHaveLength(1);
    expect(read([{ ...closed(7), propertyValue: ['4'] }]).closes).toHaveLength(0);
  });

  it("is what the connection's selectors see, one event of a batch at a time", () => {
    const connection = { sharedId: "join('-', [body.subscriptionType, to_string(body.objectId)])" };
    expect(read([closed(7), closed(8)], connection).closes.map(({ sharedId }) => sharedId)).toEqual([
      'ticket.propertyChange-7',
      'ticket.propertyChange-8',
    ]);
  });
});

describe("a workflow's body", () => {
  it('is finished by its stage, not because it was sent', () => {
    const happenedAt = new Date(NOW).toISOString();
    expect(read({ hs_object_id: '7', hs_pipeline_stage: '4', closed_date: `${NOW}` }).closes).toEqual([
      { crmRef: '7', sharedId: '7', happenedAt },
    ]);
    expect(read({ hs_object_id: '7', hs_pipeline_stage: '4' }).ignored).toEqual(['not_finished']);
    expect(read({ hs_object_id: '7' }).ignored).toEqual(['not_finished']);
    expect(read({}).ignored).toEqual(['not_finished']);
  });

  it('is always finished if the connection says so', () => {
    const { finishedValues: _, ...rest } = CONNECTION;
    const content = { body: { hs_object_id: '7' }, headers: {}, query: {} };
    const always: Connection = { ...rest, finishedWhen: 'always', repeatedFinish: 'allow' };
    expect(readReasons(hubspot, always, content).closes).toHaveLength(1);
  });
});

describe('the configuration', () => {
  it.each([
    ['stages and the look-up', COMPLETE],
    ['stages and a selector', { finishedValues: ['4'], conversationId: 'body.polyai_conversation_id' }],
    ['a condition instead of stages', { finishedWhen: 'always', conversationId: 'body.id' }],
    ['a public address', { ...COMPLETE, publicUrl: 'https://hooks.acme.example/hubspot' }],
  ])('accepts %s', (_what, connection) => {
    expect(faultsOf('hubspot', connection)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no stages', { lookUp: 'sharedId' }, 'connections.c.finishedValues is missing'],
    ['no stage in the list', { ...COMPLETE, finishedValues: [] }, 'connections.c.finishedValues is empty'],
    ['no way to the id', { finishedValues: ['4'] }, 'connections.c needs lookUp or conversationId'],
    [
      'a verify setting',
      { ...COMPLETE, verify: { scheme: 'bearer' } },
      'connections.c.verify does not apply to crm "hubspot"',
    ],
    [
      'a stage and a condition',
      { ...COMPLETE, finishedWhen: 'always', repeatedFinish: 'allow' },
      'connections.c.finishedValues has no effect beside finishedWhen',
    ],
  ])('is a fault with %s', (_what, connection, fault) => {
    const faults = faultsOf('hubspot', connection).map(({ path, problem }) => `${path} ${problem}`);
    expect(faults).toEqual([expect.stringContaining(fault)]);
  });
});

function upperCase(headers: Headers): Headers {
  return { ...headers, 'x-hubspot-signature': (headers['x-hubspot-signature'] ?? '').toUpperCase() };
}

function doubled(headers: Headers, name: string): Headers {
  return { ...headers, [name]: `${headers[name]},${headers[name]}` };
}

/** The headers without those whose names end in this. */
function without(headers: Headers, end: string): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.endsWith(end)));
}
