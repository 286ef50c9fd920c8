import { Stack } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Configuration } from './config/load.ts';
import { DESCRIPTION, digestOf, packageVersion } from './description.ts';
import type { FunctionName } from './function.ts';
import type { StackSecrets } from './stack-secrets.ts';

/** Writes the description into the template. CloudFormation keeps it, and changes nothing because of it. */
export function describeStack(
  scope: Construct,
  configuration: Configuration,
  secrets: StackSecrets,
  functions: Partial<Record<FunctionName, LambdaFunction>>,
  logs: Partial<Record<FunctionName | 'access', ILogGroup>>,
): void {
  const stack = Stack.of(scope);
  const idsOf = (kind: keyof StackSecrets) =>
    Object.fromEntries([...secrets[kind]].map(([name, { id }]) => [name, id]));
  const description = {
    version: packageVersion(),
    digest: digestOf(configuration),
    configuration,
    secrets: { polyai: idsOf('polyai'), connections: idsOf('connections') },
    logs: mapValues(logs, ({ logGroupName }) => stack.resolve(logGroupName)),
    functions: mapValues(functions, ({ functionName }) => stack.resolve(functionName)),
  };
  stack.addMetadata(DESCRIPTION, description);
}

function mapValues<Value>(values: Record<string, Value>, map: (value: Value) => unknown) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
