import type { Random } from './random.ts';

// What goes wrong when. Everything comes from the seed, so that a run can be repeated.

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Of one project at PolyAI. */
export const POLYAI_TROUBLES = [
  'outage',
  'storm',
  'revoked',
  'rotated',
  'empty_secret',
  'misdirected',
  'slow',
  'hanging',
  // Of its CRM: the secret is changed there, and here.
  'crm_rotated',
] as const;
/** Of AWS, for everything. */
export const AWS_TROUBLES = [
  'send_fails',
  'send_fails_partly',
  'send_unanswered',
  'secrets_throttled',
  'secrets_fail',
  'secrets_denied',
  'secrets_slow',
  'workers_killed',
  'polls_throttled',
  'dead_letter_fails',
  'visibility_fails',
  'event_source_off',
  'receiver_ahead',
  'worker_ahead',
] as const;

export type Trouble = (typeof POLYAI_TROUBLES)[number] | (typeof AWS_TROUBLES)[number];

export type Window = { trouble: Trouble; from: number; to: number; project?: string };

export type Schedule = {
  windows: Window[];
  /** The trouble of this kind that there is at a time. */
  during(trouble: Trouble, time: number, project?: string): Window | undefined;
  /** How much of a span of time had any trouble that a project would notice, in milliseconds; or any of some. */
  troubledMs(from: number, to: number, project: string, kinds?: readonly Trouble[]): number;
};

export const DAYS = 13;
const EVENT_SOURCE_OFF_FROM_DAY = 8.2;
const EVENT_SOURCE_OFF_DAYS = 3;
/** From Friday evening to Monday noon. */
const WEEKEND_DAYS = 66 / 24;
/** Each project has these one after the other, in its own order; days, with the quiet time after each. */
const LONG_TROUBLES = { outage: 1.15, weekend: 3, misc: 1.15, revoked: 1.15, storms: 1.15 };

/**
 * Thirteen days: each project has its outages of 23 and 6 hours and of 20 minutes, its storms of 429, and its
 * keys revoked and rotated, and one of them an outage of a whole weekend, which is what costs the most calls;
 * its CRM changes its secret; AWS fails in every way in between, and for three days the worker has no event
 * source. A project's long troubles keep three hours from one another: the
 * promise is for a weekend of trouble, not for a week.
 */
export function createSchedule(start: number, projects: readonly string[], random: Random): Schedule {
  const windows: Window[] = [];
  const add = (trouble: Trouble, from: number, length: number, project?: string) => {
    windows.push({ trouble, from, to: from + length, ...(project && { project }) });
  };
  const closedForTheWeekend = random.pick(projects);
  for (const project of projects) {
    let day = 0.4;
    for (const kind of shuffle(Object.keys(LONG_TROUBLES) as (keyof typeof LONG_TROUBLES)[], random)) {
      const at = start + (day + random.between(0, 0.02)) * DAY;
      day += LONG_TROUBLES[kind];
      if (kind === 'outage') add('outage', at, (23 / 24) * DAY, project);
      if (kind === 'weekend' && project === closedForTheWeekend)
        add('outage', at, WEEKEND_DAYS * DAY, project);
      if (kind === 'revoked') {
        add('revoked', at, 0.45 * DAY, project);
        add('empty_secret', at + 0.65 * DAY, 0.1 * DAY, project);
      }
      if (kind === 'storms') {
        add('storm', at, 0.1 * DAY, project);
        add('storm', at + 0.3 * DAY, 0.05 * DAY, project);
        add('outage', at + 0.5 * DAY, 0.25 * DAY, project);
      }
      if (kind === 'misc') {
        add('slow', at, 0.15 * DAY, project);
        add('hanging', at + 0.2 * DAY, 0.05 * DAY, project);
        add('misdirected', at + 0.4 * DAY, 0.1 * DAY, project);
        add('rotated', at + 0.6 * DAY, 0, project);
      }
    }
    for (const from of [0.05, 0.2, 11.4, 11.8, 12.2]) {
      add('outage', start + (from + random.between(0, 0.1)) * DAY, (DAY * 20) / (24 * 60), project);
    }
    for (const from of [0.3, 11.6, 12.6])
      add('rotated', start + (from + random.between(0, 0.1)) * DAY, 0, project);
    for (const from of [0.25, 12.4]) {
      const at = start + (from + random.between(0, 0.1)) * DAY;
      add('crm_rotated', at, 20 * MINUTE, project);
      add('crm_rotated', at + 0.1 * DAY, 2 * MINUTE, project);
    }
  }
  for (const trouble of AWS_TROUBLES) {
    if (trouble === 'event_source_off') continue;
    for (const from of [random.between(0.1, 8), random.between(11.3, 12.8)]) {
      add(trouble, start + from * DAY, random.between(0.03, 0.06) * DAY);
    }
  }
  add('event_source_off', start + EVENT_SOURCE_OFF_FROM_DAY * DAY, EVENT_SOURCE_OFF_DAYS * DAY);
  windows.sort((a, b) => a.from - b.from);

  const byTrouble = new Map<string, Window[]>();
  for (const window of windows) {
    const key = `${window.trouble} ${window.project ?? ''}`;
    byTrouble.set(key, [...(byTrouble.get(key) ?? []), window]);
  }
  return {
    windows,
    during: (trouble, time, project = '') =>
      byTrouble.get(`${trouble} ${project}`)?.find(({ from, to }) => time >= from && time < to),
    troubledMs(from, to, project, kinds) {
      let covered = 0;
      let until = from;
      for (const window of windows) {
        if (window.project !== undefined && window.project !== project) continue;
        if (kinds && !kinds.includes(window.trouble)) continue;
        const begin = Math.max(window.from, until);
        const end = Math.min(window.to, to);
        if (end <= begin) continue;
        covered += end - begin;
        until = end;
      }
      return covered;
    },
  };
}

function shuffle<T>(values: readonly T[], random: Random): T[] {
  const keyed = values.map((value) => ({ value, key: random.next() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
}
