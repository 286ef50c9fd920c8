import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Line } from '../../functions/line.ts';
import { rehearse, type Transition } from '../signals/alarm.ts';
import { addFilterMetrics } from '../signals/metric-filter.ts';
import { MetricStore } from '../signals/metrics.ts';
import type { Template as Plain, References } from '../signals/template.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** The time at which every story begins. */
export const START = Date.UTC(2026, 10, 26, 12);

/** A line at a time, in milliseconds after the beginning of the story. */
export type Said = { after: number; log: string; line: Line | Record<string, unknown> };
/** A figure that AWS measures, such as the depth of a queue. */
export type Measured = {
  after: number;
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
  value: number;
};

/** The signals of a stack: its alarms, fed with lines and figures. Log groups and queues are named by logical ids. */
export function signalsOf(stack: Stack) {
  const template = Template.fromStack(stack).toJSON() as Plain;
  const references = namesIn(template);
  const id = (prefix: string) => {
    const found = Object.keys(template.Resources).find((each) => each.startsWith(prefix));
    if (!found) throw new Error(`No resource's id begins with ${prefix}.`);
    return found;
  };
  return {
    template,
    references,
    id,
    /** The transitions of every alarm, by logical id, from the beginning of the story to its end. */
    run(said: Said[], measured: Measured[], durationMs: number): Record<string, Transition[]> {
      const metrics = new MetricStore();
      const lines = said.map(({ after, log, line }) => ({
        at: START + after,
        logGroup: id(log),
        text: JSON.stringify({ service: stack.stackName, ...line }),
      }));
      addFilterMetrics(metrics, template, references, lines);
      for (const { after, namespace, name, dimensions, value } of measured) {
        metrics.add({ namespace, name, dimensions }, START + after, value);
      }
      return rehearse({ template, references, metrics, from: START, to: START + durationMs });
    },
  };
}

/** Every name that the template refers to, as its own value. */
function namesIn(template: Plain): References {
  const names: References = {};
  JSON.stringify(template, (_key, value) => {
    const attribute = value?.['Fn::GetAtt'];
    const name = value?.Ref ?? (Array.isArray(attribute) ? attribute.join('.') : undefined);
    if (typeof name === 'string') names[name] = name.replace(/\..*$/, '');
    return value;
  });
  return names;
}
