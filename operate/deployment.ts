import {
  type CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import type { Configuration } from '../infra/config/load.ts';
import { DESCRIPTION, type Description, type Reference } from '../infra/description.ts';
import type { FunctionName } from '../infra/function.ts';
import type { Aws } from './aws.ts';
import { OperatorError } from './error.ts';

/** A resource of a stack. `name` is its physical id: a name, an ARN or an address, as CloudFormation has it. */
export type Resource = { logicalId: string; type: string; name: string };

/** A log group of the stack, by what writes to it. */
export type LogName = FunctionName | 'access';

/** A deployed stack, as it describes itself. */
export type Deployment = {
  stack: string;
  /** CloudFormation's status, such as `UPDATE_COMPLETE`. */
  status: string;
  /** When the stack was last changed. */
  changedAt: Date | undefined;
  version: string;
  digest: string;
  /** The deployed configuration, with every default filled in. */
  configuration: Configuration;
  secrets: Description['secrets'];
  outputs: Outputs;
  logGroups: Partial<Record<LogName, string>>;
  functions: Partial<Record<FunctionName, string>>;
  resources: Resource[];
};

type Outputs = { CloseQueueUrl: string; DeadLetterQueueUrl: string; OutcomesLogGroup: string } & Partial<
  Record<'WebhooksUrl' | 'EventsDeadLetterQueueUrl' | 'SecretsToFill', string>
>;

/**
 * Reads what a deployed stack says of itself: its outputs, its resources and the description in its template.
 *
 * @throws {OperatorError} when the stack does not exist, or was not made by this project
 */
export async function readDeployment(
  { cloudFormation }: Pick<Aws, 'cloudFormation'>,
  stack: string,
): Promise<Deployment> {
  const [found, resources, template] = await Promise.all([
    describe(cloudFormation, stack),
    listResources(cloudFormation, stack),
    cloudFormation.send(new GetTemplateCommand({ StackName: stack, TemplateStage: 'Original' })),
  ]).catch(async (error) => Promise.reject(await notFound(error, stack, cloudFormation)));
  const description = descriptionOf(template.TemplateBody);
  if (!description) throw new OperatorError(withoutDescription(stack));
  const names = new Map(resources.map(({ logicalId, name }) => [logicalId, name]));
  const namesOf = (references: Record<string, Reference>) =>
    Object.fromEntries(
      Object.entries(references).flatMap(([key, { Ref }]) => {
        const name = names.get(Ref);
        return name === undefined ? [] : [[key, name]];
      }),
    );
  const { version, digest, configuration, secrets } = description;
  return {
    stack,
    status: found.StackStatus ?? 'UNKNOWN',
    changedAt: found.LastUpdatedTime ?? found.CreationTime,
    version,
    digest,
    configuration,
    secrets,
    outputs: outputsOf(found),
    logGroups: namesOf(description.logs),
    functions: namesOf(description.functions),
    resources,
  };
}

async function describe(client: Pick<CloudFormationClient, 'send'>, StackName: string): Promise<Stack> {
  const { Stacks: [found] = [] } = await client.send(new DescribeStacksCommand({ StackName }));
  if (!found) throw new OperatorError(`There is no stack ${StackName}.`);
  return found;
}

async function listResources(
  client: Pick<CloudFormationClient, 'send'>,
  StackName: string,
): Promise<Resource[]> {
  const resources: Resource[] = [];
  let NextToken: string | undefined;
  do {
    const page = await client.send(
      new ListStackResourcesCommand({ StackName, ...(NextToken && { NextToken }) }),
    );
    for (const each of page.StackResourceSummaries ?? []) {
      const {
        LogicalResourceId: logicalId = '',
        ResourceType: type = '',
        PhysicalResourceId: name = '',
      } = each;
      resources.push({ logicalId, type, name });
    }
    NextToken = page.NextToken;
  } while (NextToken);
  return resources;
}

function descriptionOf(template = '{}'): Description | undefined {
  try {
    return JSON.parse(template).Metadata?.[DESCRIPTION];
  } catch {
    // A template in YAML is not one of this project.
    return undefined;
  }
}

function outputsOf({ Outputs = [] }: Stack): Outputs {
  return Object.fromEntries(
    Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
  ) as Outputs;
}

function withoutDescription(stack: string): string {
  return `The stack ${stack} does not describe itself: it is not a stack of this project, or it was deployed by a version before 1.0. Deploy it again, or name another one with --stack.`;
}

async function notFound(error: unknown, stack: string, { config }: Aws['cloudFormation']): Promise<unknown> {
  const { name, message } = error as Error;
  if (name !== 'ValidationError' || !/does not exist/.test(message)) return error;
  return new OperatorError(
    `There is no stack ${stack} in ${await config.region()}. Name it with --stack, and choose account and region with --profile and --region.`,
  );
}
