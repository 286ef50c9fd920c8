import { Alarm, ComparisonOperator } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { type AlarmRule, describe } from './alarm-rule.ts';
import { alarmsOf } from './alarms.ts';
import { createDashboard } from './dashboard.ts';
import { saveQueries } from './saved-queries.ts';
import { createAlarmTopics } from './topics.ts';
import type { Watched } from './watched.ts';

/**
 * Creates everything that shows how the stack is: alarms, saved queries and a dashboard.
 *
 * @returns the alarms, and the topics that they are published to
 */
export function monitor(scope: Construct, watched: Watched): { topics: ITopic[]; alarms: Alarm[] } {
  saveQueries(scope, watched.logs);
  const { topics, alarms } = createAlarms(scope, watched);
  createDashboard(scope, watched, alarms);
  return { topics, alarms };
}

/**
 * Creates all alarms. Each names its section of docs/operations.md. They notify nobody unless the configuration
 * names an address or a topic. The same topics are told when an alarm ends, so that a pager closes its incident.
 */
function createAlarms(scope: Construct, watched: Watched): { topics: ITopic[]; alarms: Alarm[] } {
  const { stack } = watched.configuration;
  const topics = createAlarmTopics(scope, stack);
  const actions = topics.map((topic) => new SnsAction(topic));
  const alarms = alarmsOf(scope, watched).map((rule) => {
    const alarm = createAlarm(scope, rule, stack.runbookUrl);
    alarm.addAlarmAction(...actions);
    alarm.addOkAction(...actions);
    return alarm;
  });
  return { topics, alarms };
}

/** Creates one alarm. @param runbookUrl the address of docs/operations.md; its path in the repository without one */
export function createAlarm(scope: Construct, rule: AlarmRule, runbookUrl: string | undefined): Alarm {
  return new Alarm(scope, rule.id, {
    alarmDescription: describe(rule, runbookUrl),
    metric: rule.metric,
    threshold: rule.threshold ?? 1,
    evaluationPeriods: rule.evaluationPeriods ?? 1,
    ...(rule.datapointsToAlarm && { datapointsToAlarm: rule.datapointsToAlarm }),
    comparisonOperator: rule.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: rule.missing,
  });
}
