import { CRMS } from '../../functions/crm/index.ts';
import { checkEventPattern, checkLength, type EventPattern } from './event-pattern.ts';
import { type Fault, type Path, pathOf } from './fault.ts';
import { isPreset } from './preset.ts';

export type { EventPattern };

type Settings = Record<string, unknown>;

/** Without these a pattern would let through what anybody at all may put on the bus. */
const NAMED = { source: 'your.application', account: '111122223333' };

/** Whether a preset's events come over a bus. */
export function isOnBus(crm: string): boolean {
  return CRMS[crm]?.bus !== undefined;
}

/** A bus by its name, without the rest of an ARN. */
export function busName(bus: string): string {
  return bus.replace(/^arn:.*:event-bus\//, '');
}

/** The events of a connection on a bus, as its rule picks them out. */
export function patternOf(crm: string, settings: Settings): EventPattern {
  const { bus } = CRMS[crm] ?? {};
  if (typeof bus !== 'object') return settings.eventPattern as EventPattern;
  return { source: [sourceOf(settings)], 'detail-type': [...bus.detailTypes] };
}

/** A partner names its bus like its source. */
export function sourceOf({ bus, source }: Settings): string {
  return String(source ?? busName(String(bus)));
}

/** What only a connection on a bus can have wrong. */
export function checkBus(name: string, settings: Settings): Fault[] {
  const { crm } = settings;
  const { bus } = isPreset(crm) ? (CRMS[crm] ?? {}) : {};
  if (!bus) return [];
  const at = (...path: Path) => pathOf('connections', name, ...path);
  return typeof bus === 'object'
    ? [...checkSource(bus.sourcePrefixes, settings, at), ...checkSourceLength(String(crm), settings, at)]
    : checkPattern(settings, at);
}

type At = (...path: Path) => string;

function checkSource(prefixes: readonly string[], settings: Settings, at: At): Fault[] {
  // What is no text is said elsewhere.
  if (typeof settings.bus !== 'string' || settings.source !== undefined) return [];
  if (prefixes.some((prefix) => busName(settings.bus as string).startsWith(prefix))) return [];
  return [
    {
      path: at('source'),
      problem: 'is missing, and cannot be told from the bus, which is not named like this partner’s',
      mend: `Write the source as the events have it (${prefixes[0]}…), or name the partner’s own bus`,
    },
  ];
}

/** The preset's own pattern is short, so only the source can make it long. */
function checkSourceLength(crm: string, settings: Settings, at: At): Fault[] {
  if (typeof settings.source !== 'string') return [];
  const faults = checkLength({ ...patternOf(crm, settings), account: ['111122223333'] }, () => at('source'));
  return faults.map((fault) => ({ ...fault, mend: 'Write the source as the events have it' }));
}

function checkPattern({ eventPattern }: Settings, at: At): Fault[] {
  if (!isObject(eventPattern)) return [];
  const unnamed = Object.entries(NAMED).flatMap(([key, example]) =>
    isNamed(eventPattern[key])
      ? []
      : [
          {
            path: at('eventPattern', key),
            problem: `does not name the ${key} that the events must have`,
            mend: `List it, as in "${key}": ["${example}"]: nothing else keeps others’ events out`,
          },
        ],
  );
  const faults = checkEventPattern(eventPattern, (...path) => at('eventPattern', ...path));
  // What does not name anybody is said once.
  const said = new Set(unnamed.map(({ path }) => path));
  return [...unnamed, ...faults.filter(({ path }) => ![...said].some((each) => path.startsWith(each)))];
}

/** A list of texts, or of their beginnings. */
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
