import { SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { OperatorError } from '../error.ts';
import { readAlarms } from './alarms.ts';
import type { Checked } from './finding.ts';

const REASON = 'Test by chat-closer doctor --ring. Nothing is wrong.';

/**
 * Sends a test through an alarm: it rings, and goes back to OK. CloudWatch sets it to its true state a little later.
 *
 * @returns the alarm's name
 * @throws {OperatorError} when no alarm of the stack tells anybody
 */
export async function ring({ aws, deployment }: Pick<Checked, 'aws' | 'deployment'>): Promise<string> {
  const alarms = await readAlarms({ aws, deployment });
  const alarm = alarms.find(({ AlarmActions = [] }) => AlarmActions.length > 0);
  const AlarmName = alarm?.AlarmName;
  if (AlarmName === undefined) {
    throw new OperatorError(
      'No alarm of this stack tells anybody. Add stack.alarms with an e-mail address or a topic, and deploy.',
    );
  }
  for (const StateValue of ['ALARM', 'OK'] as const) {
    await aws.cloudWatch.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason: REASON }));
  }
  return AlarmName;
}
