import { randomUUID } from 'node:crypto';
import {
  GetAccountSettingsCommand,
  GetFunctionConcurrencyCommand,
  ListEventSourceMappingsCommand,
} from '@aws-sdk/client-lambda';
import { queueCloses } from '../../functions/close-queue.ts';
import { followCloses } from '../follow.ts';
import { type Check, type Checked, CLI, type Finding, fault, ok, warning } from './finding.ts';

const PROBE_MS = 60_000;
const IMPOSSIBLE = 'polyai-chat-closer-doctor-';

/** Whether the functions that read queues are switched on, and may run. */
export const checkEventSources: Check = async ({ deployment, aws }) => {
  const names = (['close', 'event'] as const).flatMap((name) => {
    const FunctionName = deployment.functions[name];
    return FunctionName ? [{ name, FunctionName }] : [];
  });
  const findings = names.map(async ({ name, FunctionName }): Promise<Finding> => {
    const { EventSourceMappings = [] } = await aws.lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName }),
    );
    const [mapping] = EventSourceMappings;
    if (!mapping)
      return fault(
        'event source',
        `The function ${name} reads no queue.`,
        'Deploy again: npx cdk deploy',
        name,
      );
    if (/^Dis/.test(mapping.State ?? '')) {
      return fault(
        'event source',
        `The function ${name} does not read its queue: its event source is ${mapping.State}.`,
        `aws lambda update-event-source-mapping --uuid ${mapping.UUID} --enabled`,
        name,
      );
    }
    return ok('event source', `The function ${name} reads its queue.`, name);
  });
  return Promise.all(findings);
};

/** Whether the account has enough concurrency left, and no function is switched off. */
export const checkConcurrency: Check = async ({ deployment, aws }) => {
  const { maxConcurrency } = deployment.configuration.stack;
  const { AccountLimit } = await aws.lambda.send(new GetAccountSettingsCommand({}));
  const left = AccountLimit?.UnreservedConcurrentExecutions;
  const off = await Promise.all(
    Object.entries(deployment.functions).map(async ([name, FunctionName]): Promise<Finding[]> => {
      const { ReservedConcurrentExecutions } = await aws.lambda.send(
        new GetFunctionConcurrencyCommand({ FunctionName }),
      );
      if (ReservedConcurrentExecutions !== 0) return [];
      return [
        fault(
          'concurrency',
          `The function ${name} is switched off: its reserved concurrency is 0.`,
          `aws lambda delete-function-concurrency --function-name ${FunctionName}`,
          name,
        ),
      ];
    }),
  );
  const account =
    left === undefined
      ? ok('concurrency', 'The account’s concurrency was not checked: it is not known here.')
      : left < maxConcurrency
        ? warning(
            'concurrency',
            `The account has ${left} concurrent executions left for all its functions, and the worker may use ${maxConcurrency}.`,
            'Ask for a higher quota of Lambda, or lower stack.maxConcurrency',
          )
        : ok('concurrency', `The account has ${left} concurrent executions left.`);
  return [account, ...off.flat()];
};

/**
 * Whether PolyAI can be reached from the worker's own network: a close of a conversation that cannot exist, marked as
 * the canary's, so that it is tried once, never dead-lettered and counted in no metric.
 */
export const checkWorker: Check = async (checked) => {
  const { deployment, probe } = checked;
  if (!probe) return [ok('worker', 'The worker was not asked to call PolyAI.')];
  return Promise.all(
    Object.keys(deployment.configuration.projects).map((project) => probeProject(project, checked)),
  );
};

async function probeProject(project: string, { deployment, aws, ...parts }: Checked): Promise<Finding> {
  const requestId = randomUUID();
  const from = parts.now();
  await queueCloses(aws.sqs, deployment.outputs.CloseQueueUrl, [
    {
      v: 1,
      requestId,
      source: 'operator',
      project,
      conversationId: `${IMPOSSIBLE}${requestId}`,
      receivedAt: new Date(from).toISOString(),
      canary: true,
    },
  ]);
  const groups = [deployment.logGroups.close];
  const [line] = await followCloses(
    requestId,
    1,
    { groups, from, timeoutMs: PROBE_MS },
    { ...parts, logs: aws.logs },
  );
  if (!line) {
    return fault(
      'worker',
      'The worker did not try a close within a minute.',
      `See the checks of event source and concurrency, and ${CLI} status`,
      project,
    );
  }
  if (line.healthy === 1)
    return ok('worker', `The worker reaches PolyAI, which answered ${line.polyai_status}.`, project);
  return fault(
    'worker',
    `The worker’s call failed with ${line.outcome}${line.reason ? `: ${String(line.reason).replace(/\.$/, '')}` : ''}.`,
    'If the checks from here are good, check the worker’s network and its permissions',
    project,
  );
}
