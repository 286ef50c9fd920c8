import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import helpScout from '../../../functions/crm/help-scout.ts';
import type { VerifySettings } from '../../../functions/schemes/scheme.ts';
import { initialSecret } from '../../../infra/initial-secret.ts';
import { changeByte, changeCharacter, type Headers } from '../../../samples/delivery.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { faultsOf } from '../../support/crm.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { anyBytes, anyChange, hmacVerdict } from '../../support/verdict.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = 'forty-characters-at-most';
const BODY = JSON.stringify(readFixture('help-scout', 'finished.json').body);

function signed(body: string | Buffer, secret = SECRET, event = 'convo.status'): Headers {
  return {
    'X-HelpScout-Signature': createHmac('sha1', secret).update(body).digest('base64'),
    'X-HelpScout-Event': event,
  };
}

function start(settings: Record<string, unknown> = {}): Receiver {
  return startReceiver('help-scout', settings, { signingSecret: SECRET }, NOW);
}

function verify(secret: string, signature: string, body: string | Buffer): string {
  const headers = { 'x-helpscout-signature': signature };
  return hmacVerdict(helpScout.verify, { headers, body, secret, now: NOW });
}

describe('the signature', () => {
  it('is accepted with the values of a published library', () => {
    // https://github.com/LasLabs/python-helpscout, in the tests of its webhooks
    const body =
      '{"firstName":"Jackie","lastName":"Chan","email":"jackie.chan@somewhere.com","gender":"male"}';
    expect(verify('your secret key', '2iFmnzC8SCNVF/iNiMnSe19yceU=', body)).toBe('accepted');
    expect(verify('your secret key', '2iFmnzC8SCNVF/iNiMnSe19yceU=', `${body} `)).toBe('signature_mismatch');
  });

  it('is refused if any byte of the body or any character of the signature or secret is changed', () => {
    fc.assert(
      fc.property(anyBytes, fc.nat(), anyChange, (body, position, by) => {
        const signature = createHmac('sha1', SECRET).update(body).digest('base64');
        expect(verify(SECRET, signature, body)).toBe('accepted');
        expect(verify(SECRET, signature, changeByte(body, position, by))).toBe('signature_mismatch');
        expect(verify(changeCharacter(SECRET, position), signature, body)).toBe('signature_mismatch');
        expect(verify(SECRET, changeCharacter(signature, position), body)).toMatch(
          /^signature_(mismatch|malformed)$/,
        );
      }),
    );
  });
});

describe('a valid delivery', () => {
  it('closes the chat', async () => {
    const { send, queued } = start();
    expect((await send({ headers: signed(BODY), body: BODY })).status).toBe(200);
    expect(queued).toMatchObject([{ conversationId: 'KpQx-polyai-0001', crmRef: '291938' }]);
  });

  it('is verified by its exact bytes: Unicode, escapes, tabs and CRLF', async () => {
    const { send, queued } = start();
    const body = Buffer.from(BODY.replace('tag1', '\\u00fc \u{1f600} \\t\\"').replaceAll(',', ',\r\n\t'));
    expect((await send({ headers: signed(body), body })).status).toBe(200);
    expect(queued).toHaveLength(1);
    const retyped = JSON.stringify(JSON.parse(body.toString()));
    expect(await send({ headers: signed(body), body: retyped })).toMatchObject({ status: 401 });
  });

  it.each<[string, Headers, string]>([
    ['no signature', { 'X-HelpScout-Event': 'convo.status' }, 'signature_missing'],
    ["another webhook's secret", signed(BODY, 'other'), 'signature_mismatch'],
    [
      'a longer hash',
      {
        ...signed(BODY),
        'X-HelpScout-Signature': createHmac('sha256', SECRET).update(BODY).digest('base64'),
      },
      'signature_malformed',
    ],
  ])('is refused with %s', async (_what, headers, code) => {
    const { send, queued } = start();
    expect(await send({ headers, body: BODY })).toMatchObject({ status: 401, code });
    expect(queued).toEqual([]);
  });

  it.each(['convo.created', 'convo.moved', 'helpscout.test', 'Convo.Status', ''])(
    'closes nothing if its event is %j',
    async (event) => {
      const { send, queued } = start();
      expect((await send({ headers: signed(BODY, SECRET, event), body: BODY })).status).toBe(200);
      expect(queued).toEqual([]);
    },
  );
});

describe('a custom field', () => {
  const idOf = (customFields: unknown) =>
    helpScout.read(
      { body: { customFields }, headers: {}, query: {} },
      { crm: 'help-scout', project: 'support', verify: { scheme: 'bearer' } },
    )[0]?.conversationId;

  it.each(['PolyAI conversation id', 'polyai_conversation_id', 'PolyAI Conversation ID'])(
    'holds the id under the name %s',
    (name) => {
      expect(
        idOf([
          { name: 'Team', value: 'x' },
          { name, value: 'y' },
        ]),
      ).toBe('y');
    },
  );

  it.each([[null], ['text'], [{ name: 'PolyAI conversation id', value: 'x' }], [[]], [[null, 7, 'x']]])(
    'is not found in %j',
    (fields) => {
      expect(idOf(fields)).toBeUndefined();
    },
  );
});

describe('a connection', () => {
  it('has a secret to fill in, because a generated one is too long for Help Scout', () => {
    expect(initialSecret('help-scout', helpScout.verify as VerifySettings)).toEqual({
      waiting: '{"signingSecret":""}',
    });
  });

  it('cannot be verified by another scheme', () => {
    expect(faultsOf('help-scout', { verify: { scheme: 'bearer' } })).toMatchObject([
      { path: 'connections.c.verify', problem: 'does not apply to crm "help-scout"' },
    ]);
  });
});
