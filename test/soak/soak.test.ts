import { describe, expect, it } from '@jest/globals';
import { failuresOf, table } from '../../scripts/soak/table.ts';
import { type SoakOptions, soak } from '../../scripts/soak/world.ts';

// Ten virtual days of faults; the large runs are `npm run soak -- --closes 100000`.

const MINUTE = 60_000;
const MANY = 2000;
const FEW = 300;

async function run(options: Partial<SoakOptions>) {
  const report = await soak({ closes: MANY, seed: 1, ...options });
  return { report, failures: failuresOf(report) };
}

describe('every close that was acknowledged', () => {
  it.each([2, 3, 4])(
    'reaches one final outcome, and nothing else is closed (seed %s)',
    async (seed) => {
      const { report, failures } = await run({ seed });
      expect(failures).toEqual([]);
      expect(report.acknowledged).toBe(report.closes);
      expect(report.closes).toBeGreaterThanOrEqual(MANY);
      // The faults were really there.
      expect(report.calls).toBeGreaterThan(2 * report.closes);
      expect(report.forgeries).toBeGreaterThan(0);
      expect(report.deadLetters).toMatchObject({ rejected: expect.any(Number) });
      expect(report.recoveries.length).toBeGreaterThan(5);
      expect(table(report)).toMatch(/LOST +0\n/);
    },
    10 * MINUTE,
  );
});

describe('the proof', () => {
  it(
    'fails a worker that drops what did not succeed at once',
    async () => {
      const close: NonNullable<SoakOptions['instead']>['close'] = (real) => async (event, context) => {
        await real(event, context);
        return { batchItemFailures: [] };
      };
      const { report } = await run({ closes: FEW, instead: { close } });
      expect(report.lost.length).toBeGreaterThan(10);
    },
    10 * MINUTE,
  );

  it(
    'fails a receiver that answers 200 before the close is queued',
    async () => {
      const receive: NonNullable<SoakOptions['instead']>['receive'] = (real) => async (event) => {
        const answer = await real(event);
        return answer.statusCode === 503 ? { ...answer, statusCode: 200 } : answer;
      };
      const { report } = await run({ closes: MANY, instead: { receive } });
      expect(report.lost.length).toBeGreaterThan(0);
    },
    10 * MINUTE,
  );

  it(
    'fails a receiver that takes forged deliveries for genuine ones',
    async () => {
      const receive: NonNullable<SoakOptions['instead']>['receive'] = () => async () => ({ statusCode: 200 });
      const { report, failures } = await run({ closes: FEW, instead: { receive } });
      expect(report.forgeriesAccepted).toBe(report.forgeries);
      expect(failures).toContain(`${report.forgeries} forgeries were answered 200`);
    },
    10 * MINUTE,
  );

  it(
    'fails a worker that closes another chat than it was asked to',
    async () => {
      const close: NonNullable<SoakOptions['instead']>['close'] = (real) => async (event, context) => {
        const ids = event.Records.map(({ body }) => JSON.parse(body).conversationId);
        const swapped = event.Records.map((record, index) => {
          const message = JSON.parse(record.body);
          const other = ids[(index + 1) % ids.length];
          const isSwapped = message.conversationId && other;
          return isSwapped
            ? { ...record, body: JSON.stringify({ ...message, conversationId: other }) }
            : record;
        });
        await real({ Records: swapped }, context);
        return { batchItemFailures: [] };
      };
      expect((await run({ closes: FEW, instead: { close } })).failures).not.toEqual([]);
    },
    10 * MINUTE,
  );

  it(
    'fails a worker that waits for a day before it resolves a shared id',
    async () => {
      const close: NonNullable<SoakOptions['instead']>['close'] = (real) => (event, context) => {
        const Records = event.Records.map((record) => {
          const message = JSON.parse(record.body);
          const receivedAt = '2026-09-01T00:00:00.000Z';
          return message.sharedId ? { ...record, body: JSON.stringify({ ...message, receivedAt }) } : record;
        });
        return real({ Records }, context);
      };
      const { report } = await run({ instead: { close } });
      expect(report.wronglyClosed.length).toBeGreaterThan(0);
    },
    10 * MINUTE,
  );

  it(
    'repeats itself from its seed',
    async () => {
      const [first, second] = [await run({ closes: FEW, seed: 5 }), await run({ closes: FEW, seed: 5 })];
      const figures = ({ report }: Awaited<ReturnType<typeof run>>) => ({
        calls: report.calls,
        closed: report.closed,
        deadLetters: report.deadLetters,
        invocations: report.invocations,
        virtualDays: report.virtualDays,
      });
      expect(figures(second)).toEqual(figures(first));
    },
    10 * MINUTE,
  );
});
