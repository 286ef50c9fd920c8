import { sign, verify as verifyByOctokit } from '@octokit/webhooks-methods';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import kustomer from '../../../functions/crm/kustomer.ts';
import { changeCharacter, type Headers } from '../../../samples/delivery.ts';
import { readFixture } from '../../../samples/fixture.ts';
import { faultsOf } from '../../support/crm.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { hmacVerdict } from '../../support/verdict.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const TOKEN = 'the-token-of-the-webhook';
const BODY = JSON.stringify(readFixture('kustomer', 'finished.json').body);

/** GitHub's signature differs only by a prefix, so its library signs and verifies as Kustomer does. */
async function signed(body: string, token = TOKEN): Promise<Headers> {
  return { 'X-Kustomer-Webhook-Signature': (await sign(token, body)).replace('sha256=', '') };
}

function start(settings: Record<string, unknown> = {}): Receiver {
  return startReceiver('kustomer', settings, { signingSecret: TOKEN }, NOW);
}

describe('a valid delivery', () => {
  it('closes the chat', async () => {
    const { send, queued } = start();
    expect((await send({ headers: await signed(BODY), body: BODY })).status).toBe(200);
    expect(queued).toMatchObject([
      { conversationId: 'KpQx-polyai-0001', crmRef: '67dd47dfbc632c1804db1bf1' },
    ]);
  });

  it('is verified by its exact bytes: Unicode, escapes, tabs and CRLF', async () => {
    const { send, queued } = start();
    const body = BODY.replace('A conversation', '\\u00fc \u{1f600} \\t\\"').replaceAll(',', ',\r\n\t');
    const headers = await signed(body);
    expect((await send({ headers, body: Buffer.from(body) })).status).toBe(200);
    expect(queued).toHaveLength(1);
    expect(await send({ headers, body: JSON.stringify(JSON.parse(body)) })).toMatchObject({ status: 401 });
  });

  it.each<[string, (headers: Headers) => Headers, string]>([
    ['no signature', () => ({}), 'signature_missing'],
    [
      "a header of another sender's",
      ({ 'X-Kustomer-Webhook-Signature': signature = '' }) => ({ 'X-Kustomer-Signature': signature }),
      'signature_missing',
    ],
    [
      "GitHub's prefix",
      ({ 'X-Kustomer-Webhook-Signature': signature = '' }) => ({
        'X-Kustomer-Webhook-Signature': `sha256=${signature}`,
      }),
      'signature_malformed',
    ],
    [
      'the base64 form',
      ({ 'X-Kustomer-Webhook-Signature': signature = '' }) => ({
        'X-Kustomer-Webhook-Signature': Buffer.from(signature, 'hex').toString('base64'),
      }),
      'signature_malformed',
    ],
  ])('is refused with %s', async (_what, change, code) => {
    const { send, queued } = start();
    const headers = change(await signed(BODY));
    expect(await send({ headers, body: BODY })).toMatchObject({ status: 401, code });
    expect(queued).toEqual([]);
  });

  it("is refused with another webhook's token", async () => {
    const headers = await signed(BODY, 'other');
    expect(await start().send({ headers, body: BODY })).toMatchObject({ code: 'signature_mismatch' });
  });
});

describe('the signature', () => {
  const verify = (signature: string, body: string) => {
    const headers = { 'x-kustomer-webhook-signature': signature };
    return hmacVerdict(kustomer.verify, { headers, body, secret: TOKEN, now: NOW }) === 'accepted';
  };

  it('is accepted and refused exactly as by an independent library', async () => {
    const bodies = fc.string({ unit: 'binary', minLength: 1 });
    await fc.assert(
      fc.asyncProperty(bodies, fc.nat(), fc.boolean(), async (body, position, isChanged) => {
        const { 'X-Kustomer-Webhook-Signature': given = '' } = await signed(body);
        const signature = isChanged ? changeCharacter(given, position).toLowerCase() : given;
        const expected = await verifyByOctokit(TOKEN, body, `sha256=${signature}`);
        expect(verify(signature, body)).toBe(expected);
        expect(expected).toBe(signature === given);
      }),
    );
  });
});

describe('an update of a conversation', () => {
  const read = (status: unknown, finishedValues?: string[]) =>
    kustomer.read(
      {
        body: { name: 'kustomer.conversation.update', changes: { attributes: { status } } },
        headers: {},
        query: {},
      },
      {
        crm: 'kustomer',
        project: 'support',
        verify: { scheme: 'bearer' },
        ...(finishedValues && { finishedValues }),
      },
    )[0]?.finished;

  it.each([
    [{ op: 'replace', before: 'open', after: 'done' }, true],
    [{ op: 'add', after: 'done' }, true],
    [{ op: 'replace', before: 'snoozed', after: 'DONE' }, true],
    [{ op: 'replace', before: 'done', after: 'done' }, false],
    [{ op: 'replace', before: 'done', after: 'open' }, false],
    [{ op: 'remove', before: 'open' }, false],
    ['done', false],
    [null, false],
    [undefined, false],
  ])('with the change %j is finished: %j', (status, expected) => {
    expect(read(status)).toBe(expected);
  });

  it('is finished in the statuses that the connection lists', () => {
    expect(read({ before: 'open', after: 'snoozed' }, ['snoozed', 'done'])).toBe(true);
    expect(read({ before: 'snoozed', after: 'done' }, ['snoozed', 'done'])).toBe(false);
  });
});

describe('a connection', () => {
  it.each(['verify', 'sender', 'audience'])('does not accept %s', (key) => {
    const value = key === 'verify' ? { scheme: 'bearer' } : 'x';
    expect(faultsOf('kustomer', { [key]: value })).toMatchObject([
      { path: `connections.c.${key}`, problem: 'does not apply to crm "kustomer"' },
    ]);
  });
});
