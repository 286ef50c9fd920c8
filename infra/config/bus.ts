import { CRMS } from '../../functions/crm/index.ts';
import { type Fault, type Path, pathOf } from './fault.ts';
import { isPreset } from './preset.ts';

type Settings = Record<string, unknown>;
export type EventPattern = Record<string, unknown>;

const PATTERNS = 'https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html';
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
  return typeof bus === 'object' ? checkSource(bus.sourcePrefixes, settings, at) : checkPattern(settings, at);
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
  const { source: _source, account: _account, ...rest } = eventPattern;
  return [...unnamed, ...checkShape(rest, (...path) => at('eventPattern', ...path))];
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

/** AWS would say this too, but only when the stack is deployed. */
function checkShape(pattern: EventPattern, at: At): Fault[] {
  return Object.entries(pattern).flatMap(([key, value]) => {
    if (isObject(value) && Object.keys(value).length > 0)
      return checkShape(value, (...path) => at(key, ...path));
    if (Array.isArray(value) && value.length > 0) return [];
    return [
      {
        path: at(key),
        problem: 'is not a list of what may match',
        mend: `Write a list, as in ["closed"] (${PATTERNS})`,
      },
    ];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
