import { needsSecret } from '../../infra/config/preset.ts';
import { resourcesOf, type Template } from '../../test/signals/template.ts';
import { takeInventory } from './inventory.ts';
import type { SampleLines } from './lines.ts';
import { countMetrics } from './metrics.ts';
import type { Measured } from './month.ts';
import type { Synthesized } from './synthesize.ts';

/** Counts and measures everything about a stack that its cost follows from. */
export function measure(stack: Synthesized, samples: SampleLines): Measured {
  const { projects, connections } = stack.configuration;
  const bytes = Object.entries({ ...samples, access: accessLine(stack.template) }).map(([kind, text]) => [
    kind,
    Buffer.byteLength(text),
  ]);
  return {
    inventory: takeInventory(stack.template),
    metrics: countMetrics(stack, samples),
    bytes: Object.fromEntries(bytes),
    secretsRead: {
      receive: Object.values(connections).filter(({ verify }) => needsSecret(verify)).length,
      close: Object.keys(projects).length,
    },
  };
}

/** What API Gateway puts into a line for a request that was answered 200. */
const REQUEST: Record<string, string> = {
  requestId: 'JKJaXmPLvHcESHA=',
  requestTimeEpoch: '1782907200000',
  httpMethod: 'POST',
  routeKey: 'ANY /webhooks/{connection+}',
  status: '200',
  'integration.status': '200',
  'integration.integrationStatus': '200',
  responseLatency: '14',
  'error.responseType': '-',
  'error.messageString': '"-"',
};

/** The gateway's line of a request, in the template's format; empty without an API. */
export function accessLine(template: Template): string {
  const [stage] = resourcesOf(template, 'AWS::ApiGatewayV2::Stage');
  const { Format = '' } = (stage?.[1].AccessLogSettings ?? {}) as { Format?: string };
  return Format.replace(/\$context\.([\w.]*\w)/g, (_, name: string) => {
    const value = REQUEST[name];
    if (value === undefined) {
      throw new Error(`The cost does not know $context.${name}. Add it to scripts/cost/measure.ts.`);
    }
    return value;
  });
}
