import { type Fault, pathOf, quote } from './fault.ts';
import { isPreset, refusedSecret } from './preset.ts';

/** A project or a connection, with whatever stands there. */
export type Entry = { kind: 'polyai' | 'connections'; name: string; settings: Record<string, unknown> };

type Owner = Pick<Entry, 'kind' | 'name'> & { stack: string };

const OF_ITS_OWN = 'Store a secret of its own and name that';

/**
 * What can be wrong with `existingSecret` and `existingSecretKey`.
 *
 * @param stack the stack's name, with which the names of its own secrets begin
 */
export function checkExistingSecrets(all: Entry[], stack: string): (Fault | undefined)[] {
  return all.flatMap((entry, index) => {
    const earlier = all.slice(0, index);
    return [
      checkKey(entry),
      checkSameKey(entry, earlier),
      checkShared(entry, earlier) ?? checkOwner(entry, all, stack),
    ];
  });
}

function checkKey({ kind, name, settings }: Entry): Fault | undefined {
  if (!Object.hasOwn(settings, 'existingSecretKey') || Object.hasOwn(settings, 'existingSecret'))
    return undefined;
  // Then it is refused for another reason.
  if (isPreset(settings.crm) && refusedSecret(settings.crm).length > 0) return undefined;
  return {
    path: pathOf(kind, name, 'existingSecretKey'),
    problem: 'has no meaning without existingSecret',
    mend: 'Add "existingSecret", or remove it',
  };
}

function checkSameKey(entry: Entry, earlier: Entry[]): Fault | undefined {
  const other = earlier.find(
    ({ settings }) =>
      isSameSecret(settings.existingSecret, entry.settings.existingSecret) &&
      settings.existingSecretKey !== entry.settings.existingSecretKey,
  );
  if (!other) return undefined;
  return {
    path: pathOf(entry.kind, entry.name, 'existingSecretKey'),
    problem: `is not the one that ${pathOf(other.kind, other.name)} gives for the same secret`,
    mend: 'Give the same key in both, or in neither',
  };
}

/** Two connections may share a secret only for one project: most signatures do not cover the address. */
function checkShared(entry: Entry, earlier: Entry[]): Fault | undefined {
  const other = earlier.find(
    (each) =>
      isSameSecret(each.settings.existingSecret, entry.settings.existingSecret) &&
      (each.kind !== entry.kind ||
        (entry.kind === 'connections' && each.settings.polyai !== entry.settings.polyai)),
  );
  if (!other) return undefined;
  const why =
    other.kind === entry.kind
      ? 'which belongs to another project: a delivery signed for one would close chats of the other'
      : 'and a project’s secret holds other keys than a connection’s';
  return {
    path: pathOf(entry.kind, entry.name, 'existingSecret'),
    problem: `is the secret of ${pathOf(other.kind, other.name)} too, ${why}`,
    mend: OF_ITS_OWN,
  };
}

/**
 * A secret that this stack makes, or one of the other kind, is somebody else's. What an owner's own secret was
 * called before `cdk destroy` or a rename may be named: no one else has it.
 */
function checkOwner(entry: Entry, all: Entry[], stack: string): Fault | undefined {
  for (const owner of namesOf(entry.settings.existingSecret).map(ownerOf)) {
    const why = owner && reasonAgainst(owner, entry, all, stack);
    if (why) {
      return { path: pathOf(entry.kind, entry.name, 'existingSecret'), problem: why, mend: OF_ITS_OWN };
    }
  }
  return undefined;
}

function reasonAgainst(owner: Owner, entry: Entry, all: Entry[], stack: string): string | undefined {
  if (owner.kind !== entry.kind) {
    return owner.kind === 'polyai'
      ? `is the secret of a project (${quote(owner.name)}): the webhooks’ function would be allowed to read PolyAI’s keys`
      : `is the secret of a connection (${quote(owner.name)}), which does not hold PolyAI’s keys`;
  }
  if (owner.stack !== stack || owner.name === entry.name) return undefined;
  const other = all.find(({ kind, name }) => kind === owner.kind && name === owner.name);
  // An owner that names it too has given up the stack's own; whether the two may share it is checked above.
  if (!other || isSameSecret(other.settings.existingSecret, entry.settings.existingSecret)) return undefined;
  return `is the secret of ${pathOf(owner.kind, owner.name)}, which this stack makes`;
}

/** Whose secret a name is, of this stack or another. */
function ownerOf(secret: string): Owner | undefined {
  const [, stack = '', kind, name = ''] =
    /^([^/]+)\/(polyai|connections)\/([^/]+)\/secret$/.exec(secret) ?? [];
  return kind === undefined ? undefined : { stack, kind: kind as Owner['kind'], name };
}

/** Whether two names or ARNs mean one secret. A name may mean the ARN of any account and region. */
function isSameSecret(one: unknown, other: unknown): boolean {
  const names = namesOf(one);
  if (!namesOf(other).some((name) => names.includes(name))) return false;
  const places = [one, other].map((each) => /^arn:(?:[^:]*:){5}/.exec(String(each))?.[0]);
  return places.includes(undefined) || places[0] === places[1];
}

/** What a secret may be called: the end of an ARN is its name, with or without a hyphen and six characters. */
function namesOf(secret: unknown): string[] {
  if (typeof secret !== 'string') return [];
  const name = secret.replace(/^arn:(?:[^:]*:){5}/, '');
  return name === secret ? [name] : [name, name.replace(/-[A-Za-z0-9]{6}$/, '')];
}
