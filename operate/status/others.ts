import { type CloudWatchClient, DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import type { Deployment } from '../deployment.ts';
import type { LoggedLine } from '../lines.ts';
import type { Trouble } from './trouble.ts';

const CLI = 'npx --no chat-closer';
/** CloudWatch describes at most this many alarms in a call. */
const ALARMS_A_CALL = 100;

/** The projects whose newest cleanup did not finish. */
export function incompleteCleanups(lines: readonly LoggedLine[]): Trouble[] {
  const runs = lines.filter(({ type }) => type === 'cleanup');
  return [...Map.groupBy(runs, ({ project }) => String(project))].flatMap(([project, own]) => {
    const newest = own.at(-1);
    if (newest?.complete !== false) return [];
    const since = own.slice(own.findLastIndex(({ complete }) => complete === true) + 1)[0]?.at ?? newest.at;
    return [
      {
        cause: 'cleanup_incomplete',
        project,
        chats: Number(newest.stale ?? 0),
        since,
        sentence: `The cleanup of ${project} does not finish since ${since}: ${newest.reason ?? 'no reason is logged'}.`,
        next: `${CLI} cleanup ${project} --dry-run`,
      },
    ];
  });
}

/** Anything unexpected, by the place where it happened. */
export function faults(lines: readonly LoggedLine[]): Trouble[] {
  const all = lines.filter(({ type }) => type === 'fault');
  return [...Map.groupBy(all, ({ where }) => String(where))].map(([where, own]) => ({
    cause: 'fault',
    chats: own.length,
    since: own[0]?.at ?? '',
    sentence: `${own.length} ${own.length === 1 ? 'fault' : 'faults'} at "${where}", the last at ${own.at(-1)?.at}: ${messageOf(own.at(-1))}`,
    next: 'docs/operations.md#faults',
  }));
}

/** The error's name and message, which never have the data that was processed. */
function messageOf({ error }: Partial<LoggedLine> = {}): string {
  const { name = 'Error', message = '' } = (error ?? {}) as { name?: string; message?: string };
  return `${name}: ${message}`;
}

/** The stack's alarms that ring. @returns also how many alarms were looked at */
export async function ringingAlarms(
  cloudWatch: Pick<CloudWatchClient, 'send'>,
  { resources }: Deployment,
): Promise<{ troubles: Trouble[]; looked: number }> {
  const alarms = resources.filter(({ type }) => /^AWS::CloudWatch::(Composite)?Alarm$/.test(type));
  const names = alarms.map(({ name }) => name);
  const found: MetricAlarm[] = [];
  for (let index = 0; index < names.length; index += ALARMS_A_CALL) {
    const { MetricAlarms = [], CompositeAlarms = [] } = await cloudWatch.send(
      new DescribeAlarmsCommand({
        AlarmNames: names.slice(index, index + ALARMS_A_CALL),
        AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
      }),
    );
    found.push(...MetricAlarms, ...CompositeAlarms);
  }
  const ringing = found.filter(({ StateValue }) => StateValue === 'ALARM');
  return { troubles: ringing.map(alarmTrouble), looked: names.length };
}

function alarmTrouble({
  AlarmName = '',
  AlarmDescription = '',
  StateUpdatedTimestamp,
}: MetricAlarm): Trouble {
  const since = StateUpdatedTimestamp?.toISOString() ?? '';
  return {
    cause: 'alarm',
    chats: 0,
    since,
    sentence: `The alarm ${AlarmName} rings since ${since}. ${AlarmDescription.split('\n')[0]}`.trim(),
    next: /\S*operations\.md#\S+/.exec(AlarmDescription)?.[0] ?? 'docs/operations.md#alarms',
  };
}
