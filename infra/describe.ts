import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Stack } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Configuration } from './config/load.ts';
import type { FunctionName } from './function.ts';
import { ROOT } from './root.ts';
import type { StackSecrets } from './stack-secrets.ts';

/** The key of the description in the template's `Metadata`. */
export const DESCRIPTION = 'PolyAIChatCloser';

/** A resource of the same template. `Ref` is its logical id, which `ListStackResources` maps to the real name. */
export type Reference = { Ref: string };

/** What a deployed stack says of itself, for the commands. It has no secret: the configuration never has one. */
export type Description = {
  /** Version of the package that made the template. */
  version: string;
  /** SHA-256 in hex of the configuration with every default filled in. */
  digest: string;
  configuration: Configuration;
  /** Name or ARN of each secret, by the name of its project or connection. */
  secrets: { polyai: Record<string, string>; connections: Record<string, string> };
  logs: Partial<Record<FunctionName | 'access', Reference>>;
  functions: Partial<Record<FunctionName, Reference>>;
};

/** Writes the description into the template. CloudFormation keeps it, and changes nothing because of it. */
export function describeStack(
  scope: Construct,
  configuration: Configuration,
  secrets: StackSecrets,
  functions: Partial<Record<FunctionName, NodejsFunction>>,
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

/** SHA-256 in hex of a configuration. The order of its keys makes no difference. */
export function digestOf(configuration: Configuration): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(configuration)))
    .digest('hex');
}

/** Version of this package. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')).version;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

function mapValues<Value>(values: Record<string, Value>, map: (value: Value) => unknown) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
