import { CfnOutput, Stack, Tags } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { AnyPrincipal, Effect, type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct, type IConstruct } from 'constructs';
import { acknowledgeFindings } from './acknowledge.ts';
import { requireOwnArns } from './arns.ts';
import { Canary } from './canary.ts';
import { Cleanup } from './cleanup.ts';
import { type Configuration, checkConfiguration, loadConfiguration } from './config/load.ts';
import type { ConnectionsFile } from './config/schema.ts';
import { describeStack } from './describe.ts';
import { embed } from './embed.ts';
import { encryptionKey } from './encryption.ts';
import { Events } from './events.ts';
import { warnOfForeignHosts } from './foreign-hosts.ts';
import type { FunctionName } from './function.ts';
import { createMetricFilters, type DimensionsOf, type MetricName, metricOf } from './metrics.ts';
import { monitor } from './monitoring/monitor.ts';
import { Receiver } from './receiver.ts';
import { requireResources } from './resources.ts';
import { createStackSecrets, secretsToFill } from './stack-secrets.ts';
import { createCloseQueues, Worker } from './worker.ts';

export type ChatCloserProps = {
  /** What `connections.json` holds, the path of such a file, or what `loadConfiguration` returned. */
  configuration: ConnectionsFile | Configuration | string;
  /** Deploys source maps beside the bundles, which makes them several times larger. */
  sourceMaps?: boolean;
};

/** What other constructs may use of a ChatCloser. */
export interface IChatCloser extends IConstruct {
  readonly queues: ChatCloser['queues'];
  readonly functions: ChatCloser['functions'];
  readonly api?: HttpApi;
  readonly alarms: readonly Alarm[];
  readonly alarmTopics: readonly ITopic[];
  grantSendCloses(grantee: IGrantable): Grant;
  grantRedrive(grantee: IGrantable): Grant;
  metric<Name extends MetricName>(
    name: Name,
    dimensions: DimensionsOf<Name>,
    options?: Parameters<typeof metricOf>[3],
  ): Metric;
}

/**
 * The whole adapter: webhooks and events in, one queue, confirmed closes out, and a scheduled cleanup. Parts that
 * the configuration does not need are left out. Secrets, metrics and outputs are named after the stack, so a stack
 * takes one.
 */
export class ChatCloser extends Construct implements IChatCloser {
  /** `events` and `eventsDeadLetters` only with connections on buses. */
  readonly queues: { closes: Queue; deadLetters: Queue; events?: Queue; eventsDeadLetters?: Queue };
  /** `receive` only with webhooks, `event` only with connections on buses, `cleanup` and `canary` only where configured. */
  readonly functions: Partial<Record<FunctionName, LambdaFunction>> & { close: LambdaFunction };
  /** Only with webhooks. */
  readonly api?: HttpApi;
  /** Where the API is reached: its own address, or the user's domain name. */
  private readonly url?: string;
  private readonly domainTarget?: string;
  readonly alarms: readonly Alarm[];
  /** What the alarms are published to. */
  readonly alarmTopics: readonly ITopic[];

  /** @throws {ConfigurationError} with every fault of the configuration at once */
  constructor(scope: Construct, id: string, { configuration: given, sourceMaps = false }: ChatCloserProps) {
    super(scope, id);
    requireAlone(this);
    acknowledgeFindings(this);
    const configuration = load(given, Stack.of(this).stackName);
    requireOwnArns(Stack.of(this), configuration);
    warnOfForeignHosts(this, configuration);

    const secrets = createStackSecrets(this, configuration);
    const { queue: closes, deadLetters } = createCloseQueues(this, encryptionKey(this, configuration.stack));
    const embedded = embed(configuration, secrets);
    const shared = { configuration, secrets, closes, deadLetters, embedded, sourceMaps };

    const receiver = Receiver.add(this, shared);
    const events = Events.add(this, shared);
    const cleanup = Cleanup.add(this, shared);
    const worker = new Worker(this, shared);
    const canary = Canary.add(this, shared, receiver?.gateway.url);

    this.queues = {
      closes,
      deadLetters,
      ...(events && { events: events.queues.queue, eventsDeadLetters: events.queues.deadLetters }),
    };
    this.functions = {
      ...(receiver && { receive: receiver.handler }),
      close: worker.handler,
      ...(events && { event: events.handler }),
      ...(cleanup && { cleanup: cleanup.handler }),
      ...(canary && { canary: canary.handler }),
    };
    if (receiver) {
      const { api, url, domainTarget } = receiver.gateway;
      this.api = api;
      this.url = url;
      if (domainTarget) this.domainTarget = domainTarget;
    }

    const logs = { ...this.logGroups(), ...(receiver && { access: receiver.gateway.accessLog }) };
    createMetricFilters(this, logs);
    const { alarms, topics } = monitor(this, {
      configuration,
      ...this.queues,
      functions: this.functions,
      logs,
      ...(receiver && { gateway: receiver.gateway }),
      ...(cleanup && { cleanup }),
      ...(canary && { canary }),
    });
    this.alarms = alarms;
    this.alarmTopics = topics;
    describeStack(this, configuration, secrets, this.functions, logs);
    this.addOutputs(JSON.stringify(secretsToFill(configuration, secrets)));
    for (const [tag, value] of Object.entries(configuration.stack.tags ?? {})) Tags.of(this).add(tag, value);
    this.restrictSenders(configuration.stack.queueSenders);
    const { terminationProtection } = configuration.stack;
    if (terminationProtection !== undefined) Stack.of(this).terminationProtection = terminationProtection;
    requireResources(Stack.of(this), configuration);
  }

  /** Allows sending close requests to the queue, each a `CloseRequest` as JSON. */
  grantSendCloses(grantee: IGrantable): Grant {
    return this.queues.closes.grant(grantee, 'sqs:SendMessage');
  }

  /** Allows what `chat-closer redrive` needs on the queues: reading dead letters, and moving them back. */
  grantRedrive(grantee: IGrantable): Grant {
    const { closes, deadLetters } = this.queues;
    const read = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'];
    return deadLetters
      .grant(grantee, ...read, 'sqs:GetQueueAttributes')
      .combine(closes.grant(grantee, 'sqs:SendMessage'));
  }

  /**
   * A metric of this stack, as in docs/operations.md#metrics.
   *
   * @param dimensions besides `service`, such as `{ project, outcome }` of `Closes`
   */
  metric<Name extends MetricName>(
    name: Name,
    dimensions: DimensionsOf<Name>,
    options: Parameters<typeof metricOf>[3] = {},
  ): Metric {
    return metricOf(this, name, dimensions, options);
  }

  /** Denies sending to the close queue to everybody but the stack's own functions and these principals. */
  private restrictSenders(allowed: readonly string[] | undefined): void {
    if (!allowed) return;
    const own = Object.values(this.functions).flatMap(({ role }) => role?.roleArn ?? []);
    this.queues.closes.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['sqs:SendMessage'],
        resources: [this.queues.closes.queueArn],
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': [...own, ...allowed] } },
      }),
    );
  }

  private logGroups(): Partial<Record<FunctionName, ILogGroup>> {
    const functions = Object.entries(this.functions) as [FunctionName, LambdaFunction][];
    return Object.fromEntries(functions.map(([name, { logGroup }]) => [name, logGroup]));
  }

  /** Commands and scripts read these outputs by their names, so the names do not depend on the construct's id. */
  private addOutputs(toFill: string): void {
    const output = (name: string, value: string, description?: string) =>
      new CfnOutput(this, name, { value, ...(description && { description }) }).overrideLogicalId(name);
    const { closes, deadLetters, eventsDeadLetters } = this.queues;
    if (this.api) {
      const description = "Append /<connection> to get a connection's webhook URL";
      output('WebhooksUrl', `${this.url}/webhooks`, description);
      const target = 'The domain name that your own one must point to, by a CNAME or alias record';
      if (this.domainTarget) output('DomainTarget', this.domainTarget, target);
    }
    output('OutcomesLogGroup', this.functions.close.logGroup.logGroupName);
    output('CloseQueueUrl', closes.queueUrl);
    output('DeadLetterQueueUrl', deadLetters.queueUrl);
    if (eventsDeadLetters) output('EventsDeadLetterQueueUrl', eventsDeadLetters.queueUrl);
    output('SecretsToFill', toFill, 'Secrets you still need to fill in, with the JSON that each one expects');
  }
}

/** @throws {ConfigurationError} with every fault at once */
function load(given: ChatCloserProps['configuration'], stackName: string): Configuration {
  if (typeof given === 'string') return loadConfiguration(given, stackName);
  return 'projects' in given ? given : checkConfiguration(given, 'configuration', stackName);
}

/** @throws {Error} when the stack has another ChatCloser */
function requireAlone(closer: ChatCloser): void {
  const stack = Stack.of(closer);
  const others = stack.node.findAll().filter((each) => each instanceof ChatCloser && each !== closer);
  if (others.length === 0) return;
  throw new Error(
    `The stack ${stack.stackName} already has the ChatCloser "${others[0]?.node.path}". Put "${closer.node.path}" into a stack of its own: secrets and metrics are named after the stack.`,
  );
}
