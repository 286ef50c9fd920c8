/** A list price in US dollars, and the page of AWS that it is from. */
type Price = {
  /** US dollars for `per` units. */
  usd: number;
  per: number;
  /** What is counted. */
  unit: string;
  page: string;
};

/** When the prices were collected. Change it together with a price. */
export const PRICES_OF = '2026-11-26';
export const PRICES_REGION = 'us-east-1';

const MILLION = 1e6;
const page = (path: string) => `https://aws.amazon.com/${path}/pricing/`;

/** On-demand prices without free tiers, savings plans and taxes. */
export const PRICES = {
  apiRequest: {
    usd: 1,
    per: MILLION,
    unit: 'requests to an HTTP API, up to 300 million',
    page: page('api-gateway'),
  },
  apiRequestAbove: {
    usd: 0.9,
    per: MILLION,
    unit: 'requests to an HTTP API above that',
    page: page('api-gateway'),
  },
  lambdaRequest: { usd: 0.2, per: MILLION, unit: 'runs of a function', page: page('lambda') },
  lambdaSecond: {
    usd: 13.3334,
    per: MILLION,
    unit: 'GB-seconds on Arm, starts included',
    page: page('lambda'),
  },
  sqsRequest: { usd: 0.4, per: MILLION, unit: 'requests to a standard queue', page: page('sqs') },
  sqsFair: {
    usd: 0.1,
    per: MILLION,
    unit: 'the same with a message group (fair queue), on top',
    page: page('sqs'),
  },
  busEvent: { usd: 1, per: MILLION, unit: 'custom or partner events on a bus', page: page('eventbridge') },
  scheduledRun: {
    usd: 1,
    per: MILLION,
    unit: 'runs that EventBridge Scheduler starts',
    page: page('eventbridge'),
  },
  logIngestion: { usd: 0.5, per: 1, unit: 'GB written to a log, up to 10 TB', page: page('cloudwatch') },
  logStorage: { usd: 0.03, per: 1, unit: 'GB of log kept for a month, compressed', page: page('cloudwatch') },
  logQuery: {
    usd: 0.005,
    per: 1,
    unit: 'GB that a query reads; in none of the tables',
    page: page('cloudwatch'),
  },
  metric: { usd: 0.3, per: 1, unit: 'custom metric for a month, up to 10,000', page: page('cloudwatch') },
  alarmMetric: { usd: 0.1, per: 1, unit: 'metric watched by an alarm for a month', page: page('cloudwatch') },
  compositeAlarm: { usd: 0.5, per: 1, unit: 'composite alarm for a month', page: page('cloudwatch') },
  dashboard: { usd: 3, per: 1, unit: 'dashboard for a month', page: page('cloudwatch') },
  secret: { usd: 0.4, per: 1, unit: 'secret for a month', page: page('secrets-manager') },
  secretRead: { usd: 0.05, per: 10_000, unit: 'reads of a secret', page: page('secrets-manager') },
  key: {
    usd: 1,
    per: 1,
    unit: 'KMS key for a month; 1 more after each of its first two yearly rotations',
    page: page('kms'),
  },
  dataOut: {
    usd: 0.09,
    per: 1,
    unit: 'GB to the internet, up to 10 TB',
    page: 'https://aws.amazon.com/ec2/pricing/on-demand/',
  },
} as const satisfies Record<string, Price>;

/** An API's cheaper price begins here. */
const API_TIER = 300e6;

/** The price of some units in US dollars. */
export function cost(name: keyof typeof PRICES, units: number): number {
  const { usd, per } = PRICES[name];
  return (units * usd) / per;
}

/** The price of a month's requests to an HTTP API in US dollars. */
export function apiCost(requests: number): number {
  return (
    cost('apiRequest', Math.min(requests, API_TIER)) +
    cost('apiRequestAbove', Math.max(0, requests - API_TIER))
  );
}
