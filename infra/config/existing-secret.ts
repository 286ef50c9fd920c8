import { pathTo, quote } from './fault.ts';
import { type Breach, type Settings, settingsOf } from './rule.ts';
import { textOf } from './text.ts';

/** A project or a connection of the file. */
export type Entry = { kind: 'polyai' | 'connections'; name: string; settings: Settings };

/** Whom the stack makes a secret for. */
type Owner = Pick<Entry, 'kind' | 'name'> & { stack: string };

const STORE_ANOTHER = 'Store a separate secret and name that one';

/** A key belongs to a secret. */
export function checkSecretKey(value: unknown): Breach[] {
  const settings = settingsOf(value);
  if (!Object.hasOwn(settings, 'existingSecretKey') || Object.hasOwn(settings, 'existingSecret')) return [];
  return [
    {
      path: ['existingSecretKey'],
      problem: 'has no effect without existingSecret',
      fix: 'Add "existingSecret", or remove it',
    },
  ];
}

/**
 * Refuses an `existingSecret` that belongs to another project or connection.
 *
 * @param stackName the names of the secrets that the stack makes begin with it
 */
export function checkOwners(all: Entry[], stackName: string): Breach[] {
  return all
    .flatMap((entry, index) => {
      const earlier = all.slice(0, index);
      return [checkSameKey(entry, earlier), checkShared(entry, earlier) ?? checkOwner(entry, all, stackName)];
    })
    .filter((breach) => breach !== undefined);
}

function checkSameKey(entry: Entry, earlier: Entry[]): Breach | undefined {
  const other = earlier.find(
    ({ settings }) =>
      isSameSecret(settings.existingSecret, entry.settings.existingSecret) &&
      settings.existingSecretKey !== entry.settings.existingSecretKey,
  );
  if (!other) return undefined;
  return {
    path: [entry.kind, entry.name, 'existingSecretKey'],
    problem: `is not the key that ${pathTo(other.kind, other.name)} gives for the same secret`,
    fix: 'Give the same key in both, or in neither',
  };
}

/** Two connections may share a secret only for one project: most signatures do not cover the address. */
function checkShared(entry: Entry, earlier: Entry[]): Breach | undefined {
  const other = earlier.find(
    (each) =>
      isSameSecret(each.settings.existingSecret, entry.settings.existingSecret) &&
      (each.kind !== entry.kind ||
        (entry.kind === 'connections' && each.settings.polyai !== entry.settings.polyai)),
  );
  if (!other) return undefined;
  const why =
    other.kind === entry.kind
      ? 'which belongs to another project: a delivery signed for one could close chats of the other'
      : 'but a project’s secret holds different keys from a connection’s';
  return {
    path: [entry.kind, entry.name, 'existingSecret'],
    problem: `is also the secret of ${pathTo(other.kind, other.name)}, ${why}`,
    fix: STORE_ANOTHER,
  };
}

/**
 * Refuses a secret that this stack makes for another owner, and one of the other kind. The retained secret of an
 * earlier stack or name may be named: it has no other owner.
 */
function checkOwner(entry: Entry, all: Entry[], stackName: string): Breach | undefined {
  for (const owner of namesOf(entry.settings.existingSecret).map(ownerOf)) {
    const why = owner && reasonAgainst(owner, entry, all, stackName);
    if (why) {
      return { path: [entry.kind, entry.name, 'existingSecret'], problem: why, fix: STORE_ANOTHER };
    }
  }
  return undefined;
}

function reasonAgainst(owner: Owner, entry: Entry, all: Entry[], stackName: string): string | undefined {
  if (owner.kind !== entry.kind) {
    return owner.kind === 'polyai'
      ? `is the secret of a project (${quote(owner.name)}): the webhooks’ function could then read PolyAI’s keys`
      : `is the secret of a connection (${quote(owner.name)}), which does not hold PolyAI’s keys`;
  }
  if (owner.stack !== stackName || owner.name === entry.name) return undefined;
  const other = all.find(({ kind, name }) => kind === owner.kind && name === owner.name);
  // If the owner names it too, the stack makes none. `checkShared` decides whether the two may share it.
  if (!other || isSameSecret(other.settings.existingSecret, entry.settings.existingSecret)) return undefined;
  return `is the secret of ${pathTo(owner.kind, owner.name)}, which this stack makes`;
}

/** The owner for whom this stack or another one makes the secret of this name. */
function ownerOf(secret: string): Owner | undefined {
  const [, stack = '', kind, name = ''] =
    /^([^/]+)\/(polyai|connections)\/([^/]+)\/secret$/.exec(secret) ?? [];
  return kind === undefined ? undefined : { stack, kind: kind as Owner['kind'], name };
}

/** Whether two names or ARNs may mean the same secret. A name can mean any account and region. */
function isSameSecret(one: unknown, other: unknown): boolean {
  const names = namesOf(one);
  if (!namesOf(other).some((name) => names.includes(name))) return false;
  const places = [one, other].map((each) => /^arn:(?:[^:]*:){5}/.exec(textOf(each))?.[0]);
  return places.includes(undefined) || places[0] === places[1];
}

/** The possible names of a secret. An ARN ends in the name, with or without a hyphen and six characters. */
function namesOf(secret: unknown): string[] {
  if (typeof secret !== 'string') return [];
  const name = secret.replace(/^arn:(?:[^:]*:){5}/, '');
  return name === secret ? [name] : [name, name.replace(/-[A-Za-z0-9]{6}$/, '')];
}
