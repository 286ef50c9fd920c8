import { describe, expect, it } from 'vitest';
import type { HmacSettings } from '../../functions/schemes/scheme.ts';
import { withTimeInBody } from '../../samples/time-in-body.ts';
import { SETTINGS } from '../support/settings.ts';

const AT = Date.parse('2026-07-01T12:00:00.789Z');
const IN_BODY: HmacSettings = { ...SETTINGS.hmac, timestampSelector: 'body.sent.at' };

describe('the time in a body', () => {
  it.each([
    ['s', 1782907200],
    ['ms', 1782907200789],
    ['iso', '2026-07-01T12:00:00Z'],
  ] as const)('is written where the selector reads it, in the unit %s', (timestampUnit, at) => {
    const verify = { ...IN_BODY, timestampUnit };
    expect(withTimeInBody(verify, '{"a":1,"sent":{"at":0,"b":2}}', AT)).toBe(
      JSON.stringify({ a: 1, sent: { at, b: 2 } }),
    );
    expect(withTimeInBody(verify, '{"a":1}', AT)).toBe(JSON.stringify({ a: 1, sent: { at } }));
  });

  it.each([
    ['the connection reads no time there', SETTINGS.hmac, '{}'],
    ['the scheme is another one', SETTINGS.rsa, '{}'],
    ['the selector is not a plain path', { ...IN_BODY, timestampSelector: 'body.events[0].at' }, '{}'],
    ['the body is not JSON', IN_BODY, 'a=b'],
    ['the body is a text', IN_BODY, '"a"'],
  ])('is not written if %s', (_why, verify, text) => {
    expect(withTimeInBody(verify, text, AT)).toBeUndefined();
  });
});
