import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import zohoDesk, { DATA_CENTRES } from '../../../functions/crm/zoho-desk.ts';
import { type Jwks, startJwks } from '../../../local/jwks.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SETTINGS = { sender: '54983163', dataCentre: 'eu', audience: '31138000000006907' };
const CLAIMS = {
  iss: 'orgId:54983163',
  aud: 'webhookId:31138000000006907',
  iat: NOW / 1000,
  exp: NOW / 1000 + 60,
};
const BODY = JSON.stringify(readFixture('zoho-desk', 'finished.json').body);

let jwks: Jwks;
beforeAll(async () => {
  jwks = await startJwks();
});
afterAll(() => jwks.close());

function start(settings: Record<string, unknown> = {}): Receiver {
  return startReceiver('zoho-desk', { ...SETTINGS, jwksUrl: jwks.url, ...settings }, undefined, NOW);
}

async function headersOf(claims: object = {}): Promise<Record<string, string>> {
  return { 'X-ZDesk-JWT': await jwks.sign({ ...CLAIMS, ...claims }) };
}

describe('a valid delivery', () => {
  it('closes the chat and is answered 200', async () => {
    const { send, queued } = start();
    expect((await send({ headers: await headersOf(), body: BODY })).status).toBe(200);
    expect(queued).toMatchObject([
      { conversationId: 'KpQx-polyai-0001', crmRef: '31138000011967402', crm: 'zoho-desk' },
    ]);
  });

  it('may have its expiry in milliseconds, as the vendor describes but does not show', async () => {
    const { send } = start();
    expect((await send({ headers: await headersOf({ exp: NOW + 1 }), body: BODY })).status).toBe(200);
    expect(await send({ headers: await headersOf({ exp: NOW }), body: BODY })).toMatchObject({
      code: 'token_invalid',
    });
  });

  it('is accepted with Unicode, escapes, tabs and CRLF in its body', async () => {
    const { send, queued } = start();
    const body = BODY.replace('"On Hold"', '"\\u00fc \u{1f600} \\t\\"\\\\"').replaceAll(',', ',\r\n\t');
    expect((await send({ headers: await headersOf(), body: Buffer.from(body) })).status).toBe(200);
    expect(queued).toHaveLength(1);
  });

  it('closes nothing if it has no events', async () => {
    const { send, queued } = start();
    expect((await send({ headers: await headersOf(), body: '[]' })).status).toBe(200);
    expect(queued).toEqual([]);
  });

  it('is refused without a token', async () => {
    expect(await start().send({ body: BODY })).toMatchObject({ status: 401, code: 'credential_missing' });
  });

  it.each<[string, object]>([
    ['another organisation', { iss: 'orgId:54983164' }],
    ['another webhook', { aud: 'webhookId:1' }],
    ['a past time', { exp: NOW / 1000 - 1 }],
    ['no expiry', { exp: undefined }],
  ])('is refused with a token of %s', async (_what, claims) => {
    const { send, queued } = start();
    expect(await send({ headers: await headersOf(claims), body: BODY })).toMatchObject({
      status: 401,
      code: 'token_invalid',
    });
    expect(queued).toEqual([]);
  });

  it.each([
    ['another organisation', '54983164'],
    ['no organisation', undefined],
    ['an object as its organisation', { id: '54983163' }],
  ])('is refused as a whole if one of its events has %s', async (_whose, orgId) => {
    const [event] = JSON.parse(BODY);
    const { send, queued } = start();
    const body = JSON.stringify([event, { ...event, orgId }]);
    expect(await send({ headers: await headersOf(), body })).toMatchObject({
      status: 401,
      code: 'sender_mismatch',
    });
    expect(queued).toEqual([]);
  });

  it('may name its organisation as a number', async () => {
    const [event] = JSON.parse(BODY);
    const body = JSON.stringify([{ ...event, orgId: 54983163 }]);
    expect((await start().send({ headers: await headersOf(), body })).status).toBe(200);
  });
});

describe("Desk's check of the address", () => {
  it('is answered 200 without a proof if it is a GET, and refused otherwise', async () => {
    const { send } = start();
    expect(await send({ method: 'GET' })).toMatchObject({ status: 200, body: '' });
    expect(await send({ method: 'PUT' })).toMatchObject({ status: 405 });
    expect(await send({ method: 'POST' })).toMatchObject({ status: 401 });
  });
});

describe("Zoho's keys, if they cannot be loaded", () => {
  it('lead to a 503, so that Zoho sends again, and to a line in the log', async () => {
    const keys = await startJwks();
    const headers = { 'x-zdesk-jwt': await keys.sign(CLAIMS) };
    await keys.close();
    const { send, lines } = start({ jwksUrl: keys.url });
    expect(await send({ headers, body: BODY })).toMatchObject({ status: 503, code: 'secrets_unavailable' });
    expect(lines).toMatchObject([
      { type: 'fault', error: { message: expect.stringContaining(keys.url) } },
      { type: 'delivery', refused: 'secrets_unavailable' },
    ]);
  });
});

describe('a ticket', () => {
  const read = (state: object, before: object | undefined, settings: object = {}) =>
    zohoDesk.read(
      {
        body: [{ eventType: 'Ticket_Update', payload: state, prevState: before }],
        headers: {},
        query: {},
      },
      { crm: 'zoho-desk', project: 'support', verify: { scheme: 'bearer' }, ...settings },
    )[0]?.finished;

  it.each(['Closed', 'CLOSED', 'closed'])('is finished if its status now has the type %s', (statusType) => {
    expect(read({ statusType }, { statusType: 'Open' })).toBe(true);
  });

  it("is finished by the administrator's own word only if the connection lists it", () => {
    expect(read({ statusType: 'Open', status: 'Closed' }, { statusType: 'On Hold' })).toBe(false);
    const own = { finishedValues: ['Solved'] };
    expect(
      read({ statusType: 'On Hold', status: 'Solved' }, { statusType: 'Open', status: 'Open' }, own),
    ).toBe(true);
    expect(
      read({ statusType: 'On Hold', status: 'Solved' }, { statusType: 'On Hold', status: 'Solved' }, own),
    ).toBe(false);
  });

  it.each([undefined, null, '', 'Open', 'On Hold', {}, ['Closed'], 1])(
    'is not finished if the type is %j',
    (statusType) => {
      expect(read({ statusType }, { statusType: 'Open' })).toBe(false);
    },
  );

  it('has one reading for each event, whatever the events are', () => {
    const keys = fc.constantFrom(
      'payload',
      'prevState',
      'eventType',
      'statusType',
      'cf',
      'orgId',
      '__proto__',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.constantFrom('Ticket_Update', 'Closed', '54983163'),
        fc.dictionary(keys, tie('value')),
        fc.array(tie('value')),
      ),
    }));
    fc.assert(
      fc.property(fc.array(value), (body) => {
        const content = { body, headers: {}, query: {} };
        const connection = { crm: 'zoho-desk', project: 'support', verify: { scheme: 'bearer' } as const };
        expect(zohoDesk.read(content, connection)).toHaveLength(body.length);
        expect(typeof zohoDesk.isFrom?.('54983163', content)).toBe('boolean');
      }),
    );
  });
});

describe('a connection', () => {
  it.each(Object.entries(DATA_CENTRES))(
    'loads the keys of the data centre %s, and no others',
    (dataCentre, host) => {
      expect(connectionOf('zoho-desk', { ...SETTINGS, dataCentre }).verify).toEqual({
        scheme: 'jwt',
        header: 'x-zdesk-jwt',
        algorithm: 'RS256',
        jwksUrl: `https://${host}/.well-known/jwks.json`,
        issuer: 'orgId:54983163',
        audience: 'webhookId:31138000000006907',
      });
    },
  );

  it('may have the audience as the token has it', () => {
    const { verify } = connectionOf('zoho-desk', { ...SETTINGS, audience: 'webhookId:7' });
    expect(verify).toMatchObject({ audience: 'webhookId:7' });
  });

  it('has a fault for each setting that is missing', () => {
    expect(faultsOf('zoho-desk').map(({ path, problem }) => `${path} ${problem}`)).toEqual([
      'connections.c.audience is missing',
      'connections.c.dataCentre is missing',
      'connections.c.sender is missing',
    ]);
  });

  it.each<[string, object, string, string]>([
    ['dataCentre', { dataCentre: 'zoho.fr' }, 'is "zoho.fr", which is unknown', 'Choose from "com", "eu"'],
    ['dataCentre', { dataCentre: 'com.ua' }, 'is "com.ua", which is unknown', 'Did you mean "com.au"?'],
    ['sender', { sender: 'orgId:54983163' }, '', 'has only digits'],
    ['audience', { audience: '' }, 'is empty', 'Write the id'],
    ['jwksUrl', { jwksUrl: 'http://keys.example' }, 'neither https nor http on a loopback', 'Write https://'],
    ['verify', { verify: { scheme: 'bearer' } }, 'does not apply to crm "zoho-desk"', 'Remove it'],
    [
      'existingSecret',
      { existingSecret: 'desk' },
      'whose deliveries are verified without a secret',
      'Remove it',
    ],
    ['finishedWhen', { finishedWhen: 'body.x ==' }, 'is not JMESPath', 'Write JMESPath'],
  ])('is refused with a wrong %s: %j', (key, change, problem, fix) => {
    expect(faultsOf('zoho-desk', { ...SETTINGS, ...change })).toEqual([
      {
        path: `connections.c.${key}`,
        problem: expect.stringContaining(problem),
        fix: expect.stringContaining(fix),
      },
    ]);
  });

  it('is refused with existingSecretKey once, because it has no secret', () => {
    const existingSecretKey = 'arn:aws:kms:eu-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    expect(faultsOf('zoho-desk', { ...SETTINGS, existingSecretKey })).toMatchObject([
      { path: 'connections.c.existingSecretKey', fix: 'Remove it' },
    ]);
  });
});
