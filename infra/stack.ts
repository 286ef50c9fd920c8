import { CfnOutput, Duration, Fn, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, type NodejsFunctionProps } from 'aws-cdk-lib/aws-lambda-nodejs';
import { type ILogGroup, LogGroup } from 'aws-cdk-lib/aws-logs';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Connection, ListedProject, Project } from '../functions/connections.ts';
import { ENVIRONMENT } from '../functions/environment.ts';
import { requireOwnArns } from './arns.ts';
import { bundling, type Embedded, writeConfigured } from './bundle.ts';
import { CleanupSchedules, embedCleanup, projectsWithCleanup, START_WITHIN_SECONDS } from './cleanup.ts';
import { isOnBus } from './config/bus.ts';
import type { Configuration } from './config/load.ts';
import { connectionsOnBuses, Events } from './events.ts';
import { consume, postpone, readSecrets, sendTo } from './grants.ts';
import { initialSecret, PROJECT_WAITS } from './initial-secret.ts';
import { monitor } from './monitoring.ts';
import { requireResources } from './resources.ts';
import { ROOT } from './root.ts';
import {
  createSecret,
  ownPatterns,
  projectShape,
  provenBySecret,
  type StackSecret,
  secretsOf,
} from './secrets.ts';

export type ChatCloserProps = StackProps & {
  configuration: Configuration;
  /** Deploys source maps beside the bundles, which makes them several times larger. */
  sourceMaps?: boolean;
};

/** A CRM waits five seconds; what the function calls is bounded below this. */
const RECEIVE_TIMEOUT = Duration.seconds(10);
/** One call of ten seconds, a second one after a changed secret, and settling them. */
const CLOSE_TIMEOUT = Duration.seconds(30);
/** Six times that, so that no message comes back while it is still being worked on. */
const VISIBILITY = Duration.seconds(180);
/** Nobody waits for it; ten events of a hundred closes each are queued well within this. */
const EVENT_TIMEOUT = Duration.seconds(10);
/** Six times that, and soon enough for an id that must be looked up while it is fresh. */
const EVENT_VISIBILITY = Duration.seconds(60);
/** As long as a function can run: PolyAI's list may be slow, and the rest is the next run's. */
const CLEANUP_TIMEOUT = Duration.minutes(15);
const RETENTION = Duration.days(14);
/** Far above what every back-off needs: only a message that crashes its function gets here. */
const MAX_RECEIVES = 1000;
const BATCH = 10;
/** The fewest at once that Lambda takes for a queue. */
const MIN_CONCURRENCY = 2;

/**
 * The whole adapter: webhook in, queue, close out. Where all connections are on buses there is no API and no
 * receiver.
 *
 * @throws {ConfigurationError} for what only the account, the region or CloudFormation can refuse
 */
export class ChatCloserStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    { configuration, sourceMaps = false, ...props }: ChatCloserProps,
  ) {
    super(scope, id, { description: 'Closes PolyAI chats when a CRM says that they are finished', ...props });
    const { stack, projects, connections } = configuration;
    requireOwnArns(this, configuration);

    const queue = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: RETENTION };
    const deadLetters = new Queue(this, 'DeadLetters', queue);
    const closes = new Queue(this, 'Closes', {
      ...queue,
      visibilityTimeout: VISIBILITY,
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
    });

    const projectSecrets = secretsOf(this, projects, (name) =>
      createSecret(this, `Project ${name}`, `${this.stackName}/polyai/${name}/secret`, PROJECT_WAITS),
    );
    const connectionSecrets = secretsOf(this, provenBySecret(connections), (name, { crm, verify }) =>
      createSecret(
        this,
        `Connection ${name}`,
        `${this.stackName}/connections/${name}/secret`,
        initialSecret(crm, verify.scheme),
      ),
    );

    const logGroup = (name: string, logGroupName?: string) =>
      new LogGroup(this, name, {
        ...(logGroupName && { logGroupName }),
        retention: stack.logRetentionDays,
        removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      });
    const embedded = embed(configuration, projectSecrets, connectionSecrets);
    const createFunction = (
      name: string,
      needs: keyof Embedded,
      { may, ...own }: NodejsFunctionProps & { may: (role: Role) => void },
    ) => {
      const log = logGroup(`${name}Log`);
      const role = new Role(this, `${name}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
      log.grantWrite(role);
      may(role);
      return new NodejsFunction(this, name, {
        runtime: Runtime.NODEJS_24_X,
        architecture: Architecture.ARM_64,
        entry: `${ROOT}/functions/${name.toLowerCase()}.lambda.ts`,
        projectRoot: ROOT,
        depsLockFilePath: `${ROOT}/package-lock.json`,
        bundling: bundling(writeConfigured({ [needs]: embedded[needs] }), sourceMaps),
        loggingFormat: LoggingFormat.JSON,
        applicationLogLevelV2: ApplicationLogLevel.INFO,
        systemLogLevelV2: SystemLogLevel.WARN,
        logGroup: log,
        role,
        ...own,
        environment: {
          ...own.environment,
          [ENVIRONMENT.service]: this.stackName,
          ...(sourceMaps && { NODE_OPTIONS: '--enable-source-maps' }),
        },
      });
    };

    const readAll = (role: Role, kind: 'polyai' | 'connections', secrets: Map<string, StackSecret>) =>
      readOnly(this, role, kind, [...secrets.values()], secrets);

    const isWebhook = ({ crm }: { crm: string }) => !isOnBus(crm);
    const receive = Object.values(connections).some(isWebhook)
      ? createFunction('Receive', 'connections', {
          description: 'Verifies webhooks and queues the closes that they ask for',
          timeout: RECEIVE_TIMEOUT,
          // The start, while a CRM waits, is bound by the processor, and that grows with the memory.
          memorySize: 512,
          environment: { [ENVIRONMENT.closeQueueUrl]: closes.queueUrl },
          may: (role) => {
            readAll(role, 'connections', connectionSecrets);
            role.addToPolicy(sendTo(closes));
          },
        })
      : undefined;

    const looksUp = Object.values(connections).some(({ lookUp }) => lookUp);
    const close = createFunction('Close', 'projects', {
      description: 'Closes chats at PolyAI and settles what comes of it',
      timeout: CLOSE_TIMEOUT,
      // It mostly waits for PolyAI, ten calls side by side.
      memorySize: 256,
      environment: {
        [ENVIRONMENT.closeQueueUrl]: closes.queueUrl,
        [ENVIRONMENT.deadLetterQueueUrl]: deadLetters.queueUrl,
      },
      may: (role) => {
        readAll(role, 'polyai', projectSecrets);
        for (const each of [consume(closes), postpone(closes), sendTo(deadLetters)]) role.addToPolicy(each);
        // A shared id that is resolved becomes a close of its own.
        if (looksUp) role.addToPolicy(sendTo(closes));
      },
    });
    requireVisibility(VISIBILITY, CLOSE_TIMEOUT);
    feed(close, closes, stack.maxConcurrency);

    const onBuses = connectionsOnBuses(configuration);
    const events =
      onBuses.length > 0
        ? new Events(this, 'Events', onBuses, { ...queue, visibilityTimeout: EVENT_VISIBILITY })
        : undefined;
    const event =
      events &&
      createFunction('Event', 'eventConnections', {
        description: 'Reads the events of buses and queues the closes that they ask for',
        timeout: EVENT_TIMEOUT,
        // Nobody waits for its start.
        memorySize: 256,
        environment: { [ENVIRONMENT.closeQueueUrl]: closes.queueUrl },
        may: (role) => {
          for (const each of [consume(events.queue), sendTo(closes)]) role.addToPolicy(each);
        },
      });
    if (event) {
      requireVisibility(EVENT_VISIBILITY, EVENT_TIMEOUT);
      // A new account may run ten functions at once: what these leave is for webhooks.
      feed(event, events.queue, Math.max(MIN_CONCURRENCY, Math.floor(stack.maxConcurrency / 2)));
      new CfnOutput(this, 'EventsDeadLetterQueueUrl', { value: events.deadLetters.queueUrl });
    }

    const toCleanUp = projectsWithCleanup(configuration);
    const cleanup =
      toCleanUp.length > 0
        ? createFunction('Cleanup', 'listedProjects', {
            description: 'Looks for chats that were left open and queues their closes',
            timeout: CLEANUP_TIMEOUT,
            // A page of PolyAI's list carries transcripts.
            memorySize: 1024,
            retryAttempts: 0,
            maxEventAge: Duration.seconds(START_WITHIN_SECONDS),
            environment: { [ENVIRONMENT.closeQueueUrl]: closes.queueUrl },
            may: (role) => {
              const read = toCleanUp.flatMap(([name]) => projectSecrets.get(name) ?? []);
              readOnly(this, role, 'polyai', read, projectSecrets);
              role.addToPolicy(sendTo(closes));
            },
          })
        : undefined;
    const schedules = cleanup && new CleanupSchedules(this, 'Schedules', toCleanUp, cleanup);

    const accessLog = receive && logGroup('AccessLog', accessLogName(this));
    if (receive && accessLog) {
      const api = createApi(this, receive, accessLog, stack.throttle);
      new CfnOutput(this, 'WebhooksUrl', {
        value: `${api.apiEndpoint}/webhooks`,
        description: "A connection's address is this, a slash and its name",
      });
    }
    monitor(this, {
      alarms: stack.alarms,
      closes,
      deadLetters,
      eventsDeadLetters: events?.deadLetters,
      accessLog,
      functions: {
        ...(receive && { Receive: receive }),
        Close: close,
        ...(event && { Event: event }),
        ...(cleanup && { Cleanup: cleanup }),
      },
      cleanups: schedules && { projects: Object.fromEntries(toCleanUp), scheduleGroup: schedules.groupName },
    });

    new CfnOutput(this, 'OutcomesLogGroup', { value: close.logGroup.logGroupName });
    new CfnOutput(this, 'CloseQueueUrl', { value: closes.queueUrl });
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: deadLetters.queueUrl });
    const needsOf = (project: string) => ({
      lookUp: Object.values(connections).some(({ polyai, lookUp }) => polyai === project && lookUp),
      cleanup: projects[project]?.cleanup !== undefined,
    });
    const toFill = [
      ...[...projectSecrets].flatMap(([name, { id, toFill }]) =>
        toFill ? [[id, projectShape(toFill, needsOf(name))]] : [],
      ),
      ...[...connectionSecrets.values()].flatMap(({ id, toFill }) =>
        toFill ? [[id, JSON.parse(toFill)]] : [],
      ),
    ];
    new CfnOutput(this, 'SecretsToFill', {
      value: JSON.stringify(Object.fromEntries(toFill)),
      description: 'The secrets that wait to be filled, and the shape of what belongs in them',
    });
    requireResources(this, configuration);
  }
}

/** Lets a role read these secrets, each of the user's own once. */
function readOnly(
  stack: Stack,
  role: Role,
  kind: 'polyai' | 'connections',
  read: StackSecret[],
  all: Map<string, StackSecret>,
): void {
  const existing = [...new Set(read.map((secret) => secret.existing))];
  readSecrets(role, ownPatterns(stack, kind, read, [...all.values()]), existing);
}

/** Not `SqsEventSource`, which would add to the role's permissions. */
function feed(worker: NodejsFunction, queue: IQueue, maxConcurrency: number): void {
  worker.addEventSourceMapping('Source', {
    eventSourceArn: queue.queueArn,
    batchSize: BATCH,
    reportBatchItemFailures: true,
    maxConcurrency,
  });
}

/**
 * Below `/aws/vendedlogs/` API Gateway needs no room in the account's one resource policy for logs, which is
 * short. The end is the stack's own id: the group outlives the stack, and the next one of the name needs another.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
 */
function accessLogName({ stackName, stackId }: Stack): string {
  return `/aws/vendedlogs/${stackName}/AccessLog-${Fn.select(2, Fn.split('/', stackId))}`;
}

/** @throws {Error} unless the visibility is at least six times the timeout, as AWS advises for a Lambda's queue */
export function requireVisibility(visibility: Duration, timeout: Duration): void {
  if (visibility.toSeconds() < 6 * timeout.toSeconds()) {
    throw new Error(
      `A queue hides a message for ${visibility.toSeconds()} s, less than six times the ${timeout.toSeconds()} s of its function. Raise its visibility in infra/stack.ts.`,
    );
  }
}

/** What the functions are told of the configuration; nothing secret, and nothing that only synth needs. */
function embed(
  { projects, connections }: Configuration,
  projectSecrets: Map<string, StackSecret>,
  connectionSecrets: Map<string, StackSecret>,
): Embedded {
  const all = mapValues(
    connections,
    (
      {
        polyai,
        existingSecret: _secret,
        existingSecretKey: _key,
        bus: _bus,
        source: _source,
        eventPattern: _pattern,
        ...rest
      },
      name,
    ): Connection => {
      const secretId = connectionSecrets.get(name)?.id;
      return { ...rest, project: polyai, ...(secretId && { secretId }) };
    },
  );
  const embedProject = (
    { region, baseUrl, version, accountId, projectId }: Configuration['projects'][string],
    name: string,
  ): Project => {
    return { region, baseUrl, version, accountId, projectId, secretId: idOf(projectSecrets, name) };
  };
  return {
    projects: mapValues(projects, embedProject),
    listedProjects: Object.fromEntries(
      Object.entries(projects).flatMap(([name, project]): [string, ListedProject][] => {
        const { clientEnv, cleanup } = project;
        if (!cleanup) return [];
        return [[name, { ...embedProject(project, name), clientEnv, cleanup: embedCleanup(cleanup) }]];
      }),
    ),
    // The receiver is not told of a connection on a bus, so that its address is nobody's.
    connections: filterValues(all, ({ crm }) => !isOnBus(crm)),
    eventConnections: filterValues(all, ({ crm }) => isOnBus(crm)),
  };
}

function filterValues<T>(record: Record<string, T>, keep: (value: T) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => keep(value)));
}

function idOf(secrets: Map<string, StackSecret>, name: string): string {
  return secrets.get(name)?.id ?? '';
}

function mapValues<T, U>(record: Record<string, T>, map: (value: T, name: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}

/**
 * One route for any method; no CORS, because no browser calls it. It is greedy because a plain parameter does not
 * match an address with a slash at its end, and no route may end in one.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 */
function createApi(
  stack: Stack,
  receive: NodejsFunction,
  accessLog: ILogGroup,
  { ratePerSecond, burst }: Configuration['stack']['throttle'],
): HttpApi {
  const api = new HttpApi(stack, 'Webhooks', {
    apiName: stack.stackName,
    description: stack.templateOptions.description ?? '',
    createDefaultStage: false,
  });
  const [route] = api.addRoutes({
    path: '/webhooks/{connection+}',
    methods: [HttpMethod.ANY],
    integration: new HttpLambdaIntegration('Receive', receive),
  });
  if (route) {
    Validations.of(route).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason: "CRMs cannot sign for an authorizer of AWS's; the receiver verifies every delivery itself.",
    });
  }
  new HttpStage(stack, 'Stage', {
    httpApi: api,
    stageName: '$default',
    autoDeploy: true,
    throttle: { rateLimit: ratePerSecond, burstLimit: burst },
    accessLogSettings: { destination: new LogGroupLogDestination(accessLog), format: ACCESS_LOG },
  });
  return api;
}

/**
 * Neither path nor query: a token may stand in them. The error's text comes with its quotes, so that one inside
 * it breaks no line; an integration's text does not, and is left out. `integrationStatus` is what the receiver
 * answered, `lambdaStatus` what Lambda did, and both are "-" where the gateway answered alone.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
 */
const ACCESS_LOG = AccessLogFormat.custom(
  JSON.stringify({
    type: 'access',
    request_id: '$context.requestId',
    time: '$context.requestTimeEpoch',
    method: '$context.httpMethod',
    route: '$context.routeKey',
    status: '$context.status',
    integrationStatus: '$context.integration.status',
    lambdaStatus: '$context.integration.integrationStatus',
    latencyMs: '$context.responseLatency',
    errorType: '$context.error.responseType',
    error: '$context.error.messageString',
  }).replace('"$context.error.messageString"', '$context.error.messageString'),
);
