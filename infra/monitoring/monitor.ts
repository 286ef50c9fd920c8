import { Alarm, ComparisonOperator } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { type AlarmRule, describe } from './alarm-rule.ts';
import { alarmsOf } from './alarms.ts';
import { createAlarmTopics } from './topics.ts';
import type { Watched } from './watched.ts';

/**
 * Creates all alarms. Each names its section of docs/operations.md. They notify nobody unless the configuration
 * names an address or a topic. The same topics are told when an alarm ends, so that a pager closes its incident.
 *
 * @returns the topics that the alarms are published to
 */
export function monitor(scope: Construct, watched: Watched): ITopic[] {
  const { alarms, runbookUrl } = watched.configuration.stack;
  const topics = createAlarmTopics(scope, alarms);
  const actions = topics.map((topic) => new SnsAction(topic));
  for (const rule of alarmsOf(scope, watched)) {
    const alarm = createAlarm(scope, rule, runbookUrl);
    alarm.addAlarmAction(...actions);
    alarm.addOkAction(...actions);
  }
  return topics;
}

function createAlarm(scope: Construct, rule: AlarmRule, runbookUrl: string | undefined): Alarm {
  return new Alarm(scope, rule.id, {
    alarmDescription: describe(rule, runbookUrl),
    metric: rule.metric,
    threshold: rule.threshold ?? 1,
    evaluationPeriods: rule.evaluationPeriods ?? 1,
    comparisonOperator: rule.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: rule.missing,
  });
}
