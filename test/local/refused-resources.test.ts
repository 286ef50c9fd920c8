import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeRefused } from '../../local/refused-resources.ts';
import { temporaryFolder } from '../support/configuration.ts';

const ALARM = 'AWS::CloudWatch::Alarm';
const RESOURCES = {
  Queue: { Type: 'AWS::SQS::Queue', Properties: {} },
  Simple: { Type: ALARM, Properties: { MetricName: 'Errors' } },
  Math: { Type: ALARM, Properties: { Metrics: [{ Id: 'm' }] } },
  Both: { Type: 'AWS::CloudWatch::CompositeAlarm', Properties: { AlarmRule: 'x' } },
  Saved: { Type: 'AWS::Logs::QueryDefinition', Properties: { Name: 'x' } },
  Dashboard: {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: {
      DashboardBody: {
        'Fn::Join': ['', ['[', { 'Fn::GetAtt': ['Math', 'Arn'] }, { 'Fn::GetAtt': ['Simple', 'Arn'] }, ']']],
      },
    },
  },
};

/** What is left of a template with these resources, and the ids that were taken out. */
function remove(resources: object) {
  const file = join(temporaryFolder(), 'closer.template.json');
  writeFileSync(
    file,
    JSON.stringify({ Description: 'd', Resources: resources, Outputs: { Url: { Ref: 'Queue' } } }),
  );
  const removed = removeRefused(file);
  return { removed, left: JSON.parse(readFileSync(file, 'utf8')) };
}

describe('removeRefused', () => {
  it('takes out saved queries, composite alarms and alarms on more than one metric, and nothing else', () => {
    const { removed, left } = remove(RESOURCES);
    expect(removed).toEqual(['Math', 'Both', 'Saved']);
    expect(Object.keys(left.Resources)).toEqual(['Queue', 'Simple', 'Dashboard']);
    expect(left).toMatchObject({ Description: 'd', Outputs: { Url: { Ref: 'Queue' } } });
  });

  it('leaves no reference to what was taken out', () => {
    const { Dashboard } = remove(RESOURCES).left.Resources;
    expect(Dashboard.Properties.DashboardBody['Fn::Join'][1]).toEqual([
      '[',
      'not-in-the-emulator',
      { 'Fn::GetAtt': ['Simple', 'Arn'] },
      ']',
    ]);
  });

  it('changes nothing where there is nothing to refuse', () => {
    const { removed, left } = remove({ Queue: RESOURCES.Queue });
    expect({ removed, resources: left.Resources }).toEqual({
      removed: [],
      resources: { Queue: RESOURCES.Queue },
    });
  });
});
