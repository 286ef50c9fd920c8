import { generateKeyPairSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import standardWebhooks from '../../../functions/schemes/standard-webhooks.ts';
import { SecretNotReady } from '../../../functions/secrets.ts';
import {
  changeByte,
  changeCharacter,
  delivery,
  type Headers,
  signStandardWebhooks,
  signStandardWebhooksAsymmetric,
  whpk,
} from '../../../samples/delivery.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const BODY = '{"type":"conversation.closed"}';

type Attempt = {
  secrets?: unknown;
  headers: Record<string, string | undefined>;
  body?: string | Buffer;
  now?: number;
};

/** The code of the refusal, or `accepted`. */
function verify({ secrets = SECRET, headers, body = BODY, now = NOW }: Attempt): string {
  const keys = standardWebhooks.readKeys({ signingSecret: secrets });
  const settings = { scheme: 'standard-webhooks' } as const;
  return standardWebhooks.verify(settings, keys, delivery({ headers, body }), now)?.code ?? 'accepted';
}

const signed = (secret = SECRET) => signStandardWebhooks({ secret, body: BODY, at: NOW });
const secrets = fc
  .uint8Array({ minLength: 24, maxLength: 64 })
  .map((key) => `whsec_${Buffer.from(key).toString('base64')}`);
const ids = fc.stringMatching(/^[\x21-\x7e]{1,60}$/);

describe("the specification's vector", () => {
  // https://github.com/standard-webhooks/standard-webhooks, libraries/javascript/src/webhook.test.ts
  const vector = {
    headers: {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    body: '{"test": 2432232314}',
    now: 1614265330_000,
  };

  it('is accepted', () => {
    expect(verify(vector)).toBe('accepted');
  });

  it('is refused with other bytes, with another id and at another time', () => {
    expect(verify({ ...vector, body: '{"test":2432232314}' })).toBe('signature_mismatch');
    const renamed = { ...vector.headers, 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJel' };
    expect(verify({ ...vector, headers: renamed })).toBe('signature_mismatch');
    expect(verify({ ...vector, now: NOW })).toBe('timestamp_stale');
  });
});

describe.each([
  ['standardwebhooks', 'webhook' as const, (secret: string) => new Webhook(secret)],
  ['svix', 'svix' as const, (secret: string) => new SvixWebhook(secret)],
])('beside the library %s', (_library, names, create) => {
  beforeEach(() => {
    vi.spyOn(Date, 'now').mockReturnValue(NOW);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const messages = fc.record({
    secret: secrets,
    id: ids,
    body: fc.json(),
    offset: fc.integer({ min: -300, max: 300 }),
  });

  it('accepts what the library signs', () => {
    fc.assert(
      fc.property(messages, ({ secret, id, body, offset }) => {
        const at = NOW + offset * 1000;
        const headers = {
          [`${names}-id`]: id,
          [`${names}-timestamp`]: String(at / 1000),
          [`${names}-signature`]: create(secret).sign(id, new Date(at), body),
        };
        expect(verify({ secrets: secret, headers, body })).toBe('accepted');
      }),
    );
  });

  it('uses a builder whose signatures the library accepts', () => {
    fc.assert(
      fc.property(messages, ({ secret, id, body, offset }) => {
        const headers = signStandardWebhooks({ secret, body, at: NOW + offset * 1000, id, names });
        expect(() => create(secret).verify(body, headers)).not.toThrow();
      }),
    );
  });

  it('refuses what the library refuses', () => {
    const change = fc.oneof(
      fc.nat().map((position) => (text: string) => changeCharacter(text, position)),
      fc.nat().map((position) => (text: string) => text.slice(0, position % text.length)),
      fc.string().map((more) => (text: string) => text + more),
      fc.string().map((other) => () => other),
      fc.constant((text: string) => `${text} ${text}`),
      fc.constant((text: string) => `${text},${text}`),
      fc.constant((text: string) => text.toUpperCase()),
    );
    const parts = ['id', 'timestamp', 'signature', 'body', 'secret', 'time'] as const;
    let refused = 0;
    fc.assert(
      fc.property(messages, fc.constantFrom(...parts), change, (message, part, changeText) => {
        const late = part === 'time' ? 400 : 0;
        const at = NOW + (message.offset + late) * 1000;
        const headers = signStandardWebhooks({ ...message, at, names });
        const header = headers[`${names}-${part}`];
        if (header !== undefined) headers[`${names}-${part}`] = changeText(header);
        const body = part === 'body' ? changeText(message.body) : message.body;
        const secret = part === 'secret' ? `whsec_${changeText(message.secret.slice(6))}` : message.secret;
        try {
          create(secret).verify(body, headers);
        } catch {
          refused += 1;
          expect(verifyIfReady({ secrets: secret, headers, body })).not.toBe('accepted');
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(200);
  });
});

describe('any delivery', () => {
  const valid = fc.record({
    secret: secrets,
    id: ids,
    body: fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    names: fc.constantFrom<'webhook' | 'svix'>('webhook', 'svix'),
    position: fc.nat(),
    by: fc.integer({ min: 1, max: 255 }),
  });

  it('is accepted when it is signed correctly, whatever its bytes are', () => {
    fc.assert(
      fc.property(valid, ({ secret, ...message }) => {
        const headers = signStandardWebhooks({ secret, at: NOW, ...message });
        expect(verify({ secrets: secret, headers, body: message.body })).toBe('accepted');
      }),
    );
  });

  it('is refused after any one-byte change of body, id, timestamp, signature or secret', () => {
    fc.assert(
      fc.property(valid, ({ secret, body, position, by, ...message }) => {
        const headers = signStandardWebhooks({ secret, body, at: NOW, ...message });
        const attempt = { secrets: secret, headers, body };
        expect(verify({ ...attempt, body: changeByte(body, position, by) })).toBe('signature_mismatch');
        for (const [name, value] of Object.entries(headers)) {
          const changed = { ...headers, [name]: changeCharacter(value, position) };
          expect(verify({ ...attempt, headers: changed })).toMatch(/_(mismatch|malformed|stale)$/);
        }
        const key = changeByte(Buffer.from(secret.slice(6), 'base64'), position, by);
        expect(verify({ ...attempt, secrets: `whsec_${key.toString('base64')}` })).toBe('signature_mismatch');
      }),
    );
  });

  it('never makes it throw, whatever headers, body and secret hold', () => {
    const names = ['id', 'timestamp', 'signature'].flatMap((name) => [`webhook-${name}`, `svix-${name}`]);
    const values = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        String(NOW / 1000),
        'v1,',
        'v1a,',
        'v1,AAAA',
        'v1a,AAAA',
        `v1a,${Buffer.alloc(64).toString('base64')}`,
      ),
    );
    const headers = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), values);
    const stored = fc.oneof(
      fc.anything(),
      fc.string().map((text) => `whsec_${text}`),
      fc
        .uint8Array({ minLength: 31, maxLength: 33 })
        .map((key) => `whpk_${Buffer.from(key).toString('base64')}`),
      secrets,
    );
    fc.assert(
      fc.property(stored, headers, fc.uint8Array(), (secrets, headers, bytes) => {
        expect(verifyIfReady({ secrets, headers, body: Buffer.from(bytes) })).not.toBe('accepted');
      }),
      { numRuns: 300 },
    );
  });
});

describe('v1a', () => {
  const sender = generateKeyPairSync('ed25519');
  const stranger = generateKeyPairSync('ed25519');
  const headers = signStandardWebhooksAsymmetric({ privateKey: sender.privateKey, body: BODY, at: NOW });
  const attempt = { secrets: whpk(sender.publicKey), headers };

  it('is accepted when the stored public key belongs to it', () => {
    expect(verify(attempt)).toBe('accepted');
    expect(verify({ ...attempt, secrets: [SECRET, whpk(stranger.publicKey), whpk(sender.publicKey)] })).toBe(
      'accepted',
    );
  });

  it('is refused when another key signed it, and after any one-byte change', () => {
    expect(verify({ ...attempt, secrets: whpk(stranger.publicKey) })).toBe('signature_mismatch');
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (position, by) => {
        const body = changeByte(Buffer.from(BODY), position, by);
        expect(verify({ ...attempt, body })).toBe('signature_mismatch');
        for (const [name, value] of Object.entries(headers)) {
          const changed = { ...headers, [name]: changeCharacter(value, position) };
          expect(verify({ ...attempt, headers: changed })).toMatch(/_(mismatch|malformed|stale)$/);
        }
      }),
    );
  });

  it('cannot be forged as v1 with the public key as the secret', () => {
    const publicBytes = whpk(sender.publicKey).slice('whpk_'.length);
    const forged = signStandardWebhooks({ secret: `whsec_${publicBytes}`, body: BODY, at: NOW });
    expect(verify({ secrets: whpk(sender.publicKey), headers: forged })).toBe('signature_mismatch');
  });

  it('is refused where only a symmetric secret is stored', () => {
    expect(verify({ secrets: SECRET, headers })).toBe('signature_mismatch');
  });

  it('is refused when it has another length', () => {
    const short = headers['webhook-signature']?.replace(/^v1a,.{4}/, 'v1a,');
    expect(verify({ ...attempt, headers: { ...headers, 'webhook-signature': short } })).toBe(
      'signature_mismatch',
    );
  });

  it.each<[string, (value: string) => string]>([
    ['one character', () => 'A'],
    ['three characters and padding, with unused bits set', () => 'AAB='],
    ['the right signature with unused bits set', (value) => value.replace(/.==$/, nextInAlphabet)],
    ['the right signature without padding', (value) => value.replace('==', '')],
  ])('is refused when it is not spelled as base64 spells it: %s', (_what, change) => {
    const [version, value = ''] = headers['webhook-signature']?.split(',') ?? [];
    expect(change(value)).not.toBe(value);
    const changed = { ...headers, 'webhook-signature': `${version},${change(value)}` };
    expect(verify({ ...attempt, headers: changed })).toBe('signature_mismatch');
  });
});

describe('several at once', () => {
  const signature = (secret: string): string => signed(secret)['webhook-signature'] ?? '';
  const OTHER = `whsec_${randomBytes(32).toString('base64')}`;
  const list = (...values: string[]): Headers => ({ ...signed(), 'webhook-signature': values.join(' ') });

  it('accepts one matching signature among several', () => {
    expect(verify({ headers: list(signature(OTHER), signature(SECRET)) })).toBe('accepted');
    expect(verify({ headers: list(signature(SECRET), signature(OTHER)) })).toBe('accepted');
    expect(verify({ headers: list('v2,what-comes-next', signature(SECRET)) })).toBe('accepted');
    expect(verify({ headers: list(signature(OTHER), signature(OTHER)) })).toBe('signature_mismatch');
  });

  it('refuses more than ten signatures', () => {
    const others = (count: number) => Array<string>(count).fill(signature(OTHER));
    expect(verify({ headers: list(...others(9), signature(SECRET)) })).toBe('accepted');
    expect(verify({ headers: list(signature(SECRET), ...others(10)) })).toBe('signature_malformed');
  });

  it('accepts any of several stored secrets', () => {
    expect(verify({ secrets: [OTHER, SECRET], headers: signed() })).toBe('accepted');
    expect(verify({ secrets: [OTHER, SECRET], headers: signed(OTHER) })).toBe('accepted');
    expect(verify({ secrets: [OTHER], headers: signed() })).toBe('signature_mismatch');
  });

  it.each([
    ['sent as two headers', `${signature(SECRET)},${signature(SECRET)}`, 'signature_malformed'],
    ['without a version', signature(SECRET).slice(3), 'signature_malformed'],
    ['of an unknown version only', signature(SECRET).replace('v1', 'v2'), 'signature_malformed'],
    ['of v1 under the version v1a', signature(SECRET).replace('v1', 'v1a'), 'signature_mismatch'],
    ['without padding', signature(SECRET).replace('=', ''), 'signature_mismatch'],
    ['empty after its version', 'v1,', 'signature_malformed'],
    ['empty', '', 'signature_missing'],
    ['absent', undefined, 'signature_missing'],
  ])('refuses a signature %s', (_how, value, expected) => {
    expect(verify({ headers: { ...signed(), 'webhook-signature': value } })).toBe(expected);
  });
});

describe('the headers', () => {
  it.each([
    ['webhook-id', undefined, 'signature_missing'],
    ['webhook-id', '', 'signature_missing'],
    ['webhook-timestamp', undefined, 'timestamp_missing'],
    ['webhook-timestamp', 'abc', 'timestamp_malformed'],
    ['webhook-timestamp', 'NaN', 'timestamp_malformed'],
    ['webhook-timestamp', String(NOW), 'timestamp_stale'],
  ])('are refused with %s being %j', (name, value, expected) => {
    expect(verify({ headers: { ...signed(), [name]: value } })).toBe(expected);
  });

  it('are valid for five minutes, before and after their time', () => {
    expect(verify({ headers: signed(), now: NOW + 300_000 })).toBe('accepted');
    expect(verify({ headers: signed(), now: NOW - 300_000 })).toBe('accepted');
    expect(verify({ headers: signed(), now: NOW + 300_001 })).toBe('timestamp_stale');
    expect(verify({ headers: signed(), now: NOW - 300_001 })).toBe('timestamp_stale');
  });

  it("are never a mix of the standard's and Svix's", () => {
    const svix = signStandardWebhooks({ secret: SECRET, body: BODY, at: NOW, names: 'svix' });
    const { 'svix-id': id, ...rest } = svix;
    expect(verify({ headers: { ...rest, 'webhook-id': id } })).toBe('signature_missing');
    expect(verify({ headers: { ...svix, 'webhook-signature': 'v1,AAAA' } })).toBe('signature_missing');
  });
});

describe('the stored secret', () => {
  it('may have no prefix', () => {
    expect(verify({ secrets: SECRET.slice('whsec_'.length), headers: signed() })).toBe('accepted');
  });

  it('may have no padding, as in the libraries of the standard', () => {
    for (const bytes of [24, 25, 26]) {
      const secret = `whsec_${randomBytes(bytes).toString('base64')}`;
      expect(verify({ secrets: secret.replace(/=+$/, ''), headers: signed(secret) })).toBe('accepted');
    }
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const headers = signStandardWebhooksAsymmetric({ privateKey, body: BODY, at: NOW });
    expect(verify({ secrets: whpk(publicKey).replace('=', ''), headers })).toBe('accepted');
  });

  it.each([
    [
      'whsec_not base64',
      '"signingSecret" is not whsec_ followed by a key in base64 (standard alphabet): copy the whole key again',
    ],
    ['whpk_AAAA', '"signingSecret" is not whpk_ followed by the 32 bytes of an Ed25519 public key in base64'],
  ])('is reported with the format that it must have: %s', (stored, message) => {
    expect(() => standardWebhooks.readKeys({ signingSecret: stored })).toThrow(message);
  });

  it.each([
    [''],
    [[]],
    [['']],
    [undefined],
    [null],
    [42],
    [{}],
    ['whsec_'],
    [[SECRET, 'whsec_']],
    ['whsec_not base64'],
    ['whsec_AAAAA'],
    ['whsec_AAB'],
    ['whsec_AAA=='],
    [`${SECRET}\n`],
    [`whsec_ ${SECRET.slice(6)}`],
    [`AAAA${SECRET}`],
    ['whpk_'],
    ['whpk_AAAA'],
    ['whpk_not base64'],
    [`whpk_${Buffer.alloc(33).toString('base64')}`],
    ['whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
  ])('is reported as not ready: %j', (stored) => {
    expect(() => standardWebhooks.readKeys({ signingSecret: stored })).toThrow(SecretNotReady);
  });
});

function verifyIfReady(attempt: Attempt): string {
  try {
    return verify(attempt);
  } catch (error) {
    expect(error).toBeInstanceOf(SecretNotReady);
    return 'not ready';
  }
}

/** Two equals signs after the next character of the alphabet: base64 of the same bytes, with an unused bit set. */
function nextInAlphabet(end: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return `${alphabet[alphabet.indexOf(end[0] ?? '') + 1]}==`;
}
