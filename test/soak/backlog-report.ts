import type { DrainResult, DrainStep } from './drain.ts';
import type { OutageResult } from './outage.ts';

const MINUTE = 60_000;
const number = (value: number) => value.toLocaleString('en-US');

/** The figures of an outage run, one a line. */
export function outageTable(result: OutageResult): string {
  const { closes, closed, calls, lines, invocations, sqsRequests } = result;
  const all = closes.large + closes.small;
  return rows([
    ['closes of the project that was down', `${number(closed.large)} of ${number(closes.large)} closed`],
    ['closes of the other project', `${number(closed.small)} of ${number(closes.small)} closed`],
    ['slowest close of the other project', `${(result.smallSlowestMs / 1000).toFixed(1)} s`],
    ['last close after the end of the outage', `${(result.largeLastMs / MINUTE).toFixed(0)} min`],
    ['maximum waiting', number(result.mostWaiting)],
    ['maximum in flight', number(result.mostInFlight)],
    ['calls to PolyAI', `${number(calls)} (${(calls / all).toFixed(2)} per close)`],
    ['log lines', `${number(lines)} (${(lines / all).toFixed(1)} per close)`],
    ['invocations of the worker', number(invocations)],
    ['calls to SQS by the worker', number(sqsRequests)],
    ['dead letters, wrong calls, faults', `${result.deadLetters}, ${result.wrong}, ${result.faults}`],
    ['left in the queue or expired', `${result.left}`],
    ['kept by the containers', `${result.keptMb.toFixed(1)} MB`],
    ['real time', `${result.realSeconds.toFixed(0)} s`],
  ]);
}

/** One of ten progress lines. */
export function drainStepText({ closed, seconds, cpuSeconds, heapMb }: DrainStep): string {
  return `${number(closed)} closed after ${(seconds / 60).toFixed(0)} min, ${cpuSeconds.toFixed(1)} s of CPU for this tenth, ${heapMb.toFixed(0)} MB heap`;
}

/** The figures of a drain, one a line. */
export function drainTable(result: DrainResult): string {
  const [before, after] = result.emptyMb;
  return rows([
    ['closes', `${number(result.closed)} of ${number(result.closes)} closed`],
    ['virtual time', `${result.virtualHours.toFixed(2)} h`],
    ['calls to PolyAI', number(result.calls)],
    ['calls to SQS by the worker', number(result.sqsRequests)],
    ['invocations of the worker', number(result.invocations)],
    ['maximum in flight', `${result.mostInFlight}`],
    ['dead letters, left', `${result.deadLetters}, ${result.left}`],
    ['heap before and after', `${before.toFixed(0)} MB, ${after.toFixed(0)} MB`],
  ]);
}

function rows(all: [string, string][]): string {
  const width = Math.max(...all.map(([name]) => name.length));
  return all.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}
