import { describe, expect, it } from 'vitest';
import { failuresOf, table } from './report.ts';
import { type SoakOptions, soak } from './world.ts';

// Simulates thirteen days of faults. Large runs are `npm run soak -- --closes 100000`.

const MINUTE = 60_000;
const MANY = 2000;
const HALF = MANY / 2;
const FEW = 300;

async function run(options: Partial<SoakOptions>) {
  const report = await soak({ closes: MANY, seed: 1, ...options });
  return { report, failures: failuresOf(report) };
}

describe('every close that was acknowledged', () => {
  it.each([
    [1, 0.02, MANY],
    [8, 0.1, HALF],
    [6, 0.27, MANY],
  ])(
    'reaches one final outcome, and nothing else is closed (seed %s, %s of the calls fail, %i closes)',
    async (seed, failing, closes) => {
      const { report, failures } = await run({ seed, failing, closes });
      expect(failures).toEqual([]);
      expect(report.acknowledged).toBe(report.closes);
      expect(report.closes).toBeGreaterThanOrEqual(closes);
      // The run did have faults.
      expect(report.calls).toBeGreaterThan(2 * report.closes);
      expect(report.requests).toBeGreaterThan(report.closes);
      expect(report.forgeries).toBeGreaterThan(0);
      expect(report.deadLetters).toMatchObject({ rejected: expect.any(Number) });
      expect(report.recoveries.length).toBeGreaterThan(5);
      expect(table(report)).toMatch(/LOST +0\n/);
    },
    10 * MINUTE,
  );
});

describe('the soak', () => {
  it(
    'fails a worker that deletes a message whose close did not succeed at once',
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
      const { report } = await run({ closes: HALF, instead: { receive } });
      expect(report.lost.length).toBeGreaterThan(0);
    },
    10 * MINUTE,
  );

  it(
    'fails a receiver that accepts forged deliveries',
    async () => {
      const receive: NonNullable<SoakOptions['instead']>['receive'] = () => async () => ({ statusCode: 200 });
      const { report, failures } = await run({ closes: FEW, instead: { receive } });
      expect(report.forgeriesAccepted).toBe(report.forgeries);
      expect(failures).toContain(`${report.forgeries} forgeries were answered 200`);
    },
    10 * MINUTE,
  );

  it(
    'fails a worker that closes the wrong chat',
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
    'fails a worker that drops the second request for the same chat',
    async () => {
      const close: NonNullable<SoakOptions['instead']>['close'] = (real) => {
        const askedBy = new Map<string, string>();
        return (event, context) => {
          const Records = event.Records.filter(({ body }) => {
            const { conversationId, requestId } = JSON.parse(body);
            const first = askedBy.get(conversationId) ?? requestId;
            if (conversationId) askedBy.set(conversationId, first);
            return first === requestId;
          });
          return real({ Records }, context);
        };
      };
      const { report } = await run({ closes: HALF, instead: { close } });
      expect(report.lost.length).toBeGreaterThan(0);
      expect(report.deletedEarly.length).toBeGreaterThan(0);
      expect(report.wronglyClosed).toEqual([]);
    },
    10 * MINUTE,
  );

  it(
    'fails a worker that calls PolyAI for a chat of another request',
    async () => {
      let earlier: string | undefined;
      let calls = 0;
      const close: NonNullable<SoakOptions['instead']>['close'] = (real) => async (event, context) => {
        const [record] = event.Records;
        const message = JSON.parse(record?.body ?? '{}');
        const other = earlier;
        earlier = message.conversationId ?? earlier;
        // The worker sends such a close back when it fails. Without an end they would multiply.
        if (record && other && calls++ < 20) {
          const body = JSON.stringify({ ...message, sharedId: undefined, conversationId: other });
          await real({ Records: [{ ...record, body }] }, context);
        }
        return real(event, context);
      };
      const { report } = await run({ closes: FEW, instead: { close } });
      expect(report.wronglyCalled.length).toBeGreaterThan(0);
    },
    10 * MINUTE,
  );

  it(
    'fails a worker that gives up after 26 hours',
    async () => {
      const close: NonNullable<SoakOptions['instead']>['close'] = (real) => (event, context) => {
        const Records = event.Records.map((record) => {
          const first = Number(record.attributes.ApproximateFirstReceiveTimestamp) - 48 * 60 * MINUTE;
          const attributes = { ...record.attributes, ApproximateFirstReceiveTimestamp: `${first}` };
          return { ...record, attributes };
        });
        return real({ Records }, context);
      };
      const { report } = await run({ closes: FEW, seed: 2, instead: { close } });
      expect(report.unexplainedDeadLetters.length).toBeGreaterThan(0);
    },
    10 * MINUTE,
  );

  it(
    'fails a receiver that ignores the HTTP method',
    async () => {
      const receive: NonNullable<SoakOptions['instead']>['receive'] = (real) => (event) => {
        const { requestContext } = event;
        const http = { ...requestContext.http, method: 'POST' };
        return real({ ...event, requestContext: { ...requestContext, http } });
      };
      // Seed 7 draws several forgeries of this kind.
      const { report } = await run({ closes: HALF, seed: 7, instead: { receive } });
      expect(report.forgeriesAccepted).toBeGreaterThan(0);
      expect(report.wronglyCalled.length).toBeGreaterThan(0);
    },
    10 * MINUTE,
  );

  it(
    'fails a worker that resolves a shared id a day late',
    async () => {
      const close: NonNullable<SoakOptions['instead']>['close'] = (real) => (event, context) => {
        const Records = event.Records.map((record) => {
          const message = JSON.parse(record.body);
          const receivedAt = '2026-09-01T00:00:00.000Z';
          return message.sharedId ? { ...record, body: JSON.stringify({ ...message, receivedAt }) } : record;
        });
        return real({ Records }, context);
      };
      const { report } = await run({ closes: HALF, instead: { close } });
      expect(report.wronglyClosed.length).toBeGreaterThan(0);
    },
    10 * MINUTE,
  );

  it(
    'repeats a run from its seed',
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
