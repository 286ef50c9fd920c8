import * as z from 'zod';
import { type AlarmDefinition, readAlarm, resolveAlarm } from './alarm-definition.ts';
import { rangeOf } from './alarm-range.ts';
import { nextState, type State } from './alarm-state.ts';
import { compileRule } from './composite-rule.ts';
import type { MetricStore } from './metrics.ts';
import { type References, resourcesOf, type Template } from './template.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_SECONDS = 86_400;

/** A change of an alarm's state. `at` is in epoch milliseconds. */
export type Transition = { at: number; from: State; to: State };

export type Rehearsal = {
  template: Template;
  references: References;
  metrics: MetricStore;
  /** Epoch milliseconds. The alarms are created at `from`, in INSUFFICIENT_DATA; both ends are evaluated. */
  from: number;
  to: number;
  /**
   * How many periods beyond its evaluation periods an alarm looks back for real datapoints. AWS does not give
   * the number; its examples retrieve 5 datapoints for 3 periods.
   */
  extraPeriods?: number;
};

const Composite = z.strictObject({
  AlarmName: z.string().optional(),
  ActionsEnabled: z.boolean().optional(),
  AlarmRule: z.string(),
});

type Evaluated = { id: string; names: string[]; evaluate: (at: number, current: State) => State };

/**
 * Evaluates all alarms of a template, once a minute over a sliding window (once an hour those that look back
 * on more than a day), and gives the transitions of each by logical id.
 *
 * @throws for anything in an alarm that it does not know.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 */
export function rehearse(rehearsal: Rehearsal): Record<string, Transition[]> {
  const states = new Map<string, State>();
  const stateOf = (name: string): State => states.get(plain(name)) ?? 'INSUFFICIENT_DATA';
  const metricsOnly = metricAlarms(rehearsal);
  const known = metricsOnly.flatMap(({ names }) => names);
  const alarms = [...metricsOnly, ...compositeAlarms(rehearsal, stateOf, known)];
  const history: Record<string, Transition[]> = {};
  for (const { id, names } of alarms) {
    history[id] = [];
    for (const name of names) states.set(name, 'INSUFFICIENT_DATA');
  }
  const first = Math.ceil(rehearsal.from / MINUTE_MS) * MINUTE_MS;
  for (let at = first; at <= rehearsal.to; at += MINUTE_MS) {
    for (const { id, names, evaluate } of alarms) {
      const from = states.get(id) ?? 'INSUFFICIENT_DATA';
      const to = evaluate(at, from);
      if (to !== from) history[id]?.push({ at, from, to });
      for (const name of names) states.set(name, to);
    }
  }
  return history;
}

/** The state at a time, from an alarm's transitions. */
export function stateAt(transitions: Transition[], at: number): State {
  return transitions.findLast((transition) => transition.at <= at)?.to ?? 'INSUFFICIENT_DATA';
}

function metricAlarms(rehearsal: Rehearsal): Evaluated[] {
  const { template, references, metrics, extraPeriods = 2 } = rehearsal;
  return resourcesOf(template, 'AWS::CloudWatch::Alarm').map(([id, properties]) => {
    const alarm = readAlarm(id, properties, references);
    const range = rangeOf(alarm, metrics, alarm.EvaluationPeriods + extraPeriods);
    const evaluate = (at: number, current: State) =>
      isDue(alarm, at) ? nextState(alarm, range(at), current) : current;
    return { id, names: namesOf(id, alarm.AlarmName), evaluate };
  });
}

function isDue({ EvaluationPeriods, periodSeconds }: AlarmDefinition, at: number): boolean {
  return EvaluationPeriods * periodSeconds <= DAY_SECONDS || at % HOUR_MS === 0;
}

/** In an order in which each comes after those that its rule names. */
function compositeAlarms(
  rehearsal: Rehearsal,
  stateOf: (name: string) => State,
  known: string[],
): Evaluated[] {
  const { template } = rehearsal;
  const ids = ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm']
    .flatMap((type) => resourcesOf(template, type))
    .flatMap(([id]) => [
      [id, id],
      [`${id}.Arn`, `arn:aws:cloudwatch:::alarm:${id}`],
    ]);
  const references = { ...Object.fromEntries(ids), ...rehearsal.references };
  const alarms = resourcesOf(template, 'AWS::CloudWatch::CompositeAlarm').map(([id, properties]) => {
    const parsed = Composite.safeParse(resolveAlarm(properties, references));
    if (!parsed.success) return fail(`Composite alarm ${id}: ${z.prettifyError(parsed.error)}`);
    const rule = compileRule(parsed.data.AlarmRule);
    const evaluate = (): State => (rule.holds(stateOf) ? 'ALARM' : 'OK');
    return { id, names: namesOf(id, parsed.data.AlarmName), evaluate, uses: rule.names.map(plain) };
  });
  return inOrder(alarms, known);
}

function inOrder(alarms: (Evaluated & { uses: string[] })[], known: string[]): Evaluated[] {
  const ordered: Evaluated[] = [];
  const names = new Set(known);
  while (ordered.length < alarms.length) {
    const ready = alarms.filter(
      (alarm) => !ordered.includes(alarm) && alarm.uses.every((name) => names.has(name)),
    );
    if (ready.length === 0) {
      const stuck = alarms.filter((alarm) => !ordered.includes(alarm)).map(({ id }) => id);
      fail(`The rules of ${stuck.join(', ')} name an unknown alarm, or each other.`);
    }
    ordered.push(...ready);
    for (const name of ready.flatMap((alarm) => alarm.names)) names.add(name);
  }
  return ordered;
}

/** The name in an alarm's ARN; a name stays as it is. */
function plain(name: string): string {
  return name.replace(/^arn:.*:alarm:/, '');
}

function namesOf(id: string, name: string | undefined): string[] {
  return [...new Set([id, name ?? id])];
}

function fail(message: string): never {
  throw new Error(message);
}
