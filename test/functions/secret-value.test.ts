import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readListKey } from '../../functions/cleanup/conversations.ts';
import { readProjectKeys } from '../../functions/polyai.ts';
import { verifyDelivery } from '../../functions/schemes/scheme.ts';
import { readStoredValues } from '../../functions/secret-value.ts';
import { SecretNotReady } from '../../functions/secrets.ts';
import { delivery, makeRsaSecret, prove } from '../../samples/delivery.ts';
import { bindWebhook } from '../support/bind.ts';
import { connectionOf } from '../support/crm.ts';
import { startReceiver } from '../support/receiver.ts';
import { WITH_SECRET } from '../support/settings.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const KEY = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX';
const RSA = makeRsaSecret();
const read = (value: unknown) => readStoredValues('signingSecret', value);

/** The ways in which people store one value, and in which the console stores a list. */
const PASTED: [string, (value: string) => unknown][] = [
  ['as it is', (value) => value],
  ['with a byte order mark', (value) => `\ufeff${value}`],
  ['in quotation marks', (value) => JSON.stringify(value)],
  ['as a list', (value) => [value, 'the-old-one']],
  ['as a list in text', (value) => JSON.stringify([value, 'the-old-one'])],
  ['as a list in text, with blanks and a byte order mark', (value) => `\ufeff [ "old" , "${value}" ] `],
  ['as a list of quoted values', (value) => [JSON.stringify(value)]],
];

describe('the values of a secret', () => {
  it.each(PASTED)('are read when they are stored %s', (_how, paste) => {
    expect(read(paste('new-key'))).toContain('new-key');
  });

  it.each([undefined, '', [], [''], '""', '[]', '\ufeff'])('are an empty list for %j', (value) => {
    expect(read(value)).toEqual([]);
  });

  it.each(["'k'", '“k”', '`k`', '[new, old]', '{"signingSecret":"k"}', '"a"b"', '"a" b"'])(
    'are refused in %s, and the error names the tab of the console to use',
    (value) => {
      expect(() => read(value)).toThrow(SecretNotReady);
      expect(() => read(value)).toThrow('Plaintext');
    },
  );

  it.each([' k', 'k\n', ['k '], '[" k"]', '" k"'])('must not have white space around them: %j', (value) => {
    expect(() => read(value)).toThrow('white space');
  });

  it.each([7, true, {}, [7], '[7]', [['k']]])('must be strings: %j', (value) => {
    expect(() => read(value)).toThrow('not a string or a list of strings');
  });

  it('are unchanged if nothing wraps them, and are never quoted in an error', () => {
    const plain = fc.stringMatching(/^[A-Za-z0-9$#%&()*+,./:;<=>?@^_|~!-]{1,60}$/);
    fc.assert(
      fc.property(plain, (value) => {
        expect(read(value)).toEqual([value]);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (value) => {
        try {
          read(`{CANARY${value}}`);
        } catch (error) {
          expect((error as Error).message).not.toContain('CANARY');
        }
      }),
    );
  });
});

describe.each([...WITH_SECRET, connectionOf('zendesk').verify])('a secret of $scheme', (verify) => {
  it.each(PASTED)('proves a delivery when it is stored %s', async (how, paste) => {
    // Both must be keys there.
    const mustBeKeys = verify.scheme === 'standard-webhooks' || verify.scheme === 'rsa';
    const key = verify.scheme === 'rsa' ? RSA.publicKey : KEY;
    const stored = paste(key);
    const old = (text: string) => text.replace(/the-old-one|old/, () => key);
    const value = !mustBeKeys
      ? stored
      : typeof stored === 'string'
        ? old(stored)
        : (stored as string[]).map((each) => old(each));
    const secret = { signingSecret: value, token: value, username: 'u', password: value, publicKey: value };
    const proof = { ...RSA, signingSecret: KEY, token: KEY, username: 'u', password: KEY };
    const url = 'https://hooks.example.com/webhooks/zendesk-support';
    const { headers, query } = prove(verify, proof, { body: '{}', at: NOW, url });
    const connection = bindWebhook({ crm: 'custom', project: 'support', verify });
    const verdict = await verifyDelivery(connection, secret, delivery({ headers, query, body: '{}' }), NOW);
    expect({ how, verdict }).toEqual({ how, verdict: undefined });
  });
});

describe('a key of Standard Webhooks', () => {
  const unpadded = 'whsec_AAECAwQFBgcICQoLDA0ODw';
  const settings = {
    verify: { scheme: 'standard-webhooks' },
    conversationId: 'body.id',
    finishedWhen: 'always',
  };
  const send = (stored: string, key: string) => {
    const { send } = startReceiver('custom', settings, { signingSecret: stored }, NOW);
    const body = '{"id":"CONV-1"}';
    const { headers } = prove({ scheme: 'standard-webhooks' }, { signingSecret: key }, { body, at: NOW });
    return send({ headers, body });
  };

  it.each([
    ['with the version of its signatures in front', `v1,${KEY}`, KEY],
    ['without padding', unpadded, `${unpadded}==`],
    ['with padding', `${unpadded}==`, `${unpadded}==`],
    ['with the version and without padding', `v1,${unpadded}`, `${unpadded}==`],
    ['without its prefix', KEY.slice('whsec_'.length), KEY],
  ])('is accepted %s', async (_how, stored, key) => {
    expect(await send(stored, key)).toMatchObject({ status: 200, closes: ['CONV-1'] });
  });

  it.each([
    'whsec_abcDEF123xyz_',
    'whsec_',
    'whsec_AAEC=',
    'whsec_A',
    'v2,whsec_AAEC',
    'whsec_AAECAwQFBgcICQoLDA0OD=',
  ])('is not ready as %s, instead of a mismatch', async (stored) => {
    expect(await send(stored, KEY)).toMatchObject({ status: 503, code: 'secret_not_ready' });
  });

  it.each([
    (key: string) => `v1,whsec_${key}`,
    (key: string) => `"whsec_${key}"`,
    (key: string) => `["${KEY}","${key}"]`,
    (key: string) => `\ufeff${key}`,
  ])('is refused if it is printed in documentation, however it is stored: %#', async (write) => {
    for (const key of ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'plJ3nmyCDGBKInavdOK15jsl']) {
      const { send } = startReceiver(
        'standard-webhooks',
        { finishedValues: ['done'] },
        { signingSecret: write(key) },
        NOW,
      );
      const body = '{"type":"done","data":{"polyai_conversation_id":"CONV-1"}}';
      const signing = { signingSecret: `whsec_${key}` };
      const { headers } = prove({ scheme: 'standard-webhooks' }, signing, { body, at: NOW });
      expect(await send({ headers, body })).toMatchObject({ code: 'secret_not_ready', closes: [] });
    }
  });
});

describe("a project's keys", () => {
  it.each([
    ['a byte order mark', '\ufeffkey'],
    ['quotation marks', '"key"'],
    ['a list of one in text', '["key"]'],
  ])('are read without %s', (_what, value) => {
    const text = JSON.stringify({
      apiKey: value,
      token: value,
      handoffApiKey: value,
      conversationsApiKey: value,
    });
    expect(readProjectKeys(text)).toEqual({ apiKey: 'key', token: 'key', handoffApiKey: 'key' });
    expect(readListKey(text)).toBe('key');
  });

  it('can follow a byte order mark at the start of the secret', () => {
    expect(readProjectKeys('\ufeff{"apiKey":"a","token":"t"}')).toEqual({ apiKey: 'a', token: 't' });
  });

  it.each(['["new","old"]', ['key'], '', '""', "'key'", 'a b'])('are not ready as %j', (value) => {
    expect(() => readProjectKeys(JSON.stringify({ apiKey: value, token: 't' }))).toThrow(SecretNotReady);
  });
});
