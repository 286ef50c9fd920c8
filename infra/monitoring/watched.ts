import { Stack } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Cleanup } from '../cleanup.ts';
import { type Configuration, DEFAULT_STACK } from '../config/load.ts';
import type { FunctionName } from '../function.ts';
import type { Logs } from './saved-queries.ts';

type LoggedFunction = IFunction & { logGroup: ILogGroup };

/** What alarms, queries and the dashboard show. What a stack does not have is left out, and so are its alarms. */
export type Watched = {
  configuration: Configuration;
  closes: IQueue;
  deadLetters: IQueue;
  eventsDeadLetters?: IQueue;
  /** The log groups, by the lines that they hold. */
  logs: Logs;
  gateway?: { api: HttpApi; accessLog: ILogGroup };
  functions: Partial<Record<FunctionName, LoggedFunction>> & { close: LoggedFunction };
  cleanup?: Pick<Cleanup, 'projects' | 'schedules'>;
  /** The canary's longest time between two runs. */
  canary?: { everyMinutes: number };
};

/** The command that prints the lines of a log group that match a pattern, as in `{ $.type = "fault" }`. */
export function tail({ logGroupName }: ILogGroup, pattern: string): string {
  return `aws logs tail ${logGroupName} --since 1d --filter-pattern '${pattern}'`;
}

/**
 * A command of this project for the watched stack, as it is run from a checkout of the repository.
 *
 * @param words the command's name, arguments and options
 */
export function command({ functions }: Watched, words: string): string {
  const { stackName } = Stack.of(functions.close);
  const stack = stackName === DEFAULT_STACK ? '' : ` --stack ${stackName}`;
  return `npx --no chat-closer ${words}${stack}`;
}
