import { expect, it } from 'vitest';
import { type AnyScheme, verifyDelivery } from '../../../functions/schemes/scheme.ts';
import { SecretNotReady } from '../../../functions/secrets.ts';
import { delivery } from '../../../samples/delivery.ts';

/** A scheme that accepts every delivery and counts how often it reads keys. */
function countingScheme() {
  const counts = { reads: 0 };
  const scheme: AnyScheme = {
    secret: 'none',
    readKeys(secret) {
      counts.reads += 1;
      if (!secret.token) throw new SecretNotReady('"token" is empty or missing: fill it in');
      return [secret.token];
    },
    verify: () => undefined,
  };
  return { counts, bound: { scheme, verify: { scheme: 'bearer' as const } } };
}

it('reads the keys of a parsed secret once, and of another secret or scheme again', async () => {
  const { counts, bound } = countingScheme();
  const secret = { token: 'a' };
  await verifyDelivery(bound, secret, delivery(), 0);
  await verifyDelivery(bound, secret, delivery(), 0);
  expect(counts.reads).toBe(1);
  await verifyDelivery(bound, { token: 'a' }, delivery(), 0);
  expect(counts.reads).toBe(2);
  const other = countingScheme();
  await verifyDelivery(other.bound, secret, delivery(), 0);
  expect(other.counts.reads).toBe(1);
});

it('reads the keys again where the secret was not ready', () => {
  const { counts, bound } = countingScheme();
  const secret = {};
  expect(() => verifyDelivery(bound, secret, delivery(), 0)).toThrow(SecretNotReady);
  expect(() => verifyDelivery(bound, secret, delivery(), 0)).toThrow(SecretNotReady);
  expect(counts.reads).toBe(2);
});
