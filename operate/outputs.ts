import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { OperatorError } from './error.ts';

const NEEDED = ['CloseQueueUrl', 'DeadLetterQueueUrl', 'OutcomesLogGroup'] as const;

export type StackOutputs = Record<(typeof NEEDED)[number], string>;

/** Enough attempts to outlast AWS's throttling; nobody waits for a single call. */
export const PATIENT = { maxAttempts: 8 };

/**
 * Where a deployed stack has its queues and its log, by the SDK's ordinary credentials.
 *
 * @throws {OperatorError} where there is no such stack, or it is another's
 */
export async function findOutputs(stack: string): Promise<StackOutputs> {
  const client = new CloudFormationClient(PATIENT);
  const found = await describe(client, stack);
  const outputs = Object.fromEntries(
    found.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
  const missing = NEEDED.filter((name) => !outputs[name]);
  if (missing.length > 0) {
    throw new OperatorError(
      `The stack ${stack} has no output ${missing.join(', ')}: is it one of this project, and deployed to the end? Another is named by --stack.`,
    );
  }
  return outputs as StackOutputs;
}

async function describe(client: CloudFormationClient, stack: string) {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    return Stacks[0]?.Outputs ?? [];
  } catch (error) {
    const { name, message } = error as Error;
    if (name !== 'ValidationError' || !/does not exist/.test(message)) throw error;
    const region = await client.config.region();
    throw new OperatorError(
      `There is no stack ${stack} in ${region}. Name it by --stack; AWS_PROFILE and AWS_REGION say which account and region are meant.`,
    );
  }
}
