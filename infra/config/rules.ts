import { checkArns } from './arn.ts';
import { checkBus } from './bus.ts';
import { SETTINGS } from './connection.ts';
import { rateInMinutes, toMinutes } from './duration.ts';
import { checkExistingSecrets, type Entry } from './existing-secret.ts';
import { checkExistingCount } from './existing-secrets.ts';
import { type Fault, pathOf, quote, suggest } from './fault.ts';
import {
  isPreset,
  isReplaceable,
  provesChange,
  refusedSecret,
  requires,
  requiresOneOf,
  schemes,
  senderForm,
  takes,
} from './preset.ts';
import { checkSelectorScope } from './selector-scope.ts';
import { NAME } from './values.ts';
import { CHOSEN } from './verify.ts';

type Settings = Record<string, unknown>;
type Faults = (Fault | undefined)[];

/** The longest period that an alarm can look back on. */
const MAX_ALARM_MINUTES = toMinutes('7d');

/**
 * What contradicts something elsewhere in the file. The file's shape may be at fault as well, so nothing is
 * taken for granted, and what only the shape forbids is left to the schema.
 *
 * @param stack the stack's name
 */
export function checkRules(configuration: unknown, stack: string): Fault[] {
  const { polyai, connections } = settingsOf(configuration);
  const projects = entriesOf('polyai', polyai);
  const webhooks = entriesOf('connections', connections);
  const all = [...projects, ...webhooks];
  const faults: Faults = [
    ...checkArns(settingsOf(configuration)),
    ...[projects, webhooks].flatMap((each) => checkExistingCount(each)),
    ...all.map(checkName),
    ...checkExistingSecrets(all, stack),
    ...projects.flatMap(checkCleanup),
    ...webhooks.flatMap((entry) => [
      checkProject(
        entry,
        projects.map(({ name }) => name),
      ),
      ...checkPreset(entry),
      ...checkVerify(entry),
      ...checkBus(entry.name, entry.settings),
      ...checkSelectorScope(entry.name, entry.settings),
    ]),
  ];
  return faults.filter((fault) => fault !== undefined);
}

function checkName({ kind, name }: Entry): Fault | undefined {
  if (NAME.test(name)) return undefined;
  return {
    path: pathOf(kind, name),
    problem: 'is a name that cannot stand in an address',
    mend: 'Use 1 to 64 of a-z, 0-9 and -, beginning and ending with a letter or digit',
  };
}

function checkProject({ kind, name, settings: { polyai } }: Entry, projects: string[]): Fault | undefined {
  // With no project at all there is a fault already, and nothing to choose from.
  if (typeof polyai !== 'string' || projects.length === 0 || projects.includes(polyai)) return undefined;
  return {
    path: pathOf(kind, name, 'polyai'),
    problem: `is ${quote(polyai)}, which is no project of this file`,
    mend: suggest(polyai, projects),
  };
}

function checkPreset(entry: Entry): Faults {
  const { kind, name, settings } = entry;
  const { crm } = settings;
  if (!isPreset(crm)) return [];
  const refused = SETTINGS.filter((key) => Object.hasOwn(settings, key) && !takes(crm).includes(key));
  const oneOf = requiresOneOf(crm);
  const isUnmet = oneOf.length > 0 && !oneOf.some((key) => Object.hasOwn(settings, key));
  const isIdle = ['finishedValues', 'finishedWhen'].every((key) => Object.hasOwn(settings, key));
  const isReplaced = (key: string) => isReplaceable(crm, key) && Object.hasOwn(settings, 'finishedWhen');
  const missing = requires(crm).filter((key) => !Object.hasOwn(settings, key) && !isReplaced(key));
  return [
    ...refused.map((key) => ({
      path: pathOf(kind, name, key),
      problem: `has no meaning for crm ${quote(crm)}`,
      mend: `Remove it; this preset takes ${takes(crm).join(', ')}`,
    })),
    ...refusedSecret(crm)
      .filter((key) => Object.hasOwn(settings, key))
      .map((key) => ({
        path: pathOf(kind, name, key),
        problem: `has no meaning for crm ${quote(crm)}, whose proof needs no secret`,
        mend: 'Remove it',
      })),
    isIdle && !refused.includes('finishedValues')
      ? {
          path: pathOf(kind, name, 'finishedValues'),
          problem: 'has no meaning beside finishedWhen, which decides alone',
          mend: 'Keep one of the two',
        }
      : undefined,
    isUnmet
      ? {
          path: pathOf(kind, name),
          problem: `has none of ${oneOf.join(' and ')}, and crm ${quote(crm)} sends no conversation id by itself`,
          mend: `Add one of them, as docs/crm/${crm}.md shows`,
        }
      : undefined,
    checkScheme(entry, crm),
    ...checkLookUp(entry, crm),
    checkRepeats(entry, crm),
    checkSender(entry, crm),
    ...missing.map((key) => ({
      path: pathOf(kind, name, key),
      problem: 'is missing',
      mend: `Crm ${quote(crm)} cannot do without it: add it as docs/crm/${crm}.md shows`,
    })),
  ];
}

/** A look-up takes the place of the conversation's own id. */
function checkLookUp({ kind, name, settings }: Entry, crm: string): Faults {
  const has = (key: string) => Object.hasOwn(settings, key) && takes(crm).includes(key);
  const faults: Record<string, [boolean, string, string]> = {
    sharedId: [
      has('sharedId') && !has('lookUp'),
      'has no meaning without lookUp',
      'Add "lookUp": "sharedId", or remove it',
    ],
    conversationId: [
      has('conversationId') && has('lookUp'),
      'has no meaning beside lookUp, which finds the conversation',
      'Keep one of the two',
    ],
    repeatedFinish: [
      has('repeatedFinish') && !has('lookUp'),
      'has no meaning without lookUp',
      'Remove it: without a look-up a second finish is harmless',
    ],
  };
  return Object.entries(faults).map(([key, [isFault, problem, mend]]) =>
    isFault ? { path: pathOf(kind, name, key), problem, mend } : undefined,
  );
}

/** A ticket's second finish would close the newer chat that its id names by then. */
function checkRepeats({ kind, name, settings }: Entry, crm: string): Fault | undefined {
  const isAsked = Object.hasOwn(settings, 'lookUp') && takes(crm).includes('lookUp');
  if (!isAsked || Object.hasOwn(settings, 'repeatedFinish') || provesChange(crm, settings)) return undefined;
  const { finishedWhen, finishedValues } = settings;
  const [cause, change] =
    finishedWhen !== undefined
      ? ['finishedWhen does not prove', 'Remove finishedWhen']
      : finishedValues !== undefined
        ? ['events with these finishedValues do not prove', 'Choose other finishedValues']
        : [`the events of crm ${quote(crm)} do not prove`, `Find the chat by conversationId`];
  return {
    path: pathOf(kind, name, 'lookUp'),
    problem: `is not safe: ${cause} that a ticket was not finished before, and its second finish would close a newer chat`,
    mend: `${change}, or read docs/conversation-id.md#only-the-first-finish-counts and add "repeatedFinish": "allow"`,
  };
}

function checkScheme({ kind, name, settings }: Entry, crm: string): Fault | undefined {
  const { scheme } = settingsOf(settings.verify);
  const choices = schemes(crm);
  // What is no scheme at all, or not to be chosen here, is said elsewhere.
  if (!choices || !takes(crm).includes('verify') || !isScheme(scheme) || choices.includes(scheme))
    return undefined;
  return {
    path: pathOf(kind, name, 'verify', 'scheme'),
    problem: `is ${quote(scheme)}, which crm ${quote(crm)} cannot send`,
    mend: suggest(scheme, choices),
  };
}

function checkSender({ kind, name, settings: { sender } }: Entry, crm: string): Fault | undefined {
  const form = senderForm(crm);
  // One that is no text, or an empty one, is said elsewhere.
  if (!form || typeof sender !== 'string' || sender.trim() === '' || form.pattern.test(sender))
    return undefined;
  return {
    path: pathOf(kind, name, 'sender'),
    problem: `is ${quote(sender)}, which cannot be a sender of crm ${quote(crm)}`,
    mend: form.mend,
  };
}

function isScheme(scheme: unknown): scheme is string {
  return CHOSEN.some((each) => each === scheme);
}

/** What a template signs, and the header that it comes from. */
const SIGNED_HEADERS = { timestampHeader: '{timestamp}', idHeader: '{id}' };

function checkVerify({ kind, name, settings }: Entry): Faults {
  const verify = settingsOf(settings.verify);
  if (verify.scheme !== 'hmac') return [];
  const at = (key: string) => pathOf(kind, name, 'verify', key);
  const { signed = '{body}' } = verify;
  const pairs = Object.entries(SIGNED_HEADERS).map(([header, placeholder]): Fault | undefined => {
    const isSigned = String(signed).includes(placeholder);
    if (isSigned === Object.hasOwn(verify, header)) return undefined;
    return isSigned
      ? {
          path: at('signed'),
          problem: `has ${placeholder}, and nothing says where it comes from`,
          mend: `Add "${header}", or take ${placeholder} out`,
        }
      : {
          path: at(header),
          problem: `is not signed, so it proves nothing`,
          mend: `Write ${placeholder} into "signed", as in "${placeholder}.{body}", or remove it`,
        };
  });
  const idle = ['timestampUnit', 'toleranceSeconds'].filter(
    (key) => Object.hasOwn(verify, key) && !Object.hasOwn(verify, 'timestampHeader'),
  );
  return [
    ...pairs,
    ...idle.map((key) => ({
      path: at(key),
      problem: 'has no meaning without timestampHeader',
      mend: 'Remove it, or add "timestampHeader"',
    })),
  ];
}

function checkCleanup({ kind, name, settings }: Entry): Faults {
  const { schedule, alarmAfter, idleFor = '12h', lookback = '14d' } = settingsOf(settings.cleanup);
  const at = (key: string) => pathOf(kind, name, 'cleanup', key);
  const between = rateInMinutes(schedule);
  const quiet = alarmAfter === undefined ? MAX_ALARM_MINUTES : toMinutes(alarmAfter);
  const faults: Record<string, [boolean, string, string]> = {
    alarmAfter: [
      typeof schedule === 'string' && schedule.startsWith('cron(') && alarmAfter === undefined,
      'is missing, and cannot be told from cron(…)',
      'Write how long no run may be seen before it alarms, as in 26h for a daily one',
    ],
    schedule: [
      between >= quiet,
      `runs no more often than ${alarmAfter === undefined ? 'once in 7d, the longest that alarmAfter can be' : 'alarmAfter'}`,
      'Run it more often, or make "alarmAfter" longer (at most 7d)',
    ],
    lookback: [
      toMinutes(lookback) <= toMinutes(idleFor),
      'is not longer than idleFor, so no chat would ever be found',
      'Make it longer',
    ],
  };
  return Object.entries(faults).map(([key, [isFault, problem, mend]]) =>
    isFault ? { path: at(key), problem, mend } : undefined,
  );
}

function entriesOf(kind: Entry['kind'], value: unknown): Entry[] {
  return Object.entries(settingsOf(value)).map(([name, settings]) => ({
    kind,
    name,
    settings: settingsOf(settings),
  }));
}

function settingsOf(value: unknown): Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Settings) : {};
}
