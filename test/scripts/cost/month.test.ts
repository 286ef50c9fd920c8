import { describe, expect, it } from 'vitest';
import {
  batchSize,
  billOf,
  billOfKind,
  fixedCost,
  type Measured,
  totalOf,
} from '../../../scripts/cost/month.ts';
import { apiCost } from '../../../scripts/cost/prices.ts';

const BYTES = 174;
const MEASURED: Measured = {
  inventory: {
    secrets: 6,
    alarmMetrics: 12,
    compositeAlarms: 0,
    dashboards: 0,
    keys: 1,
    fedQueues: 1,
    memory: { receive: 512, close: 256, event: 256, cleanup: 1024, canary: 256 },
    scheduledRuns: {},
    workers: 5,
    retentionDays: 73,
  },
  metrics: { usual: 15, most: 40 },
  bytes: {
    accepted: BYTES,
    ignored: BYTES,
    refused: BYTES,
    acceptedEvent: BYTES,
    ignoredEvent: BYTES,
    closed: BYTES,
    alreadyEnded: BYTES,
    waiting: BYTES,
    canaryClose: BYTES,
    run: BYTES,
    access: BYTES,
  },
  secretsRead: { receive: 5, close: 1 },
};
const MILLION = 1e6;

/** A line of 174 bytes counts 200. A million of them is 0.2 GB, written once and kept for 2.4 months. */
const LOG = 0.2 * (0.5 + 0.15 * 0.03 * 2.4);

describe('the bill of one million', () => {
  it('of accepted webhooks has a request, a run, a message and two lines each', () => {
    expect(billOfKind(MEASURED, 'accepted', MILLION)).toEqual({
      'API Gateway': 1,
      Bus: 0,
      Receiver: expect.closeTo(0.2 + 0.014 * 0.5 * 13.3334),
      Queue: expect.closeTo(0.4),
      Worker: 0,
      Logs: expect.closeTo(2 * LOG),
      'Data out': expect.closeTo(0.3 * 0.09),
      'Reading secrets': 0,
      Fixed: 0,
    });
  });

  it('of ignored webhooks has no message', () => {
    expect(billOfKind(MEASURED, 'ignored', MILLION)).toEqual({
      ...billOfKind(MEASURED, 'accepted', MILLION),
      Queue: 0,
    });
  });

  it('of closes has a run of the worker that waits for PolyAI, two requests to the queue and a line each', () => {
    expect(billOfKind(MEASURED, 'closed', MILLION)).toMatchObject({
      'API Gateway': 0,
      Worker: expect.closeTo(0.2 + 0.214 * 0.25 * 13.3334),
      Queue: expect.closeTo(2 * 0.4),
      Logs: expect.closeTo(LOG),
      'Data out': expect.closeTo(0.09),
    });
  });

  it('of closes pays for message groups where several projects share the queue', () => {
    const shared = { ...MEASURED, secretsRead: { receive: 5, close: 2 } };
    expect(billOfKind(shared, 'accepted', MILLION)).toMatchObject({ Queue: expect.closeTo(0.5) });
    expect(billOfKind(shared, 'closed', MILLION)).toMatchObject({ Queue: expect.closeTo(2 * 0.5) });
  });

  it('of further attempts has four runs and 12 requests for the hops until the next one', () => {
    expect(billOfKind(MEASURED, 'waiting', MILLION)).toMatchObject({
      Worker: expect.closeTo(5 * 0.2 + (0.214 + 4 * 0.014) * 0.25 * 13.3334),
      Queue: expect.closeTo(15 * 0.4),
      Logs: expect.closeTo(LOG),
    });
  });

  it('of events of a bus has an event, three requests to its queue and a run each, and no API', () => {
    expect(billOfKind(MEASURED, 'ignoredEvent', MILLION)).toMatchObject({
      'API Gateway': 0,
      Bus: 1,
      Queue: expect.closeTo(3 * 0.4),
      Receiver: expect.closeTo(0.2 + 0.014 * 0.25 * 13.3334),
      Logs: expect.closeTo(LOG),
    });
  });
});

describe('the bill of a month', () => {
  const variable = (ignored: number) => {
    const { Fixed: _, 'Reading secrets': __, ...bill } = billOf(MEASURED, { closes: MILLION, ignored });
    return Object.values(bill).reduce((sum, each) => sum + each, 0);
  };

  it('adds the ignored deliveries at their price', () => {
    const each = totalOf(billOfKind(MEASURED, 'ignored', MILLION));
    expect(variable(9) - variable(0)).toBeCloseTo(9 * each, 1);
  });

  it('adds the starts of functions, of which one runs all the time', () => {
    const works =
      totalOf(billOfKind(MEASURED, 'accepted', MILLION)) + totalOf(billOfKind(MEASURED, 'closed', MILLION));
    // Both functions start every hour, for half a second.
    expect(variable(0) - works).toBeCloseTo((730 * 0.5 * (0.5 + 0.25) * 13.3334) / MILLION, 6);
  });

  it('reads each secret at every start, and at most every 15 minutes', () => {
    const reads = (closes: number) => billOf(MEASURED, { closes, ignored: 0 })['Reading secrets'];
    expect(reads(MILLION)).toBeCloseTo(((730 * 6 + 730 * 4 * 6) * 0.05) / 10_000, 6);
    expect(reads(100)).toBeCloseTo(((100 * 6 + 200) * 0.05) / 10_000, 6);
  });

  it('takes closes together when the workers cannot take them one by one', () => {
    expect(batchSize(MILLION, 200, 5)).toBe(1);
    expect(batchSize(100 * MILLION, 200, 5)).toBeCloseTo((100 * MILLION * 0.214) / (730 * 3600) / 5);
    expect(batchSize(1e10, 200, 5)).toBe(10);
  });
});

describe('the cost without traffic', () => {
  const secrets = 6 * 0.4;
  const polls = (15 * 60 * 730 * 0.4) / MILLION;
  const others = 12 * 0.1 + 15 * 0.3 + 1 + polls;

  it('is the price of what is counted', () => {
    expect(fixedCost(MEASURED)).toBeCloseTo(secrets + others, 6);
  });

  it('includes dashboards, composite alarms and runs of the cleanup', () => {
    const inventory = {
      ...MEASURED.inventory,
      dashboards: 1,
      compositeAlarms: 2,
      scheduledRuns: { cleanup: 730 },
    };
    const run = (1 + 0.2 + 20 * 13.3334 + 0.2 * (LOG / 0.2)) / MILLION;
    expect(fixedCost({ ...MEASURED, inventory }) - fixedCost(MEASURED)).toBeCloseTo(
      3 + 2 * 0.5 + 730 * run,
      6,
    );
  });

  it('includes the delivery and the close of each run of the canary', () => {
    const with_ = (name: string) => {
      const inventory = { ...MEASURED.inventory, scheduledRuns: { [name]: MILLION } };
      return fixedCost({ ...MEASURED, inventory }) - fixedCost(MEASURED);
    };
    const chain =
      totalOf(billOfKind(MEASURED, 'accepted', MILLION)) + totalOf(billOfKind(MEASURED, 'closed', MILLION));
    expect(with_('canary')).toBeCloseTo(1 + 0.2 + 0.5 * 0.25 * 13.3334 + LOG + chain, 6);
  });

  it('cannot be computed for a function without a memory size', () => {
    const inventory = { ...MEASURED.inventory, scheduledRuns: { other: 1 } };
    expect(() => fixedCost({ ...MEASURED, inventory })).toThrow('no function "other"');
  });
});

it('an API is cheaper above 300 million requests', () => {
  expect(apiCost(300e6)).toBe(300);
  expect(apiCost(500e6)).toBe(300 + 180);
});
