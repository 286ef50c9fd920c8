import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import jwt from '../../../functions/schemes/jwt.ts';
import type { JwtSettings } from '../../../functions/schemes/scheme.ts';
import { type Jwks, startJwks } from '../../../local/jwks.ts';
import { changeCharacter, delivery } from '../../../samples/delivery.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECONDS = NOW / 1000;
const CLAIMS = { iss: 'orgId:54983163', aud: 'webhookId:31138000000006907', iat: SECONDS, exp: SECONDS + 60 };

let jwks: Jwks;
beforeAll(async () => {
  jwks = await startJwks();
});
afterAll(() => jwks.close());
afterEach(() => {
  vi.restoreAllMocks();
});

function settings(keys: Jwks = jwks): JwtSettings {
  return {
    scheme: 'jwt',
    header: 'x-zdesk-jwt',
    algorithm: 'RS256',
    jwksUrl: keys.url,
    issuer: CLAIMS.iss,
    audience: CLAIMS.aud,
  };
}

async function verify(token: string | undefined, { keys = jwks, now = NOW } = {}): Promise<string> {
  const given = delivery({ headers: { 'x-zdesk-jwt': token }, body: '[]' });
  return (await jwt.verify(settings(keys), undefined, given, now))?.code ?? 'accepted';
}

/** A token in RFC 7515's compact form, signed with node:crypto and without jose. */
function handMade(
  claims: unknown,
  header: object = { alg: 'RS256', kid: jwks.key.kid },
  key: KeyObject = jwks.key.privateKey,
) {
  const content = [header, claims].map(base64url).join('.');
  return `${content}.${signBytes('sha256', Buffer.from(content), key).toString('base64url')}`;
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Another last character that decodes to the same bytes: a signature of 256 bytes leaves four bits unused. */
function spareBit(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1] ?? '';
}

describe('a token', () => {
  it('is accepted when jose or node:crypto has signed it', async () => {
    expect(await verify(await jwks.sign(CLAIMS))).toBe('accepted');
    expect(await verify(handMade(CLAIMS))).toBe('accepted');
  });

  it('may list several audiences', async () => {
    expect(await verify(handMade({ ...CLAIMS, aud: ['webhookId:1', CLAIMS.aud] }))).toBe('accepted');
  });

  it.each([
    ['seconds', SECONDS + 1, SECONDS],
    ['milliseconds', NOW + 1000, NOW],
  ])('is valid until it expires, in %s', async (_unit, later, now) => {
    expect(await verify(handMade({ ...CLAIMS, exp: later }))).toBe('accepted');
    expect(await verify(handMade({ ...CLAIMS, exp: now }))).toBe('token_invalid');
    expect(await verify(await jwks.sign({ ...CLAIMS, exp: now }))).toBe('token_invalid');
  });

  it.each<[string, unknown]>([
    ['does not expire', { exp: undefined }],
    ['has an expiry that is not a number', { exp: '2026-07-02' }],
    ['expires at null', { exp: null }],
    ['has another issuer', { iss: 'orgId:54983164' }],
    ['has no issuer', { iss: undefined }],
    ['has another audience', { aud: 'webhookId:1' }],
    ['has no audience', { aud: undefined }],
    ['is not valid yet', { nbf: SECONDS + 60 }],
  ])('is refused when it %s', async (_what, change) => {
    const claims = { ...CLAIMS, ...(change as object) };
    expect(await verify(handMade(claims))).toBe('token_invalid');
  });

  it.each([null, [], 'text', 42])('is refused when its claims are %j', async (claims) => {
    expect(await verify(handMade(claims))).toBe('token_invalid');
  });

  it.each(['', undefined])('is missing when the header is %j', async (token) => {
    expect(await verify(token)).toBe('credential_missing');
  });

  it.each(['x', '..', 'a.b.c', 'a.b', 'Bearer x', 'é', '{}', 'a.b.c.d.e'])(
    'is refused when it is %j',
    async (token) => {
      expect(await verify(token)).toBe('token_invalid');
    },
  );

  it.each<[string, (token: string) => string]>([
    ['with unused bits set in its signature', (token) => `${token.slice(0, -1)}${spareBit(token)}`],
    ['with padding', (token) => `${token}==`],
    ['with padding after its claims', (token) => token.replace(/\.(?=[^.]*$)/, '=.')],
    ['with a blank after it', (token) => `${token} `],
    ['with a blank before it', (token) => ` ${token}`],
    ['with a line break inside', (token) => `${token.slice(0, -4)}\n${token.slice(-4)}`],
    ['in the alphabet of base64', (token) => token.replace(/-/g, '+').replace(/_/g, '/')],
  ])('is refused when it is spelled %s', async (_how, spelling) => {
    const token = await jwks.sign({ ...CLAIMS, jti: '???>>>ÿÿÿ' });
    expect(await verify(token)).toBe('accepted');
    expect(spelling(token)).not.toBe(token);
    expect(await verify(spelling(token))).toBe('token_invalid');
  });

  it('is refused when it is given twice, as API Gateway joins two headers', async () => {
    const token = await jwks.sign(CLAIMS);
    expect(await verify(`${token},${token}`)).toBe('token_invalid');
  });

  it('is refused without a signature, whatever the name of its algorithm', async () => {
    for (const alg of ['none', 'None', 'NONE', '']) {
      const unsigned = `${base64url({ alg, kid: jwks.key.kid })}.${base64url(CLAIMS)}.`;
      expect(await verify(unsigned)).toBe('token_invalid');
    }
  });

  it('is refused when it is signed with the public key used as a shared secret', async () => {
    const content = `${base64url({ alg: 'HS256', kid: jwks.key.kid })}.${base64url(CLAIMS)}`;
    const pem = jwks.key.publicKey.export({ type: 'spki', format: 'pem' });
    const mac = createHmac('sha256', pem).update(content).digest('base64url');
    expect(await verify(`${content}.${mac}`)).toBe('token_invalid');
  });

  it.each(['RS384', 'RS512', 'PS256'])('is refused when the right key signs with %s', async (alg) => {
    const token = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg, kid: jwks.key.kid })
      .sign(jwks.key.privateKey);
    expect(await verify(token)).toBe('token_invalid');
  });

  it('is refused when another key signs it, under the name of the published one', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(await verify(handMade(CLAIMS, undefined, privateKey))).toBe('token_invalid');
  });

  it('is refused when it carries its own key', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' });
    const forged = handMade(CLAIMS, { alg: 'RS256', jwk, jku: 'http://127.0.0.1:9/keys' }, privateKey);
    expect(await verify(forged)).toBe('token_invalid');
  });

  it('is refused after any change of a character', async () => {
    const token = await jwks.sign(CLAIMS);
    // The last character of a signature of 256 bytes has unused bits, which jose ignores.
    const positions = fc.nat({ max: token.length - 2 }).filter((position) => token[position] !== '.');
    await fc.assert(
      fc.asyncProperty(positions, async (position) => {
        expect(await verify(changeCharacter(token, position))).toBe('token_invalid');
      }),
    );
  });

  it('never throws and is refused, whatever it is', async () => {
    const part = fc.oneof(
      fc.string(),
      fc.jsonValue().map(base64url),
      fc.constant(base64url({ alg: 'RS256' })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 5 }), async (parts) => {
        expect(await verify(parts.join('.'))).toMatch(/^(token_invalid|credential_missing)$/);
      }),
    );
  });
});

describe("the vendor's keys", () => {
  it('are fetched once for any number of tokens', async () => {
    const keys = await startJwks();
    const token = await keys.sign(CLAIMS);
    const codes = await Promise.all(Array.from({ length: 20 }, () => verify(token, { keys })));
    expect(new Set(codes)).toEqual(new Set(['accepted']));
    expect(keys.requests()).toBe(1);
    await keys.close();
  });

  it('are not fetched for a token of another algorithm', async () => {
    const keys = await startJwks();
    await verify(`${base64url({ alg: 'none' })}.${base64url(CLAIMS)}.`, { keys });
    expect(keys.requests()).toBe(0);
    await keys.close();
  });

  it('are fetched again when a token names an unknown key, at most every 30 s', async () => {
    const keys = await startJwks();
    expect(await verify(await keys.sign(CLAIMS), { keys })).toBe('accepted');
    const old = await keys.sign(CLAIMS);
    keys.rotate();
    const token = await keys.sign(CLAIMS);
    expect(await verify(token, { keys })).toBe('token_invalid');
    expect(keys.requests()).toBe(1);
    passTime(31_000);
    expect(await verify(token, { keys })).toBe('accepted');
    expect(await verify(old, { keys })).toBe('token_invalid');
    expect(keys.requests()).toBe(2);
    await keys.close();
  });

  it('stay valid for ten minutes while they are not available, and their absence never makes a token invalid', async () => {
    const keys = await startJwks();
    const token = await keys.sign(CLAIMS);
    expect(await verify(token, { keys })).toBe('accepted');
    keys.behave({ status: 500 });
    passTime(9 * 60_000);
    expect(await verify(token, { keys })).toBe('accepted');
    passTime(11 * 60_000);
    expect(await verify(token, { keys })).toBe('secrets_unavailable');
    await keys.close();
  });

  it.each<[string, Parameters<Jwks['behave']>[0]]>([
    ['an error', { status: 500, body: 'no' }],
    ['not there', { status: 404 }],
    ['redirected', { status: 302, headers: { location: 'http://127.0.0.1:9/keys' } }],
    ['not JSON', { status: 200, body: '<html>' }],
    ['not a key set', { status: 200, body: '{"keys":"none"}' }],
    ['a broken connection', 'reset'],
    ['not sent', 'silence'],
  ])(
    'leave the question open when the answer is %s, and are asked for again after 15 s',
    async (_what, behaviour) => {
      const keys = await startJwks();
      keys.behave(behaviour);
      const token = await keys.sign(CLAIMS);
      expect(await verify(token, { keys })).toBe('secrets_unavailable');
      keys.behave(undefined);
      passTime(16_000);
      expect(await verify(token, { keys })).toBe('accepted');
      await keys.close();
    },
  );

  it.each([{ status: 500 }, { status: 200, body: '<html>' }])(
    'are not asked for again within 15 s of a failure, so that strangers cannot run up calls: %j',
    async (behaviour) => {
      const keys = await startJwks();
      keys.behave(behaviour);
      const token = await keys.sign(CLAIMS);
      for (let count = 0; count < 5; count += 1) {
        expect(await verify(token, { keys })).toBe('secrets_unavailable');
      }
      expect(keys.requests()).toBe(1);
      await keys.close();
    },
  );

  it('are asked for again 15 s after a failure, however many tokens arrive meanwhile', async () => {
    const keys = await startJwks();
    const token = await keys.sign(CLAIMS);
    passTime(0);
    keys.behave({ status: 500 });
    expect(await verify(token, { keys })).toBe('secrets_unavailable');
    keys.behave(undefined);
    for (const milliseconds of [5000, 5000, 4999]) {
      passTime(milliseconds);
      expect(await verify(token, { keys })).toBe('secrets_unavailable');
    }
    expect(keys.requests()).toBe(1);
    passTime(1);
    expect(await verify(token, { keys })).toBe('accepted');
    expect(keys.requests()).toBe(2);
    await keys.close();
  });

  it('are named with the cause when they are not available', async () => {
    const keys = await startJwks();
    keys.behave({ status: 500 });
    const given = delivery({ headers: { 'x-zdesk-jwt': await keys.sign(CLAIMS) } });
    const refusal = await jwt.verify(settings(keys), undefined, given, NOW);
    expect(refusal?.detail).toBe(
      `the keys at ${keys.url} are not available: Expected 200 OK from the JSON Web Key Set HTTP response. They are requested again automatically.`,
    );
    await keys.close();
  });
});

/** The cache of keys uses the system's clock; the time of the deliveries is an argument. */
function passTime(milliseconds: number): void {
  const at = Date.now() + milliseconds;
  vi.spyOn(Date, 'now').mockReturnValue(at);
}
