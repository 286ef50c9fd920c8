import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { createAlarmTopics } from './alarm-topics.ts';
import { type AlarmRule, alarmsOf, type Watched } from './alarms.ts';
import type { Configuration } from './config/load.ts';

/**
 * Creates all alarms. Each names its section of docs/operations.md. They notify nobody unless the configuration
 * names an address or a topic.
 *
 * @returns the topics that the alarms are published to
 */
export function monitor(
  scope: Construct,
  watched: Watched,
  subscribers: Configuration['stack']['alarms'],
): ITopic[] {
  const topics = createAlarmTopics(scope, subscribers);
  for (const rule of alarmsOf(scope, watched)) {
    createAlarm(scope, rule).addAlarmAction(...topics.map((topic) => new SnsAction(topic)));
  }
  return topics;
}

function createAlarm(scope: Construct, rule: AlarmRule): Alarm {
  return new Alarm(scope, rule.id, {
    alarmDescription: `${rule.what} See docs/operations.md#${rule.section}`,
    metric: rule.metric,
    threshold: rule.threshold ?? 1,
    evaluationPeriods: rule.evaluationPeriods ?? 1,
    comparisonOperator: rule.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: rule.missing ?? TreatMissingData.NOT_BREACHING,
  });
}
