import { describe, expect, it } from 'vitest';
import { drainFailures, soakDrain } from './drain.ts';
import { outageFailures, soakOutage } from './outage.ts';

// Small versions of `npm run soak -- --outage` and `-- --drain`, with SQS's limit in flight scaled down.

const MINUTE = 60_000;

describe('while the PolyAI of a large project is down for 23 hours', () => {
  it(
    'the closes of another project go through within 30 s, and its own within two hours of the end',
    async () => {
      const result = await soakOutage({ closes: 1000, seed: 1, inFlightLimit: 100 });
      expect(outageFailures(result)).toEqual([]);
      expect(result.closes.large).toBeGreaterThanOrEqual(1000);
      expect(result.closes.small).toBeGreaterThan(4000);
      expect(result.mostWaiting).toBeGreaterThan(900);
      expect(result.mostInFlight).toBeLessThan(50);
    },
    5 * MINUTE,
  );

  it(
    'the closes of another project would stop if the others waited in flight',
    async () => {
      const result = await soakOutage({ closes: 1000, seed: 1, inFlightLimit: 100, refusesSends: true });
      expect(outageFailures(result)).toContainEqual(expect.stringMatching(/of the other project took/));
    },
    5 * MINUTE,
  );
});

describe('a backlog of 10,000 closes', () => {
  it(
    'is worked off with one call for each, and nothing is left',
    async () => {
      const result = await soakDrain({ closes: 10_000, seed: 1 });
      expect(drainFailures(result)).toEqual([]);
      expect(result.invocations).toBe(1000);
      expect(result.mostInFlight).toBeLessThanOrEqual(50);
    },
    5 * MINUTE,
  );
});
