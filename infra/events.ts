import { type Duration, Stack } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type EventPattern, isOnBus, patternOf, sourceOf } from './config/bus.ts';
import type { Configuration, ConnectionConfiguration } from './config/load.ts';
import { shorten } from './names.ts';

/** The same as EventBridge's own: a day, in which the target may come back. */
const RETRY_POLICY = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };
/** A message that cannot be read gets to the dead letters within the hour. */
const MAX_RECEIVES = 20;

/** EventBridge's limit, and what of it the stack's name may take. */
const MAX_RULE_NAME = 64;
const MAX_RULE_STEM = 40;

/** The connections of a configuration whose events come over a bus. */
export function connectionsOnBuses({ connections }: Configuration): [string, ConnectionConfiguration][] {
  return Object.entries(connections).filter(([, { crm }]) => isOnBus(crm));
}

/**
 * A rule for each connection, and the one queue that they all feed: events wait there, and are tried again
 * there, while the function that reads them cannot.
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
      name: shorten(`${ruleStem(scope)}${name}`, MAX_RULE_NAME),
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

/**
 * How the names of this stack's rules begin, on every bus. No name of a stack or connection has a full stop, so no
 * other stack's begin like it.
 */
function ruleStem(scope: Construct): string {
  return `${shorten(Stack.of(scope).stackName, MAX_RULE_STEM - 1)}.`;
}

/**
 * EventBridge may send, for rules whose names begin as this stack's do; not for one rule each, because a policy is
 * short, and a new rule would for a moment be refused.
 */
function fromRules(scope: Construct, queue: Queue): PolicyStatement {
  const stack = Stack.of(scope);
  return new PolicyStatement({
    principals: [new ServicePrincipal('events.amazonaws.com')],
    actions: ['sqs:SendMessage'],
    resources: [queue.queueArn],
    conditions: {
      StringEquals: { 'aws:SourceAccount': stack.account },
      ArnLike: {
        // A rule of another bus than the default one has the bus before its name.
        'aws:SourceArn': ['', '*/'].map((bus) =>
          stack.formatArn({ service: 'events', resource: 'rule', resourceName: `${bus}${ruleStem(scope)}*` }),
        ),
      },
    },
  });
}
