import type { ServiceEvents } from '../../functions/crm/crm.ts';
import { CRMS } from '../../functions/crm/index.ts';
import { checkEventPattern, checkLength, type EventPattern } from './event-pattern.ts';
import { presetOf } from './preset.ts';
import { type Breach, isObject, type Settings, settingsOf } from './rule.ts';
import { textOf } from './text.ts';

export type { EventPattern };

/** Without these a pattern lets through events from anybody who may put events on the bus. */
const NAMED = { source: 'your.application', account: '111122223333' };

/** The bus on which AWS puts the events of its services. */
const DEFAULT_BUS = 'default';

/** Whether a preset's events arrive over a bus. */
export function isOnBus(crm: string): boolean {
  return CRMS[crm]?.bus !== undefined;
}

/** The name of a bus, without the rest of its ARN. */
export function busName(bus: string): string {
  return bus.replace(/^arn:.*:event-bus\//, '');
}

/** The bus of a preset's events if the connection names none; `undefined` where it must name one. */
export function defaultBus(crm: string): string | undefined {
  return serviceOf(crm) && DEFAULT_BUS;
}

/** The pattern that picks a connection's events from its bus, without the account. */
export function patternOf(crm: string, settings: Settings): EventPattern {
  const { bus } = CRMS[crm] ?? {};
  if (typeof bus !== 'object') return settings.eventPattern as EventPattern;
  return {
    source: [sourceOf({ ...settings, crm })],
    'detail-type': [...bus.detailTypes],
    ...serviceOf(crm)?.narrow?.(settings),
  };
}

/**
 * The account that the rule demands. Only AWS can put events whose source begins like a partner's, and the source
 * names the partner's customer. Anybody in an account can put events with another source, and a service puts those
 * of every account that forwards them.
 *
 * @param own the stack's account
 * @returns `undefined` where the rule demands none, or the connection's own pattern does
 */
export function accountOf(settings: Settings, own: string): string | undefined {
  const { crm, eventPattern, sender } = settings;
  if (eventPattern !== undefined) return undefined;
  if (serviceOf(textOf(crm))) return accountOfArn(textOf(sender)) ?? own;
  return sourceOf(settings).startsWith('aws.') ? undefined : own;
}

/** The source of the events. A service has its own; a partner's bus has the same name as its source. */
export function sourceOf({ crm, bus, source }: Settings): string {
  return textOf(source ?? serviceOf(textOf(crm))?.service ?? busName(textOf(bus)));
}

/** What a preset takes of an AWS service, if its events come from one. */
function serviceOf(crm: string): ServiceEvents | undefined {
  const { bus } = presetOf(crm) ?? {};
  return typeof bus === 'object' && 'service' in bus ? bus : undefined;
}

function accountOfArn(text: string): string | undefined {
  return /^arn:(?:[^:]*:){3}(\d{12}):/.exec(text)?.[1];
}

/** The rules for the settings of a connection on a bus. */
export function checkBus(value: unknown): Breach[] {
  const settings = settingsOf(value);
  const { crm } = settings;
  const { bus } = presetOf(crm) ?? {};
  if (!bus) return [];
  if (bus === 'own pattern') return checkPattern(settings);
  const lengths = checkSourceLength(textOf(crm), settings);
  return 'service' in bus ? lengths : [...checkSource(bus.sourcePrefixes, settings), ...lengths];
}

function checkSource(prefixes: readonly string[], { bus, source }: Settings): Breach[] {
  if (typeof bus !== 'string' || source !== undefined) return [];
  if (prefixes.some((prefix) => busName(bus).startsWith(prefix))) return [];
  return [
    {
      path: ['source'],
      problem: 'is missing, and the bus does not have the name of one of this partner’s sources',
      fix: `Write the source as the events have it (${prefixes[0]}…), or name the partner’s own bus`,
      isMissing: true,
    },
  ];
}

/** The preset's own pattern is short, so only the source can make it too long. */
function checkSourceLength(crm: string, settings: Settings): Breach[] {
  if (typeof settings.source !== 'string') return [];
  const breaches = checkLength({ ...patternOf(crm, settings), account: [NAMED.account] }, ['source']);
  return breaches.map((breach) => ({ ...breach, fix: 'Write the source as the events have it' }));
}

function checkPattern({ eventPattern }: Settings): Breach[] {
  if (!isObject(eventPattern)) return [];
  const unnamed = Object.keys(NAMED).filter((key) => !isNamed(eventPattern[key]));
  const others = checkEventPattern(eventPattern, ['eventPattern']);
  return [
    ...Object.entries(NAMED).flatMap(([key, example]) =>
      unnamed.includes(key) ? [unnamedFault(key, example)] : [],
    ),
    // One fault is enough for a key that names nobody.
    ...others.filter(({ path: [, key] }) => !unnamed.includes(String(key))),
  ];
}

function unnamedFault(key: string, example: string): Breach {
  return {
    path: ['eventPattern', key],
    problem: `does not name the ${key} that the events must have`,
    fix: `List it, as in "${key}": ["${example}"]: nothing else keeps other events out`,
  };
}

/** Whether it is a list of texts, or of their beginnings. */
function isNamed(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((each) => {
      const text = isObject(each) && Object.keys(each).length === 1 ? each.prefix : each;
      return typeof text === 'string' && text !== '';
    })
  );
}
