import { RegionInfo } from 'aws-cdk-lib/region-info';
import { type Path, pathTo } from './fault.ts';
import { type Breach, type Settings, settingsOf } from './rule.ts';

/** An account and a region, if they are known. */
export type Place = { account: string | undefined; region: string | undefined };

/** An ARN of the file, and its place there. */
export type Placed = { path: Path; key: keyof typeof FIXES; arn: string };

const FIXES = {
  topicArn: 'Name a topic in the account and region of the stack, or deploy there',
  existingSecret:
    'Store the secret in the account and region of the stack, and name that one; or deploy there',
  existingSecretKey: 'Name the key that encrypts existingSecret, in its account and region',
  bus: 'Let a rule there forward its events to a bus in the account and region of the stack, and name that bus; or deploy there',
};

/** All ARNs of a file, whatever its shape. */
export function placesOf(file: Settings): Placed[] {
  const { stack, polyai, connections } = file;
  const owners = Object.entries({ polyai, connections }).flatMap(([kind, values]) =>
    Object.entries(settingsOf(values)).map(([name, settings]) => ({ path: [kind, name], settings })),
  );
  const all = [{ path: ['stack', 'alarms'], settings: settingsOf(stack).alarms }, ...owners];
  return all.flatMap(({ path, settings }) =>
    Object.entries(settingsOf(settings)).flatMap(([key, arn]): Placed[] =>
      hasFix(key) && isArn(arn) ? [{ path: [...path, key], key, arn }] : [],
    ),
  );
}

/** The checks that do not depend on the stack's account and region: the ARNs must agree with each other. */
export function checkArns(file: Settings): Breach[] {
  const placed = placesOf(file);
  return [...placed.flatMap(checkWhole), ...checkPlaces(placed, { account: undefined, region: undefined })];
}

/**
 * Every ARN must be in the stack's account, region and partition. An unknown account or region is taken from the
 * first ARN, because a stack cannot be in two places.
 */
export function checkPlaces(placed: Placed[], own: Place): Breach[] {
  const [first] = placed;
  const differ = (found: Place, part: keyof Place) => {
    const expected = own[part] ?? (first && partsOf(first.arn)[part]);
    if (found[part] === expected) return [];
    const whose = own[part] ? 'this stack' : pathTo(...(first?.path ?? []));
    return [`${part} ${found[part]}, but ${whose} is in ${expected}`];
  };
  return placed.flatMap(({ path, key, arn }): Breach[] => {
    const { partition, ...place } = partsOf(arn);
    const belongs = RegionInfo.get(place.region).partition;
    if (belongs && belongs !== partition) {
      const problem = `names the partition ${partition}, but the region ${place.region} is in ${belongs}`;
      return [{ path, problem, fix: `Copy the ARN again: it begins with arn:${belongs}:` }];
    }
    const foreign = [...differ(place, 'account'), ...differ(place, 'region')];
    if (foreign.length === 0) return [];
    return [{ path, problem: `is in ${foreign.join('; it is in ')}`, fix: FIXES[key] }];
  });
}

/** If a name ends in a hyphen and a word of six letters, its ARN without the random characters looks like a full one. */
function checkWhole({ path, key, arn }: Placed): Breach[] {
  if (key !== 'existingSecret') return [];
  const [, name, last] = /:secret:(.*-([A-Za-z][a-z]{5}|\d{6}))$/.exec(arn) ?? [];
  if (!name) return [];
  return [
    {
      path,
      problem: `ends in "-${last}", which looks like part of the secret's name, not like the six random characters of a full ARN`,
      fix: `Write only the secret's name, as in "${name}", or its full ARN. If "${last}" is random after all, write the name without it`,
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

function hasFix(key: string): key is Placed['key'] {
  return Object.hasOwn(FIXES, key);
}
