import { DescribeRuleCommand, ListEventSourcesCommand } from '@aws-sdk/client-eventbridge';
import { CRMS } from '../../functions/crm/index.ts';
import { isOnBus } from '../../infra/config/bus.ts';
import { type Check, type Checked, type Finding, fault, ok } from './finding.ts';

/** Whether the rules of buses are on, and the partners' sources are associated with a bus. */
export const checkBuses: Check = async (checked) => {
  const { configuration, resources } = checked.deployment;
  if (!Object.values(configuration.connections).some(({ crm }) => isOnBus(crm))) return [];
  const rules = resources.filter(({ type }) => type === 'AWS::Events::Rule');
  return [
    ...(await Promise.all(rules.map(({ name }) => checkRule(name, checked)))),
    ...(await checkSources(checked)),
  ];
};

/** CloudFormation names a rule on a bus of its own as `bus|rule`. */
async function checkRule(physicalName: string, { aws }: Checked): Promise<Finding> {
  const [first = '', second] = physicalName.split('|');
  const Name = (second ?? first).replace(/^.*\//, '');
  const { State } = await aws.eventBridge.send(
    new DescribeRuleCommand({ Name, ...(second !== undefined && { EventBusName: first }) }),
  );
  return State === 'DISABLED'
    ? fault(
        'event rule',
        `The rule ${Name} is off, so no event arrives.`,
        `aws events enable-rule --name ${Name}`,
        Name,
      )
    : ok('event rule', `The rule ${Name} is on.`, Name);
}

async function checkSources({ aws, deployment }: Checked): Promise<Finding[]> {
  const crms = new Set(Object.values(deployment.configuration.connections).map(({ crm }) => crm));
  const prefixes = [...crms].flatMap((crm) => {
    const { bus } = CRMS[crm] ?? {};
    return typeof bus === 'object' && 'sourcePrefixes' in bus ? bus.sourcePrefixes : [];
  });
  const lists = prefixes.map((NamePrefix) =>
    aws.eventBridge.send(new ListEventSourcesCommand({ NamePrefix })),
  );
  const sources = (await Promise.all(lists)).flatMap(({ EventSources = [] }) => EventSources);
  return sources.map(({ Name = '', State }) =>
    State === 'PENDING'
      ? fault(
          'event source of a partner',
          `The source ${Name} is pending: no bus takes its events.`,
          `Associate it with a bus, in the console of EventBridge, or: aws events create-event-bus --name ${Name} --event-source-name ${Name}`,
          Name,
        )
      : ok('event source of a partner', `The source ${Name} is ${State}.`, Name),
  );
}
