import { textOf } from './text.ts';

const MINUTES: Record<string, number> = { m: 1, h: 60, d: 24 * 60 };

export const DURATION = /^([1-9]\d{0,4})([mhd])$/;

/** Minutes of a duration such as `30m`, `12h` or `14d`. NaN for anything else. */
export function toMinutes(duration: unknown): number {
  const [, count, unit = ''] = DURATION.exec(textOf(duration)) ?? [];
  return Number(count) * (MINUTES[unit] ?? Number.NaN);
}

/** Minutes between two runs of a schedule such as `rate(1 hour)`. NaN for anything else. */
export function rateInMinutes(schedule: unknown): number {
  const [, count, unit] =
    /^rate\(([1-9]\d{0,4}) (?:(m)inute|(h)our|(d)ay)s?\)$/.exec(textOf(schedule))?.filter(Boolean) ?? [];
  return toMinutes(`${count}${unit}`);
}

/**
 * The time between two runs of a cleanup in minutes. The time between the runs of a `cron(…)` is not known:
 * `alarmAfter` says by when the next one must have run.
 */
export function periodInMinutes({ schedule, alarmAfter }: { schedule: string; alarmAfter: string }): number {
  return rateInMinutes(schedule) || toMinutes(alarmAfter);
}
