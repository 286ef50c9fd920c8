import type { Construct } from 'constructs';
import type { AlarmRule } from './alarm-rule.ts';
import { canaryAlarm } from './canary-alarm.ts';
import { connectionAlarms } from './connection-alarms.ts';
import { functionAlarms } from './function-alarms.ts';
import { gatewayAlarms } from './gateway-alarms.ts';
import { outcomeAlarms } from './outcome-alarms.ts';
import { projectAlarms } from './project-alarms.ts';
import { queueAlarms } from './queue-alarms.ts';
import type { Watched } from './watched.ts';

/** Returns all alarms of a stack. A new alarm is one more object and a section of docs/operations.md. */
export function alarmsOf(scope: Construct, watched: Watched): AlarmRule[] {
  return [
    ...queueAlarms(watched),
    ...gatewayAlarms(scope, watched),
    ...outcomeAlarms(scope, watched),
    ...functionAlarms(scope, watched),
    ...connectionAlarms(scope, watched),
    ...projectAlarms(scope, watched),
    ...canaryAlarm(scope, watched),
  ];
}
