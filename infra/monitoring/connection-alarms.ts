import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { isOnBus } from '../config/bus.ts';
import { toMinutes } from '../config/duration.ts';
import type { ConnectionConfiguration } from '../config/load.ts';
import { metricOf } from '../metrics.ts';
import { type AlarmRule, MISSING, spanOf } from './alarm-rule.ts';
import { VERIFIED, verifiedOf } from './expression.ts';
import { command, type Watched } from './watched.ts';

const REFUSED_PERIOD = Duration.minutes(5);
/** Fifteen minutes of refusals and nothing else. A single forgery after a quiet night does not ring. */
const REFUSED_PERIODS = 3;
/** One verified delivery outweighs every number of forgeries. */
const OUTWEIGHS = 1_000_000_000;

/** The alarms of each connection: that it only refuses, and, with `silentAfter`, that it is silent. */
export function connectionAlarms(scope: Construct, watched: Watched): AlarmRule[] {
  return Object.entries(watched.configuration.connections).flatMap(([name, connection]) => [
    // A bus needs no proof, so its events are never refused for one.
    ...(isOnBus(connection.crm) ? [] : [refusedAlarm(scope, watched, name)]),
    ...(connection.silentAfter ? [silentAlarm(scope, watched, name, connection)] : []),
  ]);
}

/**
 * Counts the wrong proofs of the periods in which nothing was verified. Forgeries beside valid deliveries count as
 * none, so strangers cannot ring the alarm of a connection with traffic. They can ring that of a silent one.
 *
 * The difference holds whether or not AWS fills a metric that has never had a datapoint: a missing side counts as 0.
 */
function refusedAlarm(scope: Construct, watched: Watched, name: string): AlarmRule {
  const period = REFUSED_PERIOD;
  const usingMetrics = {
    ...verifiedOf(scope, name, period),
    wrong: metricOf(scope, 'WrongProofs', { connection: name }, { statistic: Stats.SUM, period }),
  };
  const onlyWrong = `FILL(wrong, 0) - ${OUTWEIGHS} * (${VERIFIED})`;
  return {
    id: `ConnectionRefusedAlarm ${name}`,
    section: 'connection-refused',
    affected: `Every delivery of the connection ${name} has been refused for 15 minutes: its chats stay open.`,
    heals: 'Nothing recovers automatically: few CRMs send a refused delivery again.',
    run: command(watched, 'status'),
    metric: new MathExpression({ expression: onlyWrong, usingMetrics, label: 'Wrong proofs alone', period }),
    threshold: watched.configuration.stack.alarms.thresholds.ConnectionRefusedAlarm,
    evaluationPeriods: REFUSED_PERIODS,
    missing: MISSING.fine,
  };
}

/** Refused deliveries do not count: a stranger's would hide that the CRM sends nothing. */
function silentAlarm(
  scope: Construct,
  watched: Watched,
  name: string,
  { silentAfter }: ConnectionConfiguration,
): AlarmRule {
  const { period, evaluationPeriods } = spanOf(toMinutes(silentAfter));
  return {
    id: `SilentConnectionAlarm ${name}`,
    section: 'silent-connection',
    affected: `No delivery of the connection ${name} was verified for ${silentAfter}: its chats may stay open.`,
    heals: 'It ends with the next verified delivery; those that the CRM did not send are lost.',
    run: command(watched, `connection ${name}`),
    metric: new MathExpression({
      expression: VERIFIED,
      usingMetrics: verifiedOf(scope, name, period),
      label: 'Verified deliveries',
      period,
    }),
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods,
    missing: MISSING.wrong,
  };
}
