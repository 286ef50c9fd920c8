import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { seriesOf } from '../../infra/metric-series.ts';
import { ROOT } from '../../infra/root.ts';
import { CONFIGURATIONS } from '../../scripts/cost/configurations.ts';
import { billOf, fixedCost, totalOf } from '../../scripts/cost/month.ts';
import { COST_PAGE, costPage, measureAll } from '../../scripts/cost/page.ts';
import { costReport } from '../../scripts/cost/report.ts';
import { synthesize } from '../../scripts/cost/synthesize.ts';
import { dollars, type Measurements } from '../../scripts/cost/tables.ts';
import { configurationOf } from '../support/configuration.ts';
import { createStack } from '../support/stack.ts';

const PAGE = readFileSync(join(ROOT, COST_PAGE), 'utf8');

let measurements: Measurements;
beforeAll(async () => {
  measurements = await measureAll();
});

describe('docs/cost.md', () => {
  it('has current tables: run npm run generate after a change of the stack, the lines or the prices', () => {
    expect(PAGE).toBe(costPage(ROOT, measurements));
  });

  it('has the bill of 10,000, 1 million and 100 million closes', () => {
    for (const closes of [10_000, 1_000_000, 100_000_000]) {
      const bills = [0, 1, 4, 9].map((ignored) =>
        dollars(totalOf(billOf(measurements.usual, { closes, ignored }))),
      );
      expect(PAGE).toContain(`| ${[closes.toLocaleString('en-US'), ...bills].join(' | ')} |`);
    }
  });
});

it('a million closes a month of one project cost at most 4 dollars, apart from what a stack without traffic costs', () => {
  const bill = billOf(measurements.usual, { closes: 1_000_000, ignored: 0 });
  expect(totalOf(bill) - bill.Fixed).toBeLessThanOrEqual(4);
});

describe('what is counted', () => {
  it.each(Object.keys(CONFIGURATIONS) as (keyof typeof CONFIGURATIONS)[])(
    'of the configuration "%s" is in the template that the stack makes',
    (name) => {
      const template = Template.fromStack(
        createStack(CONFIGURATIONS[name].content, { name: 'polyai-chat-closer' }),
      );
      const { inventory } = measurements[name];
      template.resourceCountIs('AWS::SecretsManager::Secret', inventory.secrets);
      template.resourceCountIs('AWS::KMS::Key', inventory.keys);
      template.resourceCountIs('AWS::CloudWatch::Dashboard', inventory.dashboards);
      template.resourceCountIs('AWS::Lambda::EventSourceMapping', inventory.fedQueues);
      const alarms = Object.keys(template.findResources('AWS::CloudWatch::Alarm')).length;
      expect(inventory.alarmMetrics).toBeGreaterThanOrEqual(alarms);
      expect(alarms).toBeGreaterThan(0);
    },
  );

  it.each(Object.keys(CONFIGURATIONS) as (keyof typeof CONFIGURATIONS)[])(
    'of the metrics of "%s" in a usual month is a part of all that it can make',
    (name) => {
      const { usual, most } = measurements[name].metrics;
      expect(usual).toBeGreaterThan(0);
      expect(most).toBe(seriesOf(configurationOf(CONFIGURATIONS[name].content)).length);
      expect(most).toBeGreaterThan(usual);
    },
  );

  it('grows with the configuration', () => {
    const { smallest, usual, large } = measurements;
    expect(fixedCost(smallest)).toBeLessThan(fixedCost(usual));
    expect(fixedCost(usual)).toBeLessThan(fixedCost(large));
  });
});

it('npm run cost prints the parts and the sum of a bill', () => {
  const traffic = { closes: 1_000_000, ignored: 4 };
  const bill = billOf(measurements.usual, traffic);
  const report = costReport('my.json', measurements.usual, traffic);
  expect(report).toMatch(
    /^my\.json, 1,000,000 closes a month, 4 ignored deliveries per close, PolyAI 200 ms$/m,
  );
  expect(report).toMatch(new RegExp(`^API Gateway +${dollars(bill['API Gateway'])}$`, 'm'));
  expect(report).toMatch(new RegExp(`^Together +${dollars(totalOf(bill))}$`, 'm'));
});

it('a faulty configuration is refused', () => {
  expect(() => synthesize({ polyai: {}, connections: {} })).toThrow('connections.json');
});
