import { CRMS } from '../../functions/crm/index.ts';
import { secretContent } from '../../functions/schemes/index.ts';
import type { VerifySettings } from '../../functions/schemes/scheme.ts';
import { checkSecretKey } from './existing-secret.ts';
import { quote, suggest } from './fault.ts';
import { type Breach, type Rule, type Settings, settingsOf } from './rule.ts';
import { textOf } from './text.ts';
import { CHOSEN } from './verify.ts';

export type Preset = (typeof CRMS)[string];

/** Whether its selectors see one event of a delivery. */
export function seesOneEvent(crm: string): boolean {
  return CRMS[crm]?.hasBatches ?? false;
}

/** The preset of that name. `constructor` and the like are not names of presets. */
export function presetOf(crm: unknown): Preset | undefined {
  return typeof crm === 'string' && Object.hasOwn(CRMS, crm) ? CRMS[crm] : undefined;
}

/** The settings without which it cannot work. */
export function requires(crm: string): readonly string[] {
  const { verify, requires = [] } = presetOf(crm) ?? {};
  return [...new Set<string>([...(verify ? [] : ['verify']), ...requires])];
}

/** Whether `finishedWhen` does as well as this setting, because it decides alone. */
export function isReplaceable(crm: string, setting: string): boolean {
  return setting === 'finishedValues' && takes(presetOf(crm), 'finishedWhen');
}

/** Whether deliveries that are verified so need a secret. */
export function needsSecret({ scheme }: VerifySettings): boolean {
  return secretContent(scheme) !== 'none';
}

/** The settings of a secret, if the preset's own scheme needs none. */
export function refusedSecret(crm: string): readonly string[] {
  const { verify } = presetOf(crm) ?? {};
  const own = typeof verify === 'function' ? verify({}) : verify;
  return own && !needsSecret(own) ? ['existingSecret', 'existingSecretKey'] : [];
}

/** The keys that every connection may have, whatever its preset. */
const COMMON = ['crm', 'polyai', 'silentAfter', 'rehearse', 'existingSecret', 'existingSecretKey'];

/** The rules for a connection's settings that follow from its preset, and those between them. */
export const checkPreset: Rule = (value, faulty) => {
  const settings = settingsOf(value);
  const crm = textOf(settings.crm);
  const preset = presetOf(settings.crm);
  const between = [...checkFinished(settings, preset), ...checkLookUp(settings, preset)];
  // With an unknown preset the settings may still contradict each other.
  if (!preset) return [...between, ...checkSecretKey(settings)];
  return [
    ...between,
    ...checkTaken(settings, crm, preset),
    ...checkSecret(settings, crm),
    ...checkRequired(settings, crm),
    ...checkOneOf(settings, crm, preset),
    ...checkScheme(settings, crm, preset),
    ...checkRepeats(settings, crm, preset),
    ...(faulty.has('sender') ? [] : checkSender(settings, crm, preset)),
  ];
};

/** Whether a connection may have the setting. An unknown preset is taken to take all. */
export function takes(preset: Preset | undefined, setting: string): boolean {
  return preset?.takes.some((each) => each === setting) ?? true;
}

function has(settings: Settings, preset: Preset | undefined, setting: string): boolean {
  return Object.hasOwn(settings, setting) && takes(preset, setting);
}

function checkFinished(settings: Settings, preset: Preset | undefined): Breach[] {
  if (!has(settings, preset, 'finishedValues') || !Object.hasOwn(settings, 'finishedWhen')) return [];
  return [
    {
      path: ['finishedValues'],
      problem: 'has no effect beside finishedWhen, which decides alone',
      fix: 'Keep one of the two',
    },
  ];
}

/** A look-up replaces the conversation's own id. */
function checkLookUp(settings: Settings, preset: Preset | undefined): Breach[] {
  const breaches = {
    sharedId: {
      isBroken: !has(settings, preset, 'lookUp'),
      problem: 'has no effect without lookUp',
      fix: 'Add "lookUp": "sharedId", or remove it',
    },
    conversationId: {
      isBroken: has(settings, preset, 'lookUp'),
      problem: 'has no effect beside lookUp, which finds the conversation',
      fix: 'Keep one of the two',
    },
    field: {
      isBroken: has(settings, preset, 'lookUp') || has(settings, preset, 'conversationId'),
      problem: 'has no effect beside conversationId or lookUp, which find the conversation',
      fix: 'Keep one of them',
    },
    repeatedFinish: {
      isBroken: !has(settings, preset, 'lookUp'),
      problem: 'has no effect without lookUp',
      fix: 'Remove it: without a look-up a second finish is harmless',
    },
  };
  return Object.entries(breaches).flatMap(([key, { isBroken, problem, fix }]) =>
    isBroken && has(settings, preset, key) ? [{ path: [key], problem, fix }] : [],
  );
}

function checkTaken(settings: Settings, crm: string, preset: Preset): Breach[] {
  const refused = Object.keys(settings).filter((key) => !COMMON.includes(key) && !takes(preset, key));
  return refused.map((key) => ({
    path: [key],
    problem: `does not apply to crm ${quote(crm)}`,
    fix: `Remove it. This preset takes ${preset.takes.join(', ')}`,
  }));
}

function checkSecret(settings: Settings, crm: string): Breach[] {
  const refused = refusedSecret(crm);
  if (refused.length === 0) return checkSecretKey(settings);
  return refused
    .filter((key) => Object.hasOwn(settings, key))
    .map((key) => ({
      path: [key],
      problem: `does not apply to crm ${quote(crm)}, whose deliveries are verified without a secret`,
      fix: 'Remove it',
    }));
}

function checkRequired(settings: Settings, crm: string): Breach[] {
  const isReplaced = (key: string) => isReplaceable(crm, key) && Object.hasOwn(settings, 'finishedWhen');
  const missing = requires(crm).filter((key) => !Object.hasOwn(settings, key) && !isReplaced(key));
  return missing.map((key) => ({
    path: [key],
    problem: 'is missing',
    fix: `Crm ${quote(crm)} requires it: add it as docs/crm/${crm}.md shows`,
    isMissing: true,
  }));
}

function checkOneOf(settings: Settings, crm: string, { requiresOneOf = [] }: Preset): Breach[] {
  const isMet = requiresOneOf.length === 0 || requiresOneOf.some((key) => Object.hasOwn(settings, key));
  if (isMet) return [];
  return [
    {
      path: [],
      problem: `needs ${requiresOneOf.join(' or ')}: the events of crm ${quote(crm)} carry no conversation id`,
      fix: `Add one of them, as docs/crm/${crm}.md shows`,
    },
  ];
}

function checkScheme({ verify }: Settings, crm: string, preset: Preset): Breach[] {
  const { scheme } = settingsOf(verify);
  const { schemes: choices } = preset;
  if (!choices || !takes(preset, 'verify') || choices.some((each) => each === scheme)) return [];
  // The schema refuses what is not a scheme at all.
  if (!CHOSEN.some((each) => each === scheme)) return [];
  return [
    {
      path: ['verify', 'scheme'],
      problem: `is ${quote(scheme)}, which crm ${quote(crm)} cannot send`,
      fix: suggest(scheme, choices),
    },
  ];
}

/** A ticket's second finish would close the newer chat that its id names by then. */
function checkRepeats(settings: Settings, crm: string, preset: Preset): Breach[] {
  const isAllowed = Object.hasOwn(settings, 'repeatedFinish');
  if (!has(settings, preset, 'lookUp') || isAllowed || provesChange(settings, preset)) return [];
  const { finishedWhen, finishedValues } = settings;
  const [cause, change] =
    finishedWhen !== undefined
      ? ['finishedWhen does not prove', 'Remove finishedWhen']
      : finishedValues !== undefined
        ? ['events with these finishedValues do not prove', 'Choose other finishedValues']
        : [`the events of crm ${quote(crm)} do not prove`, 'Find the chat by conversationId'];
  return [
    {
      path: ['lookUp'],
      problem: `is not safe: ${cause} that a ticket was not finished before, and its second finish would close a newer chat`,
      fix: `${change}, or read docs/conversation-id.md#only-the-first-finish-counts and add "repeatedFinish": "allow"`,
    },
  ];
}

/** Whether its events can prove, with these settings, that a ticket was not finished before. */
function provesChange(
  { finishedWhen, finishedValues }: Settings,
  { provesChange: proves = false }: Preset,
): boolean {
  if (finishedWhen !== undefined) return false;
  if (typeof proves === 'boolean') return proves;
  return proves(Array.isArray(finishedValues) ? { finishedValues: finishedValues.map(String) } : {});
}

function checkSender({ sender }: Settings, crm: string, { senderForm }: Preset): Breach[] {
  if (!senderForm || typeof sender !== 'string' || senderForm.pattern.test(sender)) return [];
  return [
    {
      path: ['sender'],
      problem: `is ${quote(sender)}, which cannot be a sender of crm ${quote(crm)}`,
      fix: senderForm.fix,
    },
  ];
}
