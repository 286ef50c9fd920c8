import { DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { GetTopicAttributesCommand, ListSubscriptionsByTopicCommand } from '@aws-sdk/client-sns';
import type { Deployment } from '../deployment.ts';
import { type Check, type Checked, type Finding, fault, ok, warning } from './finding.ts';

const ALARMS_A_CALL = 100;

/** Whether the alarms are on and reach somebody. */
export const checkAlarms: Check = async (checked) => {
  const alarms = await readAlarms(checked);
  const off = alarms.filter(({ ActionsEnabled }) => ActionsEnabled === false);
  const topics = [...new Set(alarms.flatMap(({ AlarmActions = [] }) => AlarmActions))];
  return [
    ...off.map(({ AlarmName = '' }) =>
      fault(
        'alarms',
        `The alarm ${AlarmName} notifies nobody: its actions are switched off.`,
        `aws cloudwatch enable-alarm-actions --alarm-names ${AlarmName}`,
        AlarmName,
      ),
    ),
    ...(topics.length === 0
      ? [
          warning(
            'alarms',
            'The alarms notify nobody.',
            'Add stack.alarms with an e-mail address or a topic, and deploy',
          ),
        ]
      : (await Promise.all(topics.map((topic) => checkTopic(topic, checked)))).flat()),
  ];
};

/** Every alarm of the stack, as it is now. */
export async function readAlarms({
  aws,
  deployment,
}: Pick<Checked, 'aws' | 'deployment'>): Promise<MetricAlarm[]> {
  const names = alarmNames(deployment);
  const found: MetricAlarm[] = [];
  for (let index = 0; index < names.length; index += ALARMS_A_CALL) {
    const AlarmNames = names.slice(index, index + ALARMS_A_CALL);
    const { MetricAlarms = [], CompositeAlarms = [] } = await aws.cloudWatch.send(
      new DescribeAlarmsCommand({ AlarmNames, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] }),
    );
    found.push(...MetricAlarms, ...CompositeAlarms);
  }
  return found;
}

function alarmNames({ resources }: Deployment): string[] {
  return resources.flatMap(({ type, name }) =>
    /^AWS::CloudWatch::(Composite)?Alarm$/.test(type) ? [name] : [],
  );
}

async function checkTopic(TopicArn: string, { aws }: Checked): Promise<Finding[]> {
  const { Subscriptions = [] } = await aws.sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  const pending = Subscriptions.filter(({ SubscriptionArn }) => !/^arn:/.test(SubscriptionArn ?? ''));
  const confirmed = Subscriptions.length - pending.length;
  const waiting = pending.map(({ Endpoint = '' }) =>
    fault(
      'subscribers',
      `${Endpoint} has not confirmed that it wants the alarms.`,
      'Confirm the mail that AWS has sent; deploy again if it has expired',
      TopicArn,
    ),
  );
  const none =
    Subscriptions.length === 0
      ? [
          fault(
            'subscribers',
            `Nobody subscribes to the alarms’ topic ${TopicArn}.`,
            'Subscribe somebody, or a pager',
            TopicArn,
          ),
        ]
      : [];
  const well = confirmed > 0 ? [ok('subscribers', `${confirmed} confirmed.`, TopicArn)] : [];
  return [...waiting, ...none, ...well, ...(await checkPolicy(TopicArn, aws))];
}

/** Whether CloudWatch may publish. Without it AWS drops the messages and says nothing. */
async function checkPolicy(TopicArn: string, { sns }: Checked['aws']): Promise<Finding[]> {
  const { Attributes = {} } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
  const isAllowed = statementsOf(Attributes.Policy).some(allowsCloudWatch);
  if (isAllowed || Attributes.Policy === undefined) return [];
  return [
    fault(
      'topic policy',
      'The topic’s policy does not let CloudWatch publish, so its messages are dropped.',
      'Add the statement of the README, step 8',
      TopicArn,
    ),
  ];
}

type Statement = { Effect?: string; Principal?: unknown; Action?: string | string[]; Condition?: unknown };

function statementsOf(policy = '{}'): Statement[] {
  try {
    return [JSON.parse(policy).Statement ?? []].flat();
  } catch {
    return [];
  }
}

function allowsCloudWatch({ Effect, Principal, Action }: Statement): boolean {
  const actions = [Action ?? []].flat();
  const publishes = actions.some((action) => /^(sns:)?(publish|\*)$/i.test(action));
  // The policy that a topic has by default lets everybody of the account publish, alarms included.
  const principal = JSON.stringify(Principal ?? '');
  return Effect === 'Allow' && publishes && /cloudwatch\.amazonaws\.com|"\*"/.test(principal);
}
