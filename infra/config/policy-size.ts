import type { Entry } from './existing-secret.ts';
import type { Breach } from './rule.ts';

/** The longest part of a secret's ARN before its name. */
const ARN_PREFIX = 'arn:aws-us-gov:secretsmanager:ap-southeast-2:123456789012:secret:'.length;
const ARN_SUFFIX = '-??????'.length;
/** Quotes and a comma. */
const PUNCTUATION = 3;
/** The ARN of a key, with its statement and conditions. */
const KEY_STATEMENT = 500;

/**
 * Characters of secrets in one policy. A managed policy may have 6,144, all inline policies of a role 10,240.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const MAX_POLICY_SIZE = 5000;
/** One inline policy and nine managed ones. A role takes ten, so one is left for the user. */
const MAX_POLICIES = 10;

type Existing = { id: string; key?: unknown };

/** Splits existing secrets into groups that fit into one policy each. */
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
 * Refuses more existing secrets than the policies of one role can name.
 *
 * @param kind of the owners whose secrets one role reads
 */
export function checkPolicySize(kind: string, entries: Entry[]): Breach[] {
  const named = new Map<string, Existing>();
  for (const { settings } of entries.filter((entry) => entry.kind === kind)) {
    const { existingSecret: id, existingSecretKey: key } = settings;
    if (typeof id === 'string') named.set(id, { id, key });
  }
  if (groupExisting([...named.values()]).length <= MAX_POLICIES) return [];
  return [
    {
      path: [kind],
      problem: `names ${named.size} secrets of your own, more than the policies of one role can hold`,
      fix: 'Leave out existingSecret where the stack may make the secret, or split the file into several stacks, as docs/scale.md shows',
    },
  ];
}
