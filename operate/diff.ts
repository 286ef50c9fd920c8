import { isOnBus } from '../infra/config/bus.ts';
import type { Configuration, ConnectionConfiguration, ProjectConfiguration } from '../infra/config/load.ts';

/** What a deployment changes for traffic. */
export type Change = {
  kind: 'address' | 'finished' | 'id' | 'proof' | 'project' | 'secret' | 'cleanup' | 'rehearsal' | 'other';
  /** `connection zendesk-support`, `project support` or `stack`. */
  subject: string;
  sentence: string;
};

/**
 * Says in words what would change for traffic.
 *
 * @param deliveries how many deliveries each deployed connection has answered lately
 */
export function changesBetween(
  deployed: Configuration,
  next: Configuration,
  deliveries: Readonly<Record<string, number>> = {},
): Change[] {
  return [
    ...between(deployed.connections, next.connections, {
      added: addedConnection,
      removed: (name, connection) => removedConnection(name, connection, deliveries[name] ?? 0),
      changed: changedConnection,
    }),
    ...between(deployed.projects, next.projects, {
      added: addedProject,
      removed: removedProject,
      changed: changedProject,
    }),
    ...changedStack(deployed.stack, next.stack),
  ];
}

type Kinds<Each> = {
  added: (name: string, each: Each) => Change[];
  removed: (name: string, each: Each) => Change[];
  changed: (name: string, before: Each, after: Each) => Change[];
};

function between<Each>(
  before: Record<string, Each>,
  after: Record<string, Each>,
  kinds: Kinds<Each>,
): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const [old, own] = [before[name], after[name]];
    if (old === undefined) return own === undefined ? [] : kinds.added(name, own);
    if (own === undefined) return kinds.removed(name, old);
    return isSame(old, own) ? [] : kinds.changed(name, old, own);
  });
}

function addedConnection(name: string, { crm, existingSecret }: ConnectionConfiguration): Change[] {
  const subject = `connection ${name}`;
  const where = isOnBus(crm) ? 'A rule on its bus is added' : `The address …/webhooks/${name} is added`;
  const secret: Change[] = existingSecret
    ? []
    : [
        {
          kind: 'secret',
          subject,
          sentence: `Its secret must be filled, or entered in the CRM: npx --no chat-closer secret list`,
        },
      ];
  return [{ kind: 'address', subject, sentence: `${where}.` }, ...(isOnBus(crm) ? [] : secret)];
}

function removedConnection(
  name: string,
  { crm, existingSecret }: ConnectionConfiguration,
  deliveries: number,
): Change[] {
  const subject = `connection ${name}`;
  const lately =
    deliveries > 0 ? ` It had ${deliveries} deliveries in this time.` : ' It had no delivery in this time.';
  const sentence = isOnBus(crm)
    ? `Its rule goes, so its events close no chat any more.${lately}`
    : `The address …/webhooks/${name} dies: it answers 404.${lately}`;
  return [
    { kind: 'address', subject, sentence },
    ...(existingSecret || isOnBus(crm)
      ? []
      : [{ kind: 'secret', subject, sentence: 'Its secret stays behind in Secrets Manager.' } as const]),
  ];
}

function changedConnection(
  name: string,
  before: ConnectionConfiguration,
  after: ConnectionConfiguration,
): Change[] {
  const subject = `connection ${name}`;
  const changes: Change[] = [];
  const add = (kind: Change['kind'], sentence: string) => changes.push({ kind, subject, sentence });
  if (before.crm !== after.crm) add('other', `Its crm changes from ${before.crm} to ${after.crm}.`);
  if (before.polyai !== after.polyai)
    add('project', `Its chats are closed in ${after.polyai} instead of ${before.polyai}.`);
  if (!isSame(before.verify, after.verify))
    add(
      'proof',
      `How its deliveries are verified changes (${after.verify.scheme}): the CRM may have to change too.`,
    );
  if (before.publicUrl !== after.publicUrl)
    add('proof', `The address that its signature covers changes to ${after.publicUrl ?? 'the API’s own'}.`);
  const finished = finishedSentence(before, after);
  if (finished) add('finished', finished);
  if (
    !isSame(
      [before.conversationId, before.lookUp, before.sharedId],
      [after.conversationId, after.lookUp, after.sharedId],
    )
  ) {
    add('id', `The conversation is found another way: ${idText(after)} instead of ${idText(before)}.`);
  }
  if ((before.rehearse ?? false) !== (after.rehearse ?? false)) {
    add(
      'rehearsal',
      after.rehearse
        ? 'It rehearses: its deliveries close no chat any more.'
        : 'Its rehearsal ends: its deliveries close chats.',
    );
  }
  if (!isSame(before.allowedSources, after.allowedSources))
    add('other', `It accepts deliveries from ${after.allowedSources?.join(', ') ?? 'every address'}.`);
  if (before.sender !== after.sender)
    add('other', `It accepts deliveries of ${after.sender ?? 'every sender'}.`);
  if (changes.length === 0) add('other', 'Other settings of it change.');
  return changes;
}

function finishedSentence(
  before: ConnectionConfiguration,
  after: ConnectionConfiguration,
): string | undefined {
  if (before.finishedWhen !== after.finishedWhen) {
    return `What counts as finished changes from ${before.finishedWhen ?? 'the preset’s rule'} to ${after.finishedWhen ?? 'the preset’s rule'}.`;
  }
  if (isSame(before.finishedValues, after.finishedValues)) return undefined;
  const [old, own] = [before.finishedValues ?? [], after.finishedValues ?? []];
  const gone = old.filter((value) => !own.includes(value));
  const fresh = own.filter((value) => !old.includes(value));
  const parts = [
    gone.length > 0 && `${gone.join(', ')} no longer counts as finished`,
    fresh.length > 0 && `${fresh.join(', ')} now counts as finished`,
  ].filter(Boolean);
  return `${parts.join(', and ')}${own.length === 0 ? ': the preset’s values count again' : ''}.`;
}

function idText({ conversationId, lookUp, sharedId }: ConnectionConfiguration): string {
  if (lookUp) return `a look-up by ${sharedId ?? 'the ticket’s id'}`;
  return conversationId ?? 'the preset’s field';
}

function addedProject(name: string, { existingSecret }: ProjectConfiguration): Change[] {
  const subject = `project ${name}`;
  return existingSecret
    ? []
    : [
        {
          kind: 'secret',
          subject,
          sentence: `Its secret must be filled: npx --no chat-closer secret set ${name}`,
        },
      ];
}

function removedProject(name: string, { existingSecret }: ProjectConfiguration): Change[] {
  const subject = `project ${name}`;
  return [
    {
      kind: 'project',
      subject,
      sentence: 'Its closes that still wait fail with unknown_target until it is deployed again.',
    },
    ...(existingSecret
      ? []
      : [{ kind: 'secret', subject, sentence: 'Its secret stays behind in Secrets Manager.' } as const]),
  ];
}

function changedProject(name: string, before: ProjectConfiguration, after: ProjectConfiguration): Change[] {
  const subject = `project ${name}`;
  const target = ({ baseUrl, version, accountId, projectId }: ProjectConfiguration) =>
    `${baseUrl}/${version}/${accountId}/${projectId}`;
  const changes: Change[] = [];
  if (target(before) !== target(after))
    changes.push({
      kind: 'project',
      subject,
      sentence: `Chats are closed at ${target(after)} instead of ${target(before)}. Closes that wait go there too.`,
    });
  if (!isSame(before.cleanup, after.cleanup))
    changes.push({ kind: 'cleanup', subject, sentence: cleanupSentence(before, after) });
  if (changes.length === 0)
    changes.push({ kind: 'other', subject, sentence: 'Other settings of it change.' });
  return changes;
}

function cleanupSentence(
  { cleanup: before }: ProjectConfiguration,
  { cleanup: after }: ProjectConfiguration,
): string {
  if (!after) return 'Its cleanup goes: chats that no webhook closes stay open.';
  const how = `${after.dryRun ? 'a dry run' : 'closes chats'} that are idle for ${after.idleFor}, by ${after.schedule}`;
  return before ? `Its cleanup changes: ${how}.` : `It gets a cleanup: ${how}.`;
}

function changedStack(before: Configuration['stack'], after: Configuration['stack']): Change[] {
  if (isSame(before, after)) return [];
  const keys = [
    ...new Set([...Object.keys(before), ...Object.keys(after)]),
  ] as (keyof Configuration['stack'])[];
  const changed = keys.filter((key) => !isSame(before[key], after[key]));
  return [
    { kind: 'other', subject: 'stack', sentence: `Settings of the stack change: ${changed.join(', ')}.` },
  ];
}

/** Whether two values are the same JSON. Both come from the same check, so their keys have the same order. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
