import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { metricOf } from '../metrics.ts';
import { type AlarmRule, MISSING, PERIOD } from './alarm-rule.ts';
import { command, type Watched } from './watched.ts';

/** One alarm for the faults that functions log, and one for each function that fails without a line. */
export function functionAlarms(scope: Construct, watched: Watched): AlarmRule[] {
  const { configuration, functions } = watched;
  const faults: AlarmRule = {
    id: 'FaultsAlarm',
    section: 'faults',
    affected: 'A function met an unexpected error.',
    heals: 'Its delivery, event, close or run is tried again, unless the line says otherwise.',
    run: command(watched, 'status'),
    metric: metricOf(scope, 'Faults', {}, { statistic: Stats.SUM, period: PERIOD }),
    threshold: configuration.stack.alarms.thresholds.FaultsAlarm,
    missing: MISSING.fine,
  };
  // An error of the canary's function shows in the canary's own alarm, which misses its healthy line.
  const { canary: _own, ...others } = functions;
  const errors = Object.entries(others).map(
    ([name, each]): AlarmRule => ({
      id: `${capitalize(name)}ErrorsAlarm`,
      section: 'faults',
      affected: `The function ${capitalize(name)} failed or ran out of time.`,
      heals: 'Its delivery, event, close or run is tried again.',
      run: `aws logs tail ${each.logGroup.logGroupName} --since 1d`,
      metric: each.metricErrors({ period: PERIOD, statistic: Stats.SUM }),
      missing: MISSING.fine,
    }),
  );
  return [faults, ...errors];
}

function capitalize(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}
