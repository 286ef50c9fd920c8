import { type Duration, Stack, Token } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type EventPattern, isOnBus, patternOf, sourceOf } from './config/bus.ts';
import { type Fault, pathOf } from './config/fault.ts';
import { type Configuration, ConfigurationError, type ConnectionConfiguration } from './config.ts';

/** The same as EventBridge's own: a day, in which the target may come back. */
const RETRY_POLICY = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };
/** A message that cannot be read gets to the dead letters within the hour. */
const MAX_RECEIVES = 20;

/** The connections of a configuration whose events come over a bus. */
export function connectionsOnBuses({ connections }: Configuration): [string, ConnectionConfiguration][] {
  return Object.entries(connections).filter(([, { crm }]) => isOnBus(crm));
}

/**
 * A rule for each connection, and the one queue that they all feed: events wait there, and are tried again
 * there, while the function that reads them cannot.
 *
 * @throws {ConfigurationError} when a bus is known to be of another account or region
 */
export class Events extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(
    scope: Construct,
    id: string,
    connections: [string, ConnectionConfiguration][],
    queue: QueueProps & { visibilityTimeout: Duration },
  ) {
    super(scope, id);
    const { visibilityTimeout, ...both } = queue;
    requireOwnBuses(Stack.of(this), connections);
    this.deadLetters = new Queue(this, 'DeadLetters', both);
    this.queue = new Queue(this, 'Queue', {
      ...both,
      visibilityTimeout,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVES },
    });
    for (const each of [this.queue, this.deadLetters]) each.addToResourcePolicy(fromRules(this, each));
    const rules = new Construct(this, 'Rules');
    for (const [name, connection] of connections) this.createRule(rules, name, connection);
    // A rule that may not send yet would lose what it matches: EventBridge does not try a refusal again.
    rules.node.addDependency(this.queue, this.deadLetters);
  }

  private createRule(scope: Construct, name: string, connection: ConnectionConfiguration): void {
    new CfnRule(scope, name, {
      description: `Events of the connection ${name}`,
      eventBusName: connection.bus ?? '',
      eventPattern: this.patternOf(connection),
      targets: [
        {
          id: 'Events',
          arn: this.queue.queueArn,
          // The event as it is, and whose it is: neither event nor message names the rule.
          inputTransformer: {
            inputTemplate: `{"connection":${JSON.stringify(name)},"event":<aws.events.event.json>}`,
          },
          retryPolicy: RETRY_POLICY,
          deadLetterConfig: { arn: this.deadLetters.queueArn },
        },
      ],
    });
  }

  /** Only AWS can put events with a source that begins like a partner's; with another, they must be this account's. */
  private patternOf(connection: ConnectionConfiguration): EventPattern {
    const pattern = patternOf(connection.crm, connection);
    const needsAccount = !connection.eventPattern && !sourceOf(connection).startsWith('aws.');
    return needsAccount ? { ...pattern, account: [Stack.of(this).account] } : pattern;
  }
}

/** EventBridge may send, for rules of this account and region; not for one rule each, because a policy is short. */
function fromRules(scope: Construct, queue: Queue): PolicyStatement {
  const stack = Stack.of(scope);
  return new PolicyStatement({
    principals: [new ServicePrincipal('events.amazonaws.com')],
    actions: ['sqs:SendMessage'],
    resources: [queue.queueArn],
    conditions: {
      StringEquals: { 'aws:SourceAccount': stack.account },
      ArnLike: {
        'aws:SourceArn': stack.formatArn({ service: 'events', resource: 'rule', resourceName: '*' }),
      },
    },
  });
}

/** The command line tells where it is about to deploy, even to a stack that may go anywhere. */
function requireOwnBuses(stack: Stack, connections: [string, ConnectionConfiguration][]): void {
  const account = Token.isUnresolved(stack.account) ? process.env.CDK_DEFAULT_ACCOUNT : stack.account;
  const region = Token.isUnresolved(stack.region) ? process.env.CDK_DEFAULT_REGION : stack.region;
  const faults = connections.flatMap(([name, { bus = '' }]): Fault[] => {
    const [, busRegion, busAccount] = /^arn:[^:]*:events:([^:]*):([^:]*):/.exec(bus) ?? [];
    const foreign = [
      busRegion && region && busRegion !== region ? `region ${busRegion}` : '',
      busAccount && account && busAccount !== account ? `account ${busAccount}` : '',
    ].filter(Boolean);
    if (foreign.length === 0) return [];
    return [
      {
        path: pathOf('connections', name, 'bus'),
        problem: `is a bus of ${foreign.join(' and ')}, and this stack is for ${[account, region].filter(Boolean).join(', ')}`,
        mend: 'Let a rule there forward its events to a bus of this account and region, and name that; or deploy there',
      },
    ];
  });
  if (faults.length > 0) throw new ConfigurationError('the configuration', faults);
}
