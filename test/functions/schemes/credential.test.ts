import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import basic from '../../../functions/schemes/basic.ts';
import bearer from '../../../functions/schemes/bearer.ts';
import header from '../../../functions/schemes/header.ts';
import query from '../../../functions/schemes/query.ts';
import { SecretNotReady } from '../../../functions/secrets.ts';
import { basicAuthorization, changeCharacter, delivery, isPlain } from '../../../samples/delivery.ts';

const TOKEN = 'mF_9.B5f-4.1JqM';
const token = fc.stringMatching(/^[\x21-\x7e]{1,80}$/).filter(isPlain);

/** The schemes that compare one token, with the way in which a sender gives it. */
const SCHEMES = {
  bearer: {
    verify: (secret: Record<string, unknown>, value: string) =>
      bearer.verify(
        { scheme: 'bearer' },
        bearer.readKeys(secret),
        delivery({ headers: { authorization: `Bearer ${value}` } }),
        0,
      ),
    readKeys: bearer.readKeys,
  },
  header: {
    verify: (secret: Record<string, unknown>, value: string) =>
      header.verify(
        { scheme: 'header', header: 'x-token' },
        header.readKeys(secret),
        delivery({ headers: { 'x-token': value } }),
        0,
      ),
    readKeys: header.readKeys,
  },
  query: {
    verify: (secret: Record<string, unknown>, value: string) =>
      query.verify(
        { scheme: 'query', parameter: 'code' },
        query.readKeys(secret),
        delivery({ query: `a=b&code=${encodeURIComponent(value)}` }),
        0,
      ),
    readKeys: query.readKeys,
  },
};

describe.each(Object.entries(SCHEMES))('the scheme %s', (_name, { verify, readKeys }) => {
  it('accepts the stored token, whatever it is', () => {
    fc.assert(
      fc.property(token, (value) => {
        expect(verify({ token: value }, value)).toBeUndefined();
      }),
    );
  });

  it('refuses any one-byte change of the token, on either side', () => {
    fc.assert(
      fc.property(token, fc.nat(), (value, position) => {
        const changed = changeCharacter(value, position);
        expect(verify({ token: value }, changed)?.code).toBe('credential_mismatch');
        expect(verify({ token: changed }, value)?.code).toBe('credential_mismatch');
      }),
    );
  });

  it('refuses a token that is longer or shorter', () => {
    expect(verify({ token: TOKEN }, `${TOKEN}x`)?.code).toBe('credential_mismatch');
    expect(verify({ token: TOKEN }, TOKEN.slice(1))?.code).toBe('credential_mismatch');
  });

  it('accepts either of two tokens during a rotation', () => {
    expect(verify({ token: ['the-newer-one', TOKEN] }, TOKEN)).toBeUndefined();
    expect(verify({ token: ['the-newer-one', TOKEN] }, 'the-newer-one')).toBeUndefined();
    expect(verify({ token: ['the-newer-one', TOKEN] }, 'another')?.code).toBe('credential_mismatch');
  });

  it('refuses an empty token as missing', () => {
    expect(verify({ token: ['', TOKEN] }, '')?.code).toBe('credential_missing');
  });

  it.each([[''], [[]], [['', '']], [undefined], [null], [7], [{ a: TOKEN }], [` ${TOKEN}`], [`${TOKEN}\n`]])(
    'is not ready with a stored token of %j',
    (stored) => {
      expect(() => readKeys({ token: stored })).toThrow(SecretNotReady);
      expect(() => readKeys({ token: stored })).not.toThrow(TOKEN);
    },
  );

  it('never throws anything but SecretNotReady, whatever is stored and sent', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string({ unit: 'binary' }), (stored, sent) => {
        try {
          verify({ token: stored }, sent);
        } catch (error) {
          expect(error).toBeInstanceOf(SecretNotReady);
        }
      }),
    );
  });
});

describe('bearer', () => {
  const verify = (authorization: string | undefined, stored: unknown = TOKEN) =>
    bearer.verify(
      { scheme: 'bearer' },
      bearer.readKeys({ token: stored }),
      delivery({ headers: { authorization } }),
      0,
    )?.code ?? 'accepted';

  it("accepts RFC 6750's example, with the scheme's name in upper or lower case", () => {
    expect(verify('Bearer mF_9.B5f-4.1JqM')).toBe('accepted');
    expect(verify('bearer mF_9.B5f-4.1JqM')).toBe('accepted');
    expect(verify('BEARER mF_9.B5f-4.1JqM')).toBe('accepted');
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['without a token', 'Bearer'],
    ['with an empty token', 'Bearer '],
    ['of another scheme', `Basic ${TOKEN}`],
    ['without a scheme', TOKEN],
    ['sent twice', `Bearer ${TOKEN},Bearer ${TOKEN}`],
    ['followed by something', `Bearer ${TOKEN} x`],
    ['with two blanks', `Bearer  ${TOKEN}`],
  ])('refuses an Authorization that is %s', (_how, authorization) => {
    expect(verify(authorization)).toBe('credential_missing');
  });
});

describe('header', () => {
  it('refuses a header that is absent or sent twice', () => {
    const settings = { scheme: 'header', header: 'x-token' } as const;
    expect(header.verify(settings, [TOKEN], delivery(), 0)?.code).toBe('credential_missing');
    const twice = delivery({ headers: { 'x-token': `${TOKEN},${TOKEN}` } });
    expect(header.verify(settings, [TOKEN], twice, 0)?.code).toBe('credential_mismatch');
  });
});

describe('query', () => {
  const verify = (rawQuery: string) =>
    query.verify({ scheme: 'query', parameter: 'code' }, [TOKEN], delivery({ query: rawQuery }), 0)?.code ??
    'accepted';

  it.each([
    ['absent', '', 'credential_missing'],
    ['of another name', `Code=${TOKEN}`, 'credential_missing'],
    ['without a value', 'code', 'credential_missing'],
    ['given twice, once with the stored token', `code=x&code=${TOKEN}`, 'credential_mismatch'],
    ['given twice, both times with the stored token', `code=${TOKEN}&code=${TOKEN}`, 'credential_mismatch'],
    ['badly escaped', `code=${TOKEN}%zz`, 'credential_mismatch'],
    ['behind other parameters', `__proto__=x&a=1&code=${TOKEN}#`.replace('#', ''), 'accepted'],
  ])('answers for a parameter %s', (_how, rawQuery, expected) => {
    expect(verify(rawQuery)).toBe(expected);
  });
});

describe('basic', () => {
  const SECRET = { username: 'webhook', password: 'open sesame' };
  const verify = (secret: Record<string, unknown>, authorization?: string) =>
    basic.verify({ scheme: 'basic' }, basic.readKeys(secret), delivery({ headers: { authorization } }), 0)
      ?.code ?? 'accepted';

  it("accepts RFC 7617's examples", () => {
    expect(
      verify({ username: 'Aladdin', password: 'open sesame' }, 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='),
    ).toBe('accepted');
    expect(verify({ username: 'test', password: '123£' }, 'Basic dGVzdDoxMjPCow==')).toBe('accepted');
  });

  it('accepts the stored credentials and refuses any one-byte change of them', () => {
    const text = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 40 })
      .filter((value) => value === value.trim() && isPlain(value));
    fc.assert(
      fc.property(text, text, fc.nat(), (username, password, position) => {
        const { authorization = '' } = basicAuthorization(username, password);
        const secret = { username, password };
        expect(verify(secret, authorization)).toBe('accepted');
        const encoded = authorization.slice('Basic '.length);
        expect(verify(secret, `Basic ${changeCharacter(encoded, position)}`)).toBe('credential_mismatch');
        expect(verify({ username, password: changeCharacter(password, position) }, authorization)).toBe(
          'credential_mismatch',
        );
        expect(verify({ username: changeCharacter(username, position), password }, authorization)).toBe(
          'credential_mismatch',
        );
      }),
    );
  });

  it('accepts either of two passwords during a rotation', () => {
    const secret = { username: 'webhook', password: ['older', 'newer'] };
    expect(verify(secret, basicAuthorization('webhook', 'older').authorization)).toBe('accepted');
    expect(verify(secret, basicAuthorization('webhook', 'newer').authorization)).toBe('accepted');
    expect(verify(secret, basicAuthorization('webhook', 'other').authorization)).toBe('credential_mismatch');
  });

  it.each([
    ['absent', undefined, 'credential_missing'],
    ['of another scheme', 'Bearer d2ViaG9vazpvcGVuIHNlc2FtZQ==', 'credential_missing'],
    ['without credentials', 'Basic', 'credential_missing'],
    ['with only the password', 'Basic b3BlbiBzZXNhbWU=', 'credential_mismatch'],
    ['without padding', 'Basic d2ViaG9vazpvcGVuIHNlc2FtZQ', 'credential_mismatch'],
    ['not encoded', 'Basic webhook:open', 'credential_mismatch'],
  ])('refuses an Authorization that is %s', (_how, authorization, expected) => {
    expect(verify(SECRET, authorization)).toBe(expected);
  });

  it.each([
    [{}],
    [{ username: 'webhook' }],
    [{ username: 'webhook', password: '' }],
    [{ username: '', password: 'open' }],
    [{ username: 'webhook', password: [] }],
    [{ username: 'webhook', password: ' open' }],
    [{ username: 7, password: 'open' }],
  ])('reports that the secret is not ready: %j', (secret) => {
    expect(() => basic.readKeys(secret)).toThrow(SecretNotReady);
  });
});
