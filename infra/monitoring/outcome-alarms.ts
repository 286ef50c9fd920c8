import { Duration } from 'aws-cdk-lib';
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { metricOf } from '../metrics.ts';
import { type AlarmRule, MISSING, type NeedingAction, PERIOD } from './alarm-rule.ts';
import { command, type Watched } from './watched.ts';

/** A burst of them means a wrong region, account or project; single ones are closed tickets of old chats. */
const BURST = Duration.minutes(15);
const THREE_DAYS =
  'Its closes are tried again for 74 hours, look-ups for 15 minutes, and succeed within an hour of the fix.';

const NEED_ACTION: Record<NeedingAction, { id: Threshold; affected: string; heals: string }> = {
  unauthorized: {
    id: 'UnauthorizedAlarm',
    affected: "PolyAI refuses a project's credentials, so none of its chats is closed.",
    heals: THREE_DAYS,
  },
  misdirected: {
    id: 'MisdirectedAlarm',
    affected: 'PolyAI does not know a project, or redirects: its region, account or project is wrong.',
    heals: THREE_DAYS,
  },
  unknown_target: {
    id: 'UnknownTargetAlarm',
    affected: 'Closes name a project or message version that is not deployed.',
    heals: 'During a deployment this ends within minutes; otherwise they are tried again for 74 hours.',
  },
};

type Threshold = 'UnauthorizedAlarm' | 'MisdirectedAlarm' | 'UnknownTargetAlarm';

/** One alarm for each outcome that recovers only when somebody acts, and one for a burst of `not_found`. */
export function outcomeAlarms(scope: Construct, watched: Watched): AlarmRule[] {
  const { thresholds } = watched.configuration.stack.alarms;
  const needAction = Object.entries(NEED_ACTION).map(
    ([outcome, rule]): AlarmRule => ({
      ...rule,
      section: outcome as NeedingAction,
      run: command(watched, 'status'),
      metric: metricOf(scope, 'CloseAttempts', { outcome }, { statistic: Stats.SUM, period: PERIOD }),
      threshold: thresholds[rule.id],
      missing: MISSING.fine,
    }),
  );
  return [...needAction, notFoundAlarm(scope, watched)];
}

function notFoundAlarm(scope: Construct, watched: Watched): AlarmRule {
  return {
    id: 'NotFoundAlarm',
    section: 'not-found',
    affected: 'PolyAI does not know many of the conversations, so their chats may stay open.',
    heals: 'Nothing recovers automatically: a close that was not found is not tried again.',
    run: command(watched, 'status'),
    // A period without lines is 0. Without FILL an older burst would count again when the lines end.
    metric: new MathExpression({
      expression: 'FILL(attempts, 0)',
      usingMetrics: {
        attempts: metricOf(
          scope,
          'CloseAttempts',
          { outcome: 'not_found' },
          { statistic: Stats.SUM, period: BURST },
        ),
      },
      label: 'Not found',
      period: BURST,
    }),
    threshold: watched.configuration.stack.alarms.thresholds.NotFoundAlarm,
    missing: MISSING.fine,
  };
}
