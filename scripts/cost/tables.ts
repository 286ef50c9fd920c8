import { code, table } from '../generate/markdown.ts';
import { ASSUMED } from './assumed.ts';
import { CONFIGURATIONS, SHOWN } from './configurations.ts';
import {
  type Bill,
  batchSize,
  billOf,
  billOfKind,
  fixedCost,
  MAX_BATCH,
  type Measured,
  totalOf,
  type WorkKind,
} from './month.ts';
import { PRICES, PRICES_OF, PRICES_REGION } from './prices.ts';

/** What was measured of each stated configuration. */
export type Measurements = Record<keyof typeof CONFIGURATIONS, Measured>;

const MILLION = 1e6;
export const VOLUMES = [10_000, MILLION, 100 * MILLION] as const;
export const IGNORED = [0, 1, 4, 9] as const;
/** The traffic of the tables that show one number of ignored deliveries. */
const SHOWN_IGNORED = 4;
const POLYAI_MS = [100, 200, 500, 1000] as const;

/** The tables of docs/cost.md by the names of their blocks. */
export function costTables(measurements: Measurements): Record<string, string> {
  const shown = measurements[SHOWN];
  return {
    months: monthTable(shown),
    parts: partTable(shown),
    kinds: kindTable(measurements),
    polyai: polyaiTable(shown),
    configurations: configurationTable(measurements),
    lines: lineTable(measurements),
    prices: priceTable(),
    assumed: assumedTable(),
  };
}

/** US dollars: to the cent below 100, else to the dollar. */
export function dollars(usd: number): string {
  return usd < 100 ? usd.toFixed(2) : thousands(Math.round(usd));
}

function thousands(count: number): string {
  return count.toLocaleString('en-US');
}

function monthTable(measured: Measured): string {
  return table(
    [
      'Closes a month',
      ...IGNORED.map((count) => (count === 0 ? 'None ignored' : `${count} ignored per close`)),
    ],
    VOLUMES.map((closes) => [
      thousands(closes),
      ...IGNORED.map((ignored) => dollars(totalOf(billOf(measured, { closes, ignored })))),
    ]),
  );
}

function partTable(measured: Measured): string {
  const bills = VOLUMES.map((closes) => billOf(measured, { closes, ignored: SHOWN_IGNORED }));
  const parts = Object.keys(bills[0] ?? {}) as (keyof Bill)[];
  return table(
    ['Part', ...VOLUMES.map((closes) => `${thousands(closes)} closes`)],
    [
      ...parts
        .filter((part) => bills.some((bill) => bill[part] > 0))
        .map((part) => [part, ...bills.map((bill) => dollars(bill[part]))]),
      ['**Together**', ...bills.map((bill) => `**${dollars(totalOf(bill))}**`)],
      [
        'Messages that the worker takes at once',
        ...VOLUMES.map((closes) => batchOf(measured, closes).toFixed(1)),
      ],
    ],
  );
}

function batchOf({ inventory }: Measured, closes: number): number {
  return batchSize(closes, ASSUMED.polyaiMs.value, inventory.workers);
}

type Row = {
  title: string;
  stack: keyof typeof CONFIGURATIONS;
  kinds: readonly WorkKind[];
  /** How many messages the worker takes together; 1 when left out. */
  batch?: number;
};

const KINDS: readonly Row[] = [
  { title: 'webhooks that close a chat', stack: SHOWN, kinds: ['accepted', 'closed'] },
  {
    title: `the same from a backlog, ${MAX_BATCH} messages together`,
    stack: SHOWN,
    kinds: ['accepted', 'closed'],
    batch: MAX_BATCH,
  },
  { title: 'webhooks that are ignored', stack: SHOWN, kinds: ['ignored'] },
  { title: 'webhooks that are refused', stack: SHOWN, kinds: ['refused'] },
  { title: 'events of a bus that close a chat', stack: 'onBus', kinds: ['acceptedEvent', 'closed'] },
  { title: 'events of a bus that are ignored', stack: 'onBus', kinds: ['ignoredEvent'] },
  { title: 'further attempts while PolyAI is down', stack: SHOWN, kinds: ['waiting'] },
];

const COLUMNS = ['API Gateway', 'Bus', 'Receiver', 'Queue', 'Worker', 'Logs', 'Data out'] as const;

function kindTable(measurements: Measurements): string {
  return table(
    ['One million', ...COLUMNS, 'Together'],
    KINDS.map(({ title, stack, kinds, batch }) => {
      const bills = kinds.map((kind) => billOfKind(measurements[stack], kind, MILLION, batch));
      const part = (name: keyof Bill) => bills.reduce((sum, bill) => sum + bill[name], 0);
      const together = bills.reduce((sum, bill) => sum + totalOf(bill), 0);
      return [title, ...COLUMNS.map((name) => dollars(part(name))), `**${dollars(together)}**`];
    }),
  );
}

function polyaiTable(measured: Measured): string {
  return table(
    ['Closes a month', ...POLYAI_MS.map((ms) => `${ms} ms`)],
    VOLUMES.map((closes) => [
      thousands(closes),
      ...POLYAI_MS.map((polyaiMs) =>
        dollars(totalOf(billOf(measured, { closes, ignored: SHOWN_IGNORED, polyaiMs }))),
      ),
    ]),
  );
}

function configurationTable(measurements: Measurements): string {
  const stated = Object.entries(CONFIGURATIONS) as [keyof typeof CONFIGURATIONS, { title: string }][];
  return table(
    [
      'Configuration',
      'Secrets',
      'Metrics, usual',
      'Metrics, at most',
      'Metrics in alarms',
      'Dashboards',
      'Keys',
      'USD a month',
    ],
    stated.map(([name, { title }]) => {
      const measured = measurements[name];
      const { inventory, metrics } = measured;
      return [
        title,
        `${inventory.secrets}`,
        `${metrics.usual}`,
        `${metrics.most}`,
        `${inventory.alarmMetrics}`,
        `${inventory.dashboards}`,
        `${inventory.keys}`,
        `**${dollars(fixedCost(measured))}**`,
      ];
    }),
  );
}

const LINES: readonly [kind: keyof Measured['bytes'], stack: keyof typeof CONFIGURATIONS, title: string][] = [
  ['accepted', SHOWN, '`delivery`, accepted'],
  ['ignored', SHOWN, '`delivery`, ignored'],
  ['refused', SHOWN, '`delivery`, refused'],
  ['acceptedEvent', 'onBus', '`delivery` of an event, accepted'],
  ['ignoredEvent', 'onBus', '`delivery` of an event, ignored'],
  ['closed', SHOWN, '`close`, closed'],
  ['alreadyEnded', SHOWN, '`close`, already ended'],
  ['waiting', SHOWN, '`close`, tried again'],
  ['run', SHOWN, '`cleanup`'],
  ['access', SHOWN, '`access`, written by API Gateway'],
];

function lineTable(measurements: Measurements): string {
  return table(
    ['Line', 'Bytes'],
    LINES.map(([kind, stack, title]) => [title, `${measurements[stack].bytes[kind]}`]),
  );
}

function priceTable(): string {
  const rows = Object.values(PRICES).map(({ usd, per, unit, page }) => [
    unit,
    per === 1 ? '1' : thousands(per),
    `${usd}`,
    `[${new URL(page).pathname.split('/')[1]}](${page})`,
  ]);
  return `${PRICES_REGION}, ${PRICES_OF}:\n\n${table(['What', 'For', 'USD', 'Page'], rows)}`;
}

function assumedTable(): string {
  return table(
    ['Assumed', 'Value', 'In `scripts/cost/assumed.ts`'],
    Object.entries(ASSUMED).map(([name, { value, meaning }]) => [meaning, `${value}`, code(name)]),
  );
}
