import { Stack } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { accountOf, type EventPattern, patternOf } from './config/bus.ts';
import type { ConnectionConfiguration } from './config/load.ts';
import { shorten } from './names.ts';
import type { QueuePair } from './queues.ts';

/** EventBridge's own default: a day, in which the target may come back. */
const RETRY_POLICY = { maximumEventAgeInSeconds: 86_400, maximumRetryAttempts: 185 };

/** EventBridge's limit, and the part of it that the stack's name may take. */
const MAX_RULE_NAME = 64;
const MAX_RULE_STEM = 40;

/** One rule for each connection on a bus. All rules send to the same queue. */
export class EventRules extends Construct {
  constructor(
    scope: Construct,
    id: string,
    connections: [string, ConnectionConfiguration][],
    { queue, deadLetters }: QueuePair,
  ) {
    super(scope, id);
    for (const each of [queue, deadLetters]) each.addToResourcePolicy(fromRules(this, each));
    for (const [name, connection] of connections)
      this.createRule(name, connection, { arn: queue.queueArn, deadLetterArn: deadLetters.queueArn });
    // A rule without the permission to send would lose events: EventBridge does not retry a refusal.
    this.node.addDependency(queue, deadLetters);
  }

  private createRule(
    name: string,
    connection: ConnectionConfiguration,
    { arn, deadLetterArn }: { arn: string; deadLetterArn: string },
  ): void {
    new CfnRule(this, name, {
      name: shorten(`${ruleStem(this)}${name}`, MAX_RULE_NAME),
      description: `Events of the connection ${name}`,
      eventBusName: connection.bus ?? '',
      eventPattern: this.patternOf(connection),
      targets: [
        {
          id: 'Events',
          arn,
          // Neither the event nor the message names the rule, so the connection's name is added to the event.
          inputTransformer: {
            inputTemplate: `{"connection":${JSON.stringify(name)},"event":<aws.events.event.json>}`,
          },
          retryPolicy: RETRY_POLICY,
          deadLetterConfig: { arn: deadLetterArn },
        },
      ],
    });
  }

  private patternOf(connection: ConnectionConfiguration): EventPattern {
    const pattern = patternOf(connection.crm, connection);
    const account = accountOf(connection, Stack.of(this).account);
    return account ? { ...pattern, account: [account] } : pattern;
  }
}

/**
 * The beginning of the names of this stack's rules, on every bus. The names of stacks and connections have no full
 * stop, so the rules of another stack begin differently.
 */
function ruleStem(scope: Construct): string {
  return `${shorten(Stack.of(scope).stackName, MAX_RULE_STEM - 1)}.`;
}

/**
 * Lets EventBridge send for every rule whose name begins as this stack's do. It does not name each rule, because a
 * policy must be short, and because a new rule would be refused until the policy has changed.
 */
function fromRules(scope: Construct, queue: IQueue): PolicyStatement {
  const stack = Stack.of(scope);
  return new PolicyStatement({
    principals: [new ServicePrincipal('events.amazonaws.com')],
    actions: ['sqs:SendMessage'],
    resources: [queue.queueArn],
    conditions: {
      StringEquals: { 'aws:SourceAccount': stack.account },
      ArnLike: {
        // The ARN of a rule has its bus before its name, unless that is the default bus.
        'aws:SourceArn': ['', '*/'].map((bus) =>
          stack.formatArn({ service: 'events', resource: 'rule', resourceName: `${bus}${ruleStem(scope)}*` }),
        ),
      },
    },
  });
}
