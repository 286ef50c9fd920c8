import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overBody } from '../../../functions/crm/crm.ts';
import hmac from '../../../functions/schemes/hmac.ts';
import type { HmacSettings } from '../../../functions/schemes/scheme.ts';
import { SecretNotReady } from '../../../functions/secrets.ts';
import {
  changeByte,
  changeCharacter,
  delivery,
  type Headers,
  isPlain,
  signHmac,
} from '../../../samples/delivery.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = 'a-signing-secret';
const BODY = '{"status":"closed"}';
const SETTINGS = overBody({ header: 'x-signature', algorithm: 'sha256', encoding: 'hex' });
const DATED: HmacSettings = { ...SETTINGS, signed: '{timestamp}.{body}', timestampHeader: 'x-timestamp' };

type Attempt = {
  settings?: HmacSettings;
  secrets?: unknown;
  headers: Headers;
  body?: string | Buffer;
  now?: number;
};

/** The code of the refusal, or `accepted`. */
function verify({ settings = SETTINGS, secrets = SECRET, headers, body = BODY, now = NOW }: Attempt): string {
  const keys = hmac.readKeys({ signingSecret: secrets }, settings);
  return hmac.verify(settings, keys, delivery({ headers, body }), now)?.code ?? 'accepted';
}

function signed(settings = SETTINGS, at = NOW): Headers {
  return signHmac({ settings, secret: SECRET, body: BODY, at });
}

describe('published vectors', () => {
  // https://developer.atlassian.com/cloud/jira/platform/webhooks/
  const jira: Attempt = {
    settings: { ...SETTINGS, header: 'x-hub-signature', prefix: 'sha256=' },
    secrets: "It's a Secret to Everybody",
    headers: {
      'x-hub-signature': 'sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9',
    },
    body: 'Hello World!',
  };
  // https://github.com/LasLabs/python-helpscout (its tests)
  const helpScout: Attempt = {
    settings: { ...SETTINGS, header: 'x-helpscout-signature', algorithm: 'sha1', encoding: 'base64' },
    secrets: 'your secret key',
    headers: { 'x-helpscout-signature': '2iFmnzC8SCNVF/iNiMnSe19yceU=' },
    body: '{"firstName":"Jackie","lastName":"Chan","email":"jackie.chan@somewhere.com","gender":"male"}',
  };

  it.each([
    ['Jira', jira],
    ['Help Scout', helpScout],
  ])('accepts the signature of %s, and refuses it with another body or another secret', (_vendor, vector) => {
    expect(verify(vector)).toBe('accepted');
    expect(verify({ ...vector, body: `${vector.body} ` })).toBe('signature_mismatch');
    expect(verify({ ...vector, secrets: `${vector.secrets}!` })).toBe('signature_mismatch');
  });
});

describe('any settings', () => {
  const settings = fc
    .record({
      algorithm: fc.constantFrom<HmacSettings['algorithm']>('sha1', 'sha256', 'sha512'),
      encoding: fc.constantFrom<HmacSettings['encoding']>('hex', 'base64'),
      prefix: fc.constantFrom('', 'sha256=', 'v0='),
      timestampUnit: fc.constantFrom<HmacSettings['timestampUnit']>('s', 'ms', 'iso'),
      separator: fc.constantFrom('', '.', ':', ':v0:'),
      list: fc.constantFrom<Partial<HmacSettings>>({}, { signatureParameter: 'v1' }),
      order: fc.shuffledSubarray(['{body}', '{timestamp}', '{id}'], { minLength: 1 }),
    })
    .map(({ separator, order, list, ...rest }): HmacSettings => {
      const parts = order.includes('{body}') ? order : [...order, '{body}'];
      return {
        ...SETTINGS,
        ...rest,
        signed: parts.join(separator),
        ...list,
        ...(parts.includes('{timestamp}') &&
          (list.signatureParameter ? { timestampParameter: 't' } : { timestampHeader: 'x-timestamp' })),
        ...(parts.includes('{id}') && { idHeader: 'x-id' }),
      };
    });
  const valid = fc.record({
    settings,
    secret: fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((text) => text === text.trim() && isPlain(text)),
    body: fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    id: fc.stringMatching(/^[\x21-\x7e]{1,40}$/),
    position: fc.nat({ max: 10_000 }),
    by: fc.integer({ min: 1, max: 255 }),
  });

  it('accepts every correctly signed delivery, whatever its bytes are', () => {
    fc.assert(
      fc.property(valid, ({ settings, secret, body, id }) => {
        const headers = signHmac({ settings, secret, body, at: NOW, id });
        expect(verify({ settings, secrets: secret, headers, body })).toBe('accepted');
      }),
    );
  });

  it('refuses any one-byte change of body, signature, timestamp, id or secret', () => {
    fc.assert(
      fc.property(valid, ({ settings, secret, body, id, position, by }) => {
        const headers = signHmac({ settings, secret, body, at: NOW, id });
        const attempt = { settings, secrets: secret, headers, body };
        expect(verify({ ...attempt, body: changeByte(body, position, by) })).toBe('signature_mismatch');
        expect(verify({ ...attempt, secrets: changeCharacter(secret, position) })).toBe('signature_mismatch');
        for (const [name, value] of Object.entries(headers)) {
          const changed = { ...headers, [name]: changeCharacter(value, position) };
          expect(verify({ ...attempt, headers: changed })).toMatch(/_(missing|mismatch|malformed|stale)$/);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('never throws, whatever headers, body and secret hold', () => {
    const names = fc.constantFrom('x-signature', 'x-timestamp', 'x-id', '__proto__', 'constructor');
    const headers = fc.dictionary(fc.oneof(names, fc.string()), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(
        settings,
        fc.anything(),
        headers,
        fc.uint8Array(),
        fc.double(),
        (settings, secrets, headers, bytes, now) => {
          try {
            expect(verify({ settings, secrets, headers, body: Buffer.from(bytes), now })).not.toBe(
              'accepted',
            );
          } catch (error) {
            expect(error).toBeInstanceOf(SecretNotReady);
          }
        },
      ),
    );
  });
});

describe('the secret', () => {
  it('may have several values during a rotation, in any order', () => {
    expect(verify({ secrets: ['the-older-one', SECRET], headers: signed() })).toBe('accepted');
    expect(verify({ secrets: [SECRET, 'the-newer-one'], headers: signed() })).toBe('accepted');
    expect(verify({ secrets: ['the-older-one', 'the-newer-one'], headers: signed() })).toBe(
      'signature_mismatch',
    );
  });

  it.each([[''], [[]], [['']], [undefined], [null], [42], [{ value: SECRET }], [[SECRET, 42]], [[[SECRET]]]])(
    'is not ready as %j',
    (secrets) => {
      expect(() => hmac.readKeys({ signingSecret: secrets })).toThrow(SecretNotReady);
    },
  );

  it.each([` ${SECRET}`, `${SECRET}\n`, `\t${SECRET}`, ' '])(
    'is not ready with white space round it: %j',
    (secret) => {
      expect(() => hmac.readKeys({ signingSecret: [SECRET, secret] })).toThrow(/white space/);
    },
  );

  it('never verifies with an empty key', () => {
    const headers = signHmac({ settings: SETTINGS, secret: '', body: BODY, at: NOW });
    expect(verify({ secrets: ['', SECRET], headers })).toBe('signature_mismatch');
  });

  it('is not part of the error about it', () => {
    expect(() => hmac.readKeys({ signingSecret: ` ${SECRET}` })).not.toThrow(SECRET);
  });
});

describe('the signature', () => {
  const digest = signed()['x-signature'] ?? '';

  it.each([
    ['in upper case', digest.toUpperCase(), 'accepted'],
    ['in mixed case', digest.slice(0, 32) + digest.slice(32).toUpperCase(), 'signature_malformed'],
    ['absent', undefined, 'signature_missing'],
    ['empty', '', 'signature_missing'],
    ['too short', digest.slice(1), 'signature_malformed'],
    ['too long', `${digest}0`, 'signature_malformed'],
    ['with a character that is not hexadecimal', `g${digest.slice(1)}`, 'signature_malformed'],
    ['sent twice', `${digest},${digest}`, 'signature_malformed'],
    ['followed by white space', `${digest} `, 'signature_malformed'],
    ['with a prefix that the settings do not have', `sha256=${digest}`, 'signature_malformed'],
    ['well-formed but of another body', '0'.repeat(64), 'signature_mismatch'],
  ])('in hexadecimal, %s, has the expected result', (_how, signature, expected) => {
    expect(verify({ headers: delivery({ headers: { 'x-signature': signature } }).headers })).toBe(expected);
  });

  it('must have exactly its prefix', () => {
    const settings = { ...SETTINGS, prefix: 'sha256=' };
    expect(verify({ settings, headers: { 'x-signature': digest } })).toBe('signature_malformed');
    expect(verify({ settings, headers: { 'x-signature': `SHA256=${digest}` } })).toBe('signature_malformed');
    expect(verify({ settings, headers: { 'x-signature': 'sha256=' } })).toBe('signature_malformed');
  });

  it.each<[string, (signature: string) => string]>([
    ['without its padding', (signature) => signature.replace('=', '')],
    ['sent twice', (signature) => `${signature},${signature}`],
    ['with a line end inside', (signature) => `${signature.slice(0, 20)}\n${signature.slice(20)}`],
    ['too short', (signature) => signature.slice(4)],
    ['without any base64 character', () => '💥'],
    ['in the URL alphabet', (signature) => signature.replaceAll('+', '-').replaceAll('/', '_')],
    ['with other unused bits after its last byte', (signature) => nextInAlphabet(signature)],
  ])('in base64, %s, is refused', (_how, change) => {
    const settings: HmacSettings = { ...SETTINGS, encoding: 'base64' };
    // The signature of this body has both characters in which the two alphabets differ.
    const body = bodyWhoseSignatureHas(/(?=.*\+)(?=.*\/)/, settings);
    const headers = signHmac({ settings, secret: SECRET, body, at: NOW });
    expect(verify({ settings, headers, body })).toBe('accepted');
    const changed = { 'x-signature': change(headers['x-signature'] ?? '') };
    expect(verify({ settings, headers: changed, body })).toMatch(/^signature_m/);
  });

  it('in base64 is malformed if it has another length than the digest', () => {
    const settings: HmacSettings = { ...SETTINGS, encoding: 'base64' };
    for (const signature of [
      'AAAA',
      '💥',
      Buffer.alloc(31).toString('base64'),
      Buffer.alloc(33).toString('base64'),
    ]) {
      expect(verify({ settings, headers: { 'x-signature': signature } })).toBe('signature_malformed');
    }
    expect(verify({ settings, headers: { 'x-signature': Buffer.alloc(32).toString('base64') } })).toBe(
      'signature_mismatch',
    );
  });

  it('is refused if it was made with another algorithm than the one in the settings', () => {
    const sha1: HmacSettings = { ...SETTINGS, algorithm: 'sha1' };
    expect(verify({ headers: signed(sha1) })).toBe('signature_malformed');
    expect(verify({ settings: sha1, headers: signed() })).toBe('signature_malformed');
  });
});

describe('the timestamp and the id', () => {
  it('are required if they are configured, even if the signature covers an empty text in their place', () => {
    const { 'x-timestamp': _, ...undated } = signHmac({
      settings: DATED,
      secret: SECRET,
      body: BODY,
      at: NOW,
    });
    expect(verify({ settings: DATED, headers: undated })).toBe('timestamp_missing');

    const named: HmacSettings = { ...SETTINGS, signed: '{id}{body}', idHeader: 'x-id' };
    const { 'x-id': __, ...nameless } = signHmac({
      settings: named,
      secret: SECRET,
      body: BODY,
      at: NOW,
      id: '',
    });
    expect(verify({ settings: named, headers: nameless })).toBe('signature_missing');
  });

  it('are checked against the tolerance of the connection', () => {
    const settings = { ...DATED, toleranceSeconds: 60 };
    const headers = signed(settings);
    expect(verify({ settings, headers, now: NOW + 60_000 })).toBe('accepted');
    expect(verify({ settings, headers, now: NOW + 60_001 })).toBe('timestamp_stale');
  });

  it.each(['abc', 'NaN', 'Infinity', '-1', '1e3', '0x10', ' '])(
    'refuses a correctly signed timestamp of %j',
    (timestamp) => {
      const settings: HmacSettings = { ...SETTINGS, signed: `${timestamp}.{body}` };
      const headers = { ...signed(settings), 'x-timestamp': timestamp };
      expect(verify({ settings, headers })).toBe('accepted');
      expect(verify({ settings: DATED, headers })).toBe('timestamp_malformed');
    },
  );

  it('match no signature if the template has a placeholder that no header provides', () => {
    for (const placeholder of ['{timestamp}', '{id}']) {
      const settings: HmacSettings = { ...SETTINGS, signed: `${placeholder}{body}` };
      expect(verify({ settings, headers: signed() })).toBe('signature_mismatch');
      expect(verify({ settings, headers: signed(settings) })).toBe('signature_mismatch');
    }
  });

  it('are not read as placeholders when they contain one', () => {
    const settings: HmacSettings = { ...SETTINGS, signed: '{id}.{body}', idHeader: 'x-id' };
    const headers = signHmac({ settings, secret: SECRET, body: BODY, at: NOW, id: '{body}' });
    expect(verify({ settings, headers })).toBe('accepted');
  });
});

describe('a key that must be decoded', () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => 200 - index));
  const hex: HmacSettings = { ...SETTINGS, keyEncoding: 'hex' };
  const base64: HmacSettings = { ...SETTINGS, keyEncoding: 'base64' };
  const digest = createHmac('sha256', bytes).update(BODY).digest('hex');

  it.each([
    ['hex', hex, bytes.toString('hex')],
    ['hex in upper case', hex, bytes.toString('hex').toUpperCase()],
    ['base64', base64, bytes.toString('base64')],
    ['base64 without padding', base64, bytes.toString('base64').replace('=', '')],
  ])('is accepted as %s, and not as text', (_how, settings, secrets) => {
    const headers = { 'x-signature': digest };
    expect(verify({ settings, secrets, headers })).toBe('accepted');
    expect(verify({ secrets, headers })).toBe('signature_mismatch');
    expect(verify({ settings, secrets: [secrets, secrets], headers, body: `${BODY} ` })).toBe(
      'signature_mismatch',
    );
  });

  it.each([
    ['hex of half a byte', hex, 'abc'],
    ['hex with another letter', hex, 'zz'],
    ['hex with a prefix', hex, '0xab'],
    ['base64 in the URL alphabet', base64, '-_-_'],
    ['base64 with spare bits', base64, 'AB=='],
    ['base64 of nothing', base64, '='],
  ])('is not ready as %s, and the error does not repeat it', (_how, settings, secrets) => {
    const read = () => hmac.readKeys({ signingSecret: secrets }, settings);
    expect(read).toThrow(SecretNotReady);
    expect(read).toThrow(`is not ${settings.keyEncoding}`);
    expect(read).not.toThrow(`"${secrets}"`);
  });
});

describe('a header that lists a time and signatures', () => {
  const settings: HmacSettings = {
    ...SETTINGS,
    signed: '{timestamp}.{body}',
    signatureParameter: 'v1',
    timestampParameter: 't',
  };
  const [time, digest] = (signed(settings)['x-signature'] ?? '').split(/,?\w+=/).filter(Boolean);
  const other = '0'.repeat(64);
  const late = `${NOW / 1000 - 301}`;

  it.each([
    ['as the sender writes it', `t=${time},v1=${digest}`, 'accepted'],
    ['in another order, with blanks', `v1=${digest} , t=${time}`, 'accepted'],
    ['separated by a semicolon', `t=${time};v1=${digest}`, 'accepted'],
    ['with the signature of a second key', `t=${time},v1=${other},v1=${digest}`, 'accepted'],
    ['with a signature of another version', `t=${time},v0=${other},v1=${digest}`, 'accepted'],
    ['with the signature under another name', `t=${time},v0=${digest}`, 'signature_missing'],
    ['with the signature alone', `t=${time},${digest}`, 'signature_missing'],
    ['with another signature', `t=${time},v1=${other}`, 'signature_mismatch'],
    ['with another time', `t=${Number(time) + 1},v1=${digest}`, 'signature_mismatch'],
    ['with an old time', `t=${late},v1=${digest}`, 'timestamp_stale'],
    ['without a time', `v1=${digest}`, 'timestamp_missing'],
    ['with two times', `t=${time},t=${time},v1=${digest}`, 'timestamp_missing'],
    ['sent twice', `t=${time},v1=${digest},t=${time},v1=${digest}`, 'timestamp_missing'],
    ['with eleven signatures', `t=${time}${`,v1=${digest}`.repeat(11)}`, 'signature_malformed'],
    ['with ten signatures', `t=${time}${`,v1=${digest}`.repeat(10)}`, 'accepted'],
  ])('%s, has the expected result', (_how, header, expected) => {
    expect(verify({ settings, headers: { 'x-signature': header } })).toBe(expected);
  });

  it('keeps the padding of a signature in base64', () => {
    const base64: HmacSettings = { ...settings, encoding: 'base64', prefix: 'sha256=' };
    expect(signed(base64)['x-signature']).toMatch(/,v1=sha256=.*=$/);
    expect(verify({ settings: base64, headers: signed(base64) })).toBe('accepted');
  });
});

describe('a time in the body', () => {
  const settings: HmacSettings = {
    ...SETTINGS,
    timestampSelector: 'body.sent.at',
    timestampHeader: 'x-timestamp',
    timestampUnit: 'ms',
  };
  const sent = (at: unknown, header?: string) => {
    const body = JSON.stringify({ sent: { at } });
    const signature = signHmac({ settings: SETTINGS, secret: SECRET, body, at: NOW });
    return {
      settings,
      body,
      headers: { ...signature, ...(header !== undefined && { 'x-timestamp': header }) },
    };
  };

  it.each([
    ['of now', NOW, 'accepted'],
    ['of now, as text', `${NOW}`, 'accepted'],
    ['of five minutes ago', NOW - 300_000, 'accepted'],
    ['of five minutes ahead', NOW + 300_000, 'accepted'],
    ['that is older', NOW - 300_001, 'timestamp_stale'],
    ['that is further ahead', NOW + 300_001, 'timestamp_stale'],
    ['in another unit', NOW / 1000, 'timestamp_stale'],
    ['that is no number', 'now', 'timestamp_malformed'],
    ['that is a fraction', NOW + 0.5, 'timestamp_malformed'],
    ['that is below zero', -NOW, 'timestamp_malformed'],
    ['that is too large', 1e300, 'timestamp_malformed'],
    ['that is null', null, 'timestamp_missing'],
    ['that is a list', [NOW], 'timestamp_missing'],
    ['that is true', true, 'timestamp_missing'],
    ['that is absent', undefined, 'timestamp_missing'],
  ])('%s has the expected result, without a header', (_what, at, expected) => {
    expect(verify(sent(at))).toBe(expected);
  });

  it('must be the time of the header, if the header is sent', () => {
    expect(verify(sent(NOW, `${NOW}`))).toBe('accepted');
    expect(verify(sent(NOW, `0${NOW}`))).toBe('accepted');
    for (const header of [`${NOW + 1}`, '', 'now', `${NOW},${NOW}`]) {
      expect(verify(sent(NOW, header))).toBe('timestamp_malformed');
    }
    const old = NOW - 300_001;
    expect(verify(sent(old, `${NOW}`))).toBe('timestamp_stale');
  });

  it('is read only from a body whose signature was verified', () => {
    const forged = sent(NOW - 300_001);
    expect(verify({ ...forged, body: JSON.stringify({ sent: { at: NOW } }) })).toBe('signature_mismatch');
    expect(verify({ ...sent('now'), body: '{' })).toBe('signature_mismatch');
  });

  it.each(['{', '', Buffer.from([0x22, 0xff, 0x22]), '['.repeat(300) + ']'.repeat(300)])(
    'makes a signed body that cannot be read unreadable, or its time missing',
    (body) => {
      const headers = signHmac({ settings: SETTINGS, secret: SECRET, body, at: NOW });
      const expected = body === '' ? 'timestamp_missing' : 'body_unreadable';
      expect(verify({ settings, headers, body })).toBe(expected);
    },
  );

  it('does not replace a signed time in a header', () => {
    const both: HmacSettings = { ...settings, signed: '{timestamp}.{body}' };
    const body = JSON.stringify({ sent: { at: NOW } });
    const headers = signHmac({ settings: both, secret: SECRET, body, at: NOW });
    expect(verify({ settings: both, headers, body })).toBe('accepted');
    const { 'x-timestamp': _, ...rest } = headers;
    expect(verify({ settings: both, headers: rest, body })).toBe('timestamp_missing');
  });

  it('never makes it throw, and never accepts a body without a time, whatever it is', () => {
    fc.assert(
      fc.property(fc.json(), (body) => {
        const headers = signHmac({ settings: SETTINGS, secret: SECRET, body, at: NOW });
        const selectors = ['body.sent.at', 'body', '@', '*', 'keys(body)'];
        for (const each of selectors) {
          expect(verify({ settings: { ...settings, timestampSelector: each }, headers, body })).not.toBe(
            'accepted',
          );
        }
      }),
    );
  });
});

/** The same bytes in base64, spelled with another last character. */
function nextInAlphabet(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const last = signature.length - 2;
  const changed = `${signature.slice(0, last)}${alphabet[alphabet.indexOf(signature[last] ?? '') + 1]}=`;
  expect(Buffer.from(changed, 'base64')).toEqual(Buffer.from(signature, 'base64'));
  return changed;
}

function bodyWhoseSignatureHas(pattern: RegExp, settings: HmacSettings): string {
  for (let n = 0; ; n += 1) {
    const body = `{"n":${n}}`;
    if (pattern.test(signHmac({ settings, secret: SECRET, body, at: NOW })['x-signature'] ?? '')) return body;
  }
}
