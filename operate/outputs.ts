import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { OperatorError } from './error.ts';

const NEEDED = ['CloseQueueUrl', 'DeadLetterQueueUrl', 'OutcomesLogGroup'] as const;

export type StackOutputs = Record<(typeof NEEDED)[number], string>;

/** Enough attempts to outlast AWS's throttling: an operator can wait, and no caller times out. */
export const RETRYING = { maxAttempts: 8 };

/**
 * Finds the queues and the log of a deployed stack, with the SDK's ordinary credentials.
 *
 * @throws {OperatorError} when the stack does not exist, or is not one of this project
 */
export async function findOutputs(stack: string): Promise<StackOutputs> {
  const client = new CloudFormationClient(RETRYING);
  const found = await readOutputs(client, stack);
  const outputs = Object.fromEntries(
    found.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  );
  const missing = NEEDED.filter((name) => !outputs[name]);
  if (missing.length > 0) {
    throw new OperatorError(
      `The stack ${stack} has no output ${missing.join(', ')}. Check that it is a stack of this project and that its deployment is complete, or name another one with --stack.`,
    );
  }
  return outputs as StackOutputs;
}

async function readOutputs(client: CloudFormationClient, stack: string) {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    return Stacks[0]?.Outputs ?? [];
  } catch (error) {
    const { name, message } = error as Error;
    if (name !== 'ValidationError' || !/does not exist/.test(message)) throw error;
    const region = await client.config.region();
    throw new OperatorError(
      `There is no stack ${stack} in ${region}. Name it with --stack, and choose account and region with AWS_PROFILE and AWS_REGION.`,
    );
  }
}
