import { createPublicKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import rsa from '../../../functions/schemes/rsa.ts';
import type { RsaSettings } from '../../../functions/schemes/scheme.ts';
import { SecretNotReady } from '../../../functions/secrets.ts';
import { changeByte, delivery, type Headers, makeRsaSecret, signRsa } from '../../../samples/delivery.ts';
import {
  FRESHCHAT_BODY,
  FRESHCHAT_DER,
  FRESHCHAT_KEY,
  FRESHCHAT_SIGNATURE,
} from '../../support/freshchat-vector.ts';
import { SETTINGS } from '../../support/settings.ts';
import { anyBytes, anyChange } from '../../support/verdict.ts';

const HEADER = SETTINGS.rsa.header;
const OWN = makeRsaSecret();
const OTHER = makeRsaSecret();

type Attempt = { stored?: unknown; headers: Headers; body?: string | Buffer; settings?: RsaSettings };

/** The code of the refusal, or `accepted`. */
function verify({ stored = OWN.publicKey, headers, body = '{}', settings = SETTINGS.rsa }: Attempt): string {
  const keys = rsa.readKeys({ publicKey: stored });
  return rsa.verify(settings, keys, delivery({ headers, body }), 0)?.code ?? 'accepted';
}

function signed(body: string | Buffer = '{}', settings = SETTINGS.rsa): Headers {
  return signRsa({ settings, privateKey: OWN.privateKey, body });
}

function written(key: KeyObject, format: 'pem' | 'der', type: 'spki' | 'pkcs1'): string {
  return key.export({ format: format as 'der', type }).toString(format === 'pem' ? 'utf8' : 'base64');
}

describe('the vector of Freshchat', () => {
  const vector = { stored: FRESHCHAT_KEY, headers: { [HEADER]: FRESHCHAT_SIGNATURE }, body: FRESHCHAT_BODY };

  it('is accepted', () => {
    expect(verify(vector)).toBe('accepted');
    expect(verify({ ...vector, stored: FRESHCHAT_DER })).toBe('accepted');
  });

  it('is refused with another body, another signature or another key', () => {
    expect(verify({ ...vector, body: `${FRESHCHAT_BODY} ` })).toBe('signature_mismatch');
    expect(verify({ ...vector, headers: signed(FRESHCHAT_BODY) })).toBe('signature_mismatch');
    expect(verify({ ...vector, stored: OWN.publicKey })).toBe('signature_mismatch');
  });
});

describe('any body', () => {
  it('is accepted with the signature of another implementation', async () => {
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const pkcs8 = Buffer.from(OWN.privateKey, 'base64');
    const key = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
    await fc.assert(
      fc.asyncProperty(anyBytes, async (body) => {
        const signature = Buffer.from(await webcrypto.subtle.sign(algorithm.name, key, body));
        expect(verify({ headers: { [HEADER]: signature.toString('base64') }, body })).toBe('accepted');
      }),
      { numRuns: 20 },
    );
  });

  it('is refused after a change of any byte of the body or the signature', () => {
    fc.assert(
      fc.property(anyBytes, fc.nat({ max: 255 }), anyChange, (body, position, by) => {
        const headers = signed(body);
        expect(verify({ headers, body })).toBe('accepted');
        expect(verify({ headers, body: changeByte(body, position, by) })).toBe('signature_mismatch');
        const changed = changeByte(Buffer.from(headers[HEADER] ?? '', 'base64'), position, by);
        expect(verify({ headers: { [HEADER]: changed.toString('base64') }, body })).toBe(
          'signature_mismatch',
        );
      }),
      { numRuns: 30 },
    );
  });

  it('never makes it throw or be accepted with an invented signature', () => {
    const invented = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ minLength: 256, maxLength: 256 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    );
    fc.assert(
      fc.property(invented, anyBytes, (signature, body) => {
        expect(verify({ headers: { [HEADER]: signature }, body })).toMatch(/^signature_/);
      }),
    );
  });
});

describe('the signature', () => {
  const valid = signed()[HEADER] ?? '';

  it.each([
    ['absent', undefined, 'signature_missing'],
    ['empty', '', 'signature_missing'],
    ['without its padding', valid.replace(/=+$/, ''), 'signature_malformed'],
    ['sent twice', `${valid},${valid}`, 'signature_malformed'],
    ['with a blank', `${valid} `, 'signature_malformed'],
    ['in hexadecimal', Buffer.from(valid, 'base64').toString('hex'), 'signature_malformed'],
    ['too short', Buffer.alloc(255).toString('base64'), 'signature_malformed'],
    ['too long', Buffer.alloc(257).toString('base64'), 'signature_malformed'],
    ['of zeros', Buffer.alloc(256).toString('base64'), 'signature_mismatch'],
    [
      'of ones, which is more than the modulus',
      Buffer.alloc(256, 0xff).toString('base64'),
      'signature_mismatch',
    ],
  ])('%s, is refused', (_how, signature, expected) => {
    expect(verify({ headers: delivery({ headers: { [HEADER]: signature } }).headers })).toBe(expected);
  });

  it('may be in hexadecimal if the settings say so', () => {
    const settings: RsaSettings = { ...SETTINGS.rsa, encoding: 'hex' };
    expect(verify({ settings, headers: signed('{}', settings) })).toBe('accepted');
    expect(verify({ settings, headers: signed() })).toBe('signature_malformed');
  });

  it('must have the padding of PKCS#1 v1.5 and the hash SHA-256', async () => {
    const pkcs8 = Buffer.from(OWN.privateKey, 'base64');
    for (const [name, hash] of [
      ['RSA-PSS', 'SHA-256'],
      ['RSASSA-PKCS1-v1_5', 'SHA-1'],
      ['RSASSA-PKCS1-v1_5', 'SHA-512'],
    ] as const) {
      const key = await webcrypto.subtle.importKey('pkcs8', pkcs8, { name, hash }, false, ['sign']);
      const signature = await webcrypto.subtle.sign({ name, saltLength: 32 }, key, Buffer.from('{}'));
      const headers = { [HEADER]: Buffer.from(signature).toString('base64') };
      expect(verify({ headers })).toBe('signature_mismatch');
    }
  });
});

describe('the stored key', () => {
  const key = createPublicKey({ key: Buffer.from(OWN.publicKey, 'base64'), format: 'der', type: 'spki' });
  const pem = written(key, 'pem', 'spki');

  it.each([
    ['PEM', pem],
    ['PEM of PKCS#1', written(key, 'pem', 'pkcs1')],
    ['PEM with Windows line ends', pem.replaceAll('\n', '\r\n')],
    ['PEM whose line ends were written as two characters', pem.replaceAll('\n', '\\n')],
    ['PEM on one line', pem.replaceAll('\n', '')],
    ['PEM with the label of PKCS#1 and bytes of SPKI', pem.replaceAll('PUBLIC', 'RSA PUBLIC')],
    ['base64 of SPKI', OWN.publicKey],
    ['base64 of PKCS#1', written(key, 'der', 'pkcs1')],
    ['base64 without padding', OWN.publicKey.replace(/=+$/, '')],
    ['one of a list', [OTHER.publicKey, pem]],
  ])('may be %s', (_how, stored) => {
    expect(verify({ stored, headers: signed() })).toBe('accepted');
    expect(verify({ stored, headers: signed(), body: '{ }' })).toBe('signature_mismatch');
  });

  const ed25519 = generateKeyPairSync('ed25519').publicKey;
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey;
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;

  it.each([
    ['empty', '', 'is empty or missing'],
    ['absent', undefined, 'is empty or missing'],
    ['no text', 7, 'not a string'],
    ['cut short', OWN.publicKey.slice(0, -8), 'not an RSA public key'],
    ['no key', 'a-signing-secret', 'not an RSA public key'],
    ['a key of another kind', written(ed25519, 'pem', 'spki'), 'not an RSA public key'],
    ['a key for PSS alone', written(pss, 'pem', 'spki'), 'not an RSA public key'],
    ['too short a key', written(short, 'pem', 'spki'), 'fewer than 2048 bits'],
    ['a private key', '-----BEGIN PRIVATE KEY-----AAAA-----END PRIVATE KEY-----', 'is a private key'],
  ])('is not ready if it is %s', (_how, stored, message) => {
    expect(() => rsa.readKeys({ publicKey: stored })).toThrow(SecretNotReady);
    expect(() => rsa.readKeys({ publicKey: stored })).toThrow(message);
  });
});
