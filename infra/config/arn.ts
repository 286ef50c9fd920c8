import { RegionInfo } from 'aws-cdk-lib/region-info';
import { type Fault, pathOf } from './fault.ts';

/** An account and a region, where they are known. */
export type Place = { account: string | undefined; region: string | undefined };

/** An ARN of the file, and where it stands. */
export type Placed = { path: string; key: keyof typeof MENDS; arn: string };

const MENDS = {
  topicArn: 'Name a topic of the account and region that the stack goes to, or deploy there',
  existingSecret:
    'Store the secret in the account and region that the stack goes to, and name that; or deploy there',
  existingSecretKey: 'Name the key that encrypts existingSecret, in its account and region',
  bus: 'Let a rule there forward its events to a bus of this account and region, and name that; or deploy there',
};

/** All ARNs of a file, whatever its shape. */
export function placesOf(file: Record<string, unknown>): Placed[] {
  const { stack, polyai, connections } = file;
  const owners = Object.entries({ polyai, connections }).flatMap(([kind, values]) =>
    Object.entries(objectOf(values)).map(([name, settings]) => ({ path: [kind, name], settings })),
  );
  const all = [{ path: ['stack', 'alarms'], settings: objectOf(stack).alarms }, ...owners];
  return all.flatMap(({ path, settings }) =>
    Object.entries(objectOf(settings)).flatMap(([key, arn]): Placed[] =>
      isMended(key) && isArn(arn) ? [{ path: pathOf(...path, key), key, arn }] : [],
    ),
  );
}

/** What ARNs have wrong wherever the stack goes: some name a place that none or only one of them can be in. */
export function checkArns(file: Record<string, unknown>): Fault[] {
  const placed = placesOf(file);
  const cut = placed.flatMap(checkWhole);
  return [...cut, ...checkPlaces(placed, { account: undefined, region: undefined })];
}

/**
 * Every ARN must be of the stack's account, region and partition. What is not known of these is taken from the
 * first ARN, since no stack can be in two places.
 */
export function checkPlaces(placed: Placed[], own: Place): Fault[] {
  const [first] = placed;
  const differ = (found: Place, part: keyof Place) => {
    const expected = own[part] ?? (first && partsOf(first.arn)[part]);
    if (found[part] === expected) return [];
    const whose = own[part] ? 'this stack is for' : `${first?.path} is of`;
    return [`${part} ${found[part]}, and ${whose} ${expected}`];
  };
  return placed.flatMap(({ path, key, arn }): Fault[] => {
    const { partition, ...place } = partsOf(arn);
    const belongs = RegionInfo.get(place.region).partition;
    if (belongs && belongs !== partition) {
      const problem = `names the partition ${partition}, and the region ${place.region} is of ${belongs}`;
      return [{ path, problem, mend: `Copy the ARN again: it begins with arn:${belongs}:` }];
    }
    const foreign = [...differ(place, 'account'), ...differ(place, 'region')];
    if (foreign.length === 0) return [];
    return [{ path, problem: `is of ${foreign.join('; it is of ')}`, mend: MENDS[key] }];
  });
}

/** A name that ends in a hyphen and a word of six letters: its ARN without the six random ones looks like a full one. */
function checkWhole({ path, key, arn }: Placed): Fault[] {
  if (key !== 'existingSecret') return [];
  const [, name, last] = /:secret:(.*-([A-Za-z][a-z]{5}|\d{6}))$/.exec(arn) ?? [];
  if (!name) return [];
  return [
    {
      path,
      problem: `ends in "-${last}", which looks like a part of the secret's name and not like the six random characters of a full ARN`,
      mend: `Write the secret's name alone, as in "${name}", or its full ARN. If "${last}" is random after all, write the name without it`,
    },
  ];
}

function partsOf(arn: string): { partition: string; region: string; account: string } {
  const [, partition = '', , region = '', account = ''] = arn.split(':');
  return { partition, region, account };
}

function isArn(value: unknown): value is string {
  return typeof value === 'string' && /^arn:[^:]+:[^:]+:[^:]+:\d{12}:./.test(value);
}

function isMended(key: string): key is Placed['key'] {
  return Object.hasOwn(MENDS, key);
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
