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
  /** How much of a span of time had any trouble that a project would notice, in milliseconds. */
  troubledMs(from: number, to: number, project: string): number;
};

export const DAYS = 10;
const EVENT_SOURCE_OFF_FROM_DAY = 5;
const EVENT_SOURCE_OFF_DAYS = 3;

/**
 * Ten days: each project has its outages of 23 and 6 hours and of 20 minutes, its storms of 429, and its keys
 * revoked and rotated; AWS fails in every way in between, and for three days the worker has no event source.
 * A project's long troubles keep three hours from one another: the promise is for a day of trouble, not for two.
 */
export function createSchedule(start: number, projects: readonly string[], random: Random): Schedule {
  const windows: Window[] = [];
  const add = (trouble: Trouble, from: number, length: number, project?: string) => {
    windows.push({ trouble, from, to: from + length, ...(project && { project }) });
  };
  for (const project of projects) {
    const own = shuffle(['outage', 'misc', 'revoked', 'storms'], random);
    own.forEach((kind, index) => {
      const at = start + (0.4 + index * 1.15 + random.between(0, 0.02)) * DAY;
      if (kind === 'outage') add('outage', at, (23 / 24) * DAY, project);
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
    });
    for (const from of [0.05, 0.2, 8.3, 8.8, 9.2]) {
      add('outage', start + (from + random.between(0, 0.1)) * DAY, (DAY * 20) / (24 * 60), project);
    }
    for (const from of [0.3, 8.5, 9.6])
      add('rotated', start + (from + random.between(0, 0.1)) * DAY, 0, project);
  }
  for (const trouble of AWS_TROUBLES) {
    if (trouble === 'event_source_off') continue;
    for (const from of [random.between(0.1, 4.8), random.between(8.1, 9.8)]) {
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
    troubledMs(from, to, project) {
      let covered = 0;
      let until = from;
      for (const window of windows) {
        if (window.project !== undefined && window.project !== project) continue;
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
