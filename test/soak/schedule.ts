import type { Random } from './random.ts';

// Decides which trouble happens when. Everything follows from the seed, so that a run can be repeated.

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Troubles of one project at PolyAI, or of its CRM. */
export const POLYAI_TROUBLES = [
  'outage',
  'storm',
  'revoked',
  'rotated',
  'empty_secret',
  'misdirected',
  'slow',
  'hanging',
  // The CRM changes its signing secret, and then the stored one is changed.
  'crm_rotated',
] as const;
/** Troubles of AWS. They concern every project. */
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
  /** The trouble of this kind at a time, if any. */
  during(trouble: Trouble, time: number, project?: string): Window | undefined;
  /** How many milliseconds of a span had a trouble that affects a project: any trouble, or one of `kinds`. */
  troubledMs(from: number, to: number, project: string, kinds?: readonly Trouble[]): number;
  /** The longest stretch of a span without any trouble that affects a project, in milliseconds. */
  longestCalmMs(from: number, to: number, project: string): number;
};

export const DAYS = 13;
const EVENT_SOURCE_OFF_FROM_DAY = 8.2;
const EVENT_SOURCE_OFF_DAYS = 3;
/** From Friday evening to Monday noon. */
const WEEKEND_DAYS = 66 / 24;
/** Each project has these one after the other, in its own order. The value is days, with the quiet time after each. */
const LONG_TROUBLES = { outage: 1.15, weekend: 3, misc: 1.15, revoked: 1.15, storms: 1.15 };
type LongTrouble = keyof typeof LONG_TROUBLES;

/** Adds a trouble. `from` is Unix milliseconds, `length` milliseconds. */
type Add = (trouble: Trouble, from: number, length: number, project?: string) => void;

/**
 * Thirteen days. Each project has outages of 23 and 6 hours and of 20 minutes, storms of 429, and its keys revoked and
 * rotated; one project has an outage of a whole weekend, which costs the most calls. Its CRM changes its secret. AWS
 * fails in every way in between, and for three days the worker has no event source. A project's long troubles are three
 * hours apart, because the promise is for a weekend of trouble and not for a week.
 *
 * @param start Unix milliseconds
 */
export function createSchedule(start: number, projects: readonly string[], random: Random): Schedule {
  const windows: Window[] = [];
  const add: Add = (trouble, from, length, project) => {
    windows.push({ trouble, from, to: from + length, ...(project && { project }) });
  };
  const closedForTheWeekend = random.pick(projects);
  for (const project of projects) {
    addLongTroubles(add, start, random, project, project === closedForTheWeekend);
    addShortTroubles(add, start, random, project);
  }
  addAwsTroubles(add, start, random);
  windows.sort((a, b) => a.from - b.from);
  return query(windows);
}

function addLongTroubles(
  add: Add,
  start: number,
  random: Random,
  project: string,
  isClosedForTheWeekend: boolean,
): void {
  let day = 0.4;
  for (const kind of shuffle(Object.keys(LONG_TROUBLES) as LongTrouble[], random)) {
    const from = start + (day + random.between(0, 0.02)) * DAY;
    day += LONG_TROUBLES[kind];
    if (kind === 'outage') add('outage', from, (23 / 24) * DAY, project);
    if (kind === 'weekend' && isClosedForTheWeekend) add('outage', from, WEEKEND_DAYS * DAY, project);
    if (kind === 'revoked') {
      add('revoked', from, 0.45 * DAY, project);
      add('empty_secret', from + 0.65 * DAY, 0.1 * DAY, project);
    }
    if (kind === 'storms') {
      add('storm', from, 0.1 * DAY, project);
      add('storm', from + 0.3 * DAY, 0.05 * DAY, project);
      add('outage', from + 0.5 * DAY, 0.25 * DAY, project);
    }
    if (kind === 'misc') {
      add('slow', from, 0.15 * DAY, project);
      add('hanging', from + 0.2 * DAY, 0.05 * DAY, project);
      add('misdirected', from + 0.4 * DAY, 0.1 * DAY, project);
      add('rotated', from + 0.6 * DAY, 0, project);
    }
  }
}

function addShortTroubles(add: Add, start: number, random: Random, project: string): void {
  const near = (day: number) => start + (day + random.between(0, 0.1)) * DAY;
  for (const day of [0.05, 0.2, 11.4, 11.8, 12.2]) add('outage', near(day), 20 * MINUTE, project);
  for (const day of [0.3, 11.6, 12.6]) add('rotated', near(day), 0, project);
  for (const day of [0.25, 12.4]) {
    const from = near(day);
    add('crm_rotated', from, 20 * MINUTE, project);
    add('crm_rotated', from + 0.1 * DAY, 2 * MINUTE, project);
  }
}

function addAwsTroubles(add: Add, start: number, random: Random): void {
  for (const trouble of AWS_TROUBLES) {
    if (trouble === 'event_source_off') continue;
    for (const day of [random.between(0.1, 8), random.between(11.3, 12.8)]) {
      add(trouble, start + day * DAY, random.between(0.03, 0.06) * DAY);
    }
  }
  add('event_source_off', start + EVENT_SOURCE_OFF_FROM_DAY * DAY, EVENT_SOURCE_OFF_DAYS * DAY);
}

/** @param windows sorted by their start */
function query(windows: Window[]): Schedule {
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
    longestCalmMs(from, to, project) {
      let calmSince = from;
      let longest = 0;
      for (const window of windows) {
        if (window.project !== undefined && window.project !== project) continue;
        if (window.to <= calmSince || window.from >= to) continue;
        longest = Math.max(longest, window.from - calmSince);
        calmSince = window.to;
      }
      return Math.max(longest, to - calmSince);
    },
  };
}

function shuffle<T>(values: readonly T[], random: Random): T[] {
  const keyed = values.map((value) => ({ value, key: random.next() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
}
