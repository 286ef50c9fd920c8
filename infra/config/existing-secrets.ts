import type { Fault } from './fault.ts';

/** Where the name of a secret begins in its ARN, in the region with the longest name. */
const ARN_PREFIX = 'arn:aws-us-gov:secretsmanager:ap-southeast-2:123456789012:secret:'.length;
const ARN_SUFFIX = '-??????'.length;
/** Quotes and a comma. */
const PUNCTUATION = 3;
/** A key's ARN, and a statement with its conditions. */
const KEY_STATEMENT = 500;

/**
 * What one policy may name. A managed policy takes 6,144 characters, all inline ones of a role 10,240.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const MAX_POLICY_SIZE = 5000;
/** One inline policy, and a role takes ten managed ones: one is left for the user's own. */
const MAX_POLICIES = 10;

type Existing = { id: string; key?: unknown };

/** Splits secrets of the user's own into the groups that fit into one policy each. */
export function groupExisting<T extends Existing>(secrets: T[]): T[][] {
  const groups: T[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const secret of secrets) {
    size += sizeOf(secret);
    if (size > MAX_POLICY_SIZE) {
      groups.push([]);
      size = sizeOf(secret);
    }
    groups.at(-1)?.push(secret);
  }
  return groups;
}

function sizeOf({ id, key }: Existing): number {
  const arn = (id.startsWith('arn:') ? id.length : ARN_PREFIX + id.length + ARN_SUFFIX) + PUNCTUATION;
  return key ? 2 * arn + KEY_STATEMENT : arn;
}

/**
 * More secrets of the user's own than the policies of one role can name.
 *
 * @param owners the projects or the connections, whose secrets one role reads
 */
export function checkExistingCount(owners: { kind: string; settings: Record<string, unknown> }[]): Fault[] {
  const named = new Map<string, Existing>();
  for (const { settings } of owners) {
    const { existingSecret: id, existingSecretKey: key } = settings;
    if (typeof id === 'string') named.set(id, { id, key });
  }
  if (groupExisting([...named.values()]).length <= MAX_POLICIES) return [];
  return [
    {
      path: owners[0]?.kind ?? '',
      problem: `names ${named.size} secrets of your own, more than the policies of one role can hold`,
      mend: 'Leave out existingSecret where the stack may make the secret, or split the file into several stacks, as docs/scale.md shows',
    },
  ];
}
