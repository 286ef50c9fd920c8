import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  Code,
  type FunctionProps,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/environment.ts';
import { type Embedded, withBundle } from './bundle.ts';
import type { Configuration } from './config/load.ts';
import { encryptionKey, useThrough } from './encryption.ts';
import { allowInterfaces, networkOf } from './network.ts';
import { ROOT } from './root.ts';
import type { Shared } from './shared.ts';

/** The stack's functions. `<name>.lambda.ts` in functions/ is what each runs. */
export type FunctionName = 'receive' | 'close' | 'event' | 'cleanup' | 'canary';

/** The part of the configuration that each function carries in its bundle. The canary gets what it needs by its environment. */
const EMBEDS = {
  receive: 'connections',
  close: 'projects',
  event: 'eventConnections',
  cleanup: 'listedProjects',
  canary: undefined,
} satisfies Record<FunctionName, keyof Embedded | undefined>;

/**
 * Creates a function with its log group and a role that may write to that group and nothing else: the caller adds
 * what the function needs.
 *
 * @param scope a construct that has only this function
 */
export function createFunction(
  scope: Construct,
  name: FunctionName,
  { configuration, embedded, sourceMaps }: Shared,
  own: Pick<
    FunctionProps,
    'description' | 'environment' | 'maxEventAge' | 'memorySize' | 'retryAttempts' | 'timeout'
  >,
): { handler: LambdaFunction; role: Role } {
  const { stack } = configuration;
  const key = encryptionKey(scope, stack);
  const network = networkOf(scope, stack);
  const logGroup = createLogGroup(scope, 'Log', stack);
  const role = new Role(scope, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  if (key) role.addToPolicy(useThrough(scope, key));
  if (network) allowInterfaces(role);
  const needed = EMBEDS[name];
  const create = (folder: string) =>
    new LambdaFunction(scope, 'Function', {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(folder),
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      systemLogLevelV2: SystemLogLevel[stack.systemLogLevel],
      logGroup,
      role,
      ...network,
      ...(key && { environmentEncryption: key }),
      // The receiver alone is called by strangers: it can neither starve the account nor be starved by it.
      ...(name === 'receive' &&
        stack.reservedConcurrency && { reservedConcurrentExecutions: stack.reservedConcurrency }),
      ...own,
      environment: {
        ...own.environment,
        [ENVIRONMENT.service]: Stack.of(scope).stackName,
        ...(sourceMaps && { NODE_OPTIONS: '--enable-source-maps' }),
      },
    });
  const carried = needed ? { isShared: embedded.isShared, [needed]: embedded[needed] } : {};
  // `cdk list` and most tests need no bundle.
  const handler = Stack.of(scope).bundlingRequired
    ? withBundle(name, carried, sourceMaps, create)
    : create(`${ROOT}/functions/cleanup`);
  return { handler, role };
}

/**
 * Creates a log group that outlives the stack.
 *
 * @param name the group's own name; without one CloudFormation makes it up
 */
export function createLogGroup(
  scope: Construct,
  id: string,
  stack: Pick<Configuration['stack'], 'encryptionKey' | 'logRetentionDays'>,
  name?: string,
): LogGroup {
  const key = encryptionKey(scope, stack);
  return new LogGroup(scope, id, {
    ...(name && { logGroupName: name }),
    retention: stack.logRetentionDays,
    ...(key && { encryptionKey: key }),
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
}
