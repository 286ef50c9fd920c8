import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overBody } from '../../../functions/crm/crm.ts';
import { signedAt, toTime } from '../../../functions/intake/event-time.ts';
import type { VerifySettings } from '../../../functions/schemes/scheme.ts';

const NOON = Date.parse('2026-08-01T12:00:00Z');

describe('toTime', () => {
  it.each([
    ['2026-08-01T12:00:00Z'],
    ['2026-08-01T12:00Z'],
    ['2026-08-01T12:00:00.000000000Z'],
    ['2026-08-01 12:00:00Z'],
    ['2026-08-01T14:00:00.000+0200'],
    ['2026-08-01 07:00:00.000000-05:00'],
    [' 2026-08-01T12:00:00Z '],
    [NOON],
    [NOON / 1000],
    [`${NOON}`],
    [`${NOON / 1000}`],
    [`${NOON / 1000}.000`],
  ])('reads %j', (value) => {
    expect(toTime(value)).toBe(NOON);
  });

  it.each([
    [undefined],
    [null],
    [''],
    ['yesterday'],
    ['2026-08-01T12:00:00'],
    ['2026-08-01'],
    ['Sat, 1 Aug 2026 12:00 PM'],
    ['{{ticket.updated_at}}'],
    ['2026-13-41T12:00:00Z'],
    ['on 2026-08-01T12:00:00Z'],
    ['+002026-08-01T12:00:00Z'],
    ['2026-08-01T12:00:00Z or later'],
    [8.64e15 + 1],
    [0],
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [1e300],
    [{}],
    [[NOON]],
    [true],
  ])('returns undefined for %j', (value) => {
    expect(toTime(value)).toBeUndefined();
  });

  it('reads the latest time that a Date can hold', () => {
    expect(toTime(8.64e15)).toBe(8.64e15);
  });

  it('returns only times that a Date can hold, whatever the value is', () => {
    fc.assert(
      fc.property(fc.anything(), fc.double(), (value, number) => {
        for (const each of [value, number, String(number)]) {
          const time = toTime(each);
          expect(time === undefined || new Date(time).toISOString().length > 0).toBe(true);
        }
      }),
    );
  });
});

describe('signedAt', () => {
  const hmac = {
    ...overBody({ header: 'x-signature', algorithm: 'sha256', encoding: 'hex' }),
    signed: '{timestamp}.{body}',
    timestampHeader: 'x-time',
  };
  const { timestampHeader: _time, ...untimed } = hmac;
  const hubspot = { 'x-hubspot-request-timestamp': `${NOON}` };

  it.each<[VerifySettings, Record<string, string>, number | undefined]>([
    [hmac, { 'x-time': `${NOON / 1000}` }, NOON],
    [{ ...hmac, timestampUnit: 'iso' }, { 'x-time': '2026-08-01T12:00:00Z' }, NOON],
    [hmac, {}, undefined],
    [hmac, { 'x-time': 'now' }, undefined],
    [untimed, { 'x-time': `${NOON / 1000}` }, undefined],
    [{ scheme: 'standard-webhooks' }, { 'webhook-timestamp': `${NOON / 1000}` }, NOON],
    [{ scheme: 'standard-webhooks' }, { 'svix-timestamp': `${NOON / 1000}` }, NOON],
    [{ scheme: 'hubspot' }, { ...hubspot, 'x-hubspot-signature-v3': 'x' }, NOON],
    [{ scheme: 'hubspot' }, hubspot, undefined],
    [
      { ...hmac, timestampHeader: 'x-none', timestampParameter: 't', header: 'x' },
      { x: `t=${NOON / 1000},v1=0` },
      NOON,
    ],
    [{ ...hmac, timestampSelector: 'body.at' }, { 'x-time': '1' }, undefined],
    [{ scheme: 'rsa', header: 'x', encoding: 'base64' }, { 'x-time': `${NOON / 1000}` }, undefined],
    [{ scheme: 'bearer' }, { 'x-time': `${NOON / 1000}` }, undefined],
  ])('reads a time only if the scheme signs it: %j with %j', (verify, headers, time) => {
    expect(signedAt(verify, { headers, body: {} })).toBe(time);
  });

  it.each([[NOON / 1000], [`${NOON / 1000}`]])('reads the signed time in the body: %j', (at) => {
    const verify: VerifySettings = { ...hmac, signed: '{body}', timestampSelector: 'body.sent.at' };
    expect(signedAt(verify, { headers: { 'x-time': '1' }, body: { sent: { at } } })).toBe(NOON);
  });
});
