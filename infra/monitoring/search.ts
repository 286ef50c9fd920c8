import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { type DimensionsOf, type MetricName, NAMESPACE } from '../metrics.ts';

type KeysOf<Dimensions> = Dimensions extends unknown ? keyof Dimensions & string : never;
type Names<Name extends MetricName> = readonly KeysOf<DimensionsOf<Name>>[];

/**
 * A search expression for a metric of this stack with every value of its dimensions, such as one line for each
 * connection. A dashboard that names them one by one would grow with the configuration.
 *
 * @param by the metric's dimensions besides `service`
 * @param only the values that some of these must have
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
 */
export function search<Name extends MetricName>(
  scope: Construct,
  metric: Name,
  by: Names<Name>,
  statistic: string,
  only: Partial<Record<string, string>> = {},
): string {
  const wanted = { MetricName: metric, service: Stack.of(scope).stackName, ...only };
  const terms = Object.entries(wanted).map(([key, value]) => `${key}="${value}"`);
  return `SEARCH('{${[NAMESPACE, 'service', ...by].join(',')}} ${terms.join(' ')}', '${statistic}')`;
}
