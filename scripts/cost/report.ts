import { ASSUMED } from './assumed.ts';
import { billOf, fixedCost, type Measured, type Traffic, totalOf } from './month.ts';
import { PRICES_OF, PRICES_REGION } from './prices.ts';
import { dollars } from './tables.ts';

/** The bill of one configuration and traffic, as text for a terminal. */
export function costReport(file: string, measured: Measured, traffic: Traffic): string {
  const { inventory, metrics } = measured;
  const bill = billOf(measured, traffic);
  const { closes, ignored, polyaiMs = ASSUMED.polyaiMs.value } = traffic;
  const rows = [...Object.entries(bill).filter(([, usd]) => usd > 0), ['Together', totalOf(bill)] as const];
  return [
    `${file}, ${closes.toLocaleString('en-US')} closes a month, ${ignored} ignored deliveries per close, PolyAI ${polyaiMs} ms`,
    '',
    ...rows.map(([name, usd]) => `${name.padEnd(16)} ${dollars(usd).padStart(10)}`),
    '',
    `Fixed: ${inventory.secrets} secrets, ${inventory.alarmMetrics} metrics in alarms, ${inventory.dashboards} dashboards, ${inventory.keys} keys,`,
    `${metrics.usual} metrics in a usual month, at most ${metrics.most}. Without traffic: USD ${dollars(fixedCost(measured))}.`,
    `USD a month, list prices of ${PRICES_REGION}, ${PRICES_OF}. docs/cost.md says what is assumed.`,
    '',
  ].join('\n');
}
