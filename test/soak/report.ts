import type { Report } from './ledger.ts';
import type { SoakResult } from './world.ts';

/** The reasons why a run fails; empty when it passes. */
export function failuresOf(report: Report & Partial<Pick<SoakResult, 'left' | 'expired'>>): string[] {
  const { lost, wronglyClosed, conflictingFinals, unexplainedDeadLetters, forgeriesAccepted } = report;
  const { deletedEarly, wronglyCalled } = report;
  return [
    ...lost.map((each) => `lost: ${each}`),
    ...deletedEarly.map((each) => `deleted before its end: ${each}`),
    ...wronglyClosed.map((each) => `wrongly closed: ${each}`),
    ...wronglyCalled.map((each) => `wrongly called: ${each}`),
    ...conflictingFinals.map((each) => `conflicting finals: ${each}`),
    ...unexplainedDeadLetters.map((each) => `unexplained dead letter: ${each}`),
    ...(forgeriesAccepted > 0 ? [`${forgeriesAccepted} forgeries were answered 200`] : []),
    ...(report.left ? [`${report.left} messages are left in the queue`] : []),
    ...(report.expired ? [`${report.expired} messages were kept for 14 days and are gone`] : []),
  ];
}

/** The figures of a run, one a line. */
export function table(report: Report, more: [string, string][] = []): string {
  const deadLetters = Object.entries(report.deadLetters).map(([outcome, count]) => `${count} ${outcome}`);
  const rows: [string, string][] = [
    ['closes requested', `${report.closes}`],
    ['acknowledged to a CRM', `${report.acknowledged}`],
    ['acknowledged requests', `${report.requests}`],
    ['deliveries that the CRM gave up', `${report.neverAcknowledged}`],
    ['chats closed', `${report.closed}`],
    ['LOST', `${report.lost.length}`],
    ['DELETED EARLY', `${report.deletedEarly.length}`],
    ['WRONGLY CLOSED', `${report.wronglyClosed.length}`],
    ['WRONGLY CALLED', `${report.wronglyCalled.length}`],
    ['CONFLICTING FINALS', `${report.conflictingFinals.length}`],
    ['UNEXPLAINED DEAD LETTERS', `${report.unexplainedDeadLetters.length}`],
    ['dead letters', deadLetters.join(', ') || 'none'],
    ['dead letters of closed chats', `${report.needlessDeadLetters}`],
    ['dead letters of late copies', `${report.lateCopies}`],
    ['forgeries, accepted', `${report.forgeries}, ${report.forgeriesAccepted}`],
    ['calls to PolyAI per close', `${report.callsPerClose.toFixed(2)} (maximum: ${report.mostCalls})`],
    ...more,
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const recoveries = report.recoveries.map(
    ({ trouble, count, medianMin, lastMin }) =>
      `  ${trouble}: ${count} closed, median ${minutes(medianMin)}, last ${minutes(lastMin)} after its end`,
  );
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...(recoveries.length > 0
      ? ['chats acknowledged during a trouble, closed after its end:', ...recoveries]
      : []),
    '',
  ].join('\n');
}

/** The figures that only a run in virtual time has. */
export function virtualRows(result: SoakResult): [string, string][] {
  return [
    ['left in the queue, expired', `${result.left}, ${result.expired}`],
    ['maximum in flight', `${result.mostInFlight}`],
    ['invocations of the worker', `${result.invocations}`],
    ['containers started', `${result.coldStarts}`],
    ['virtual time', `${result.virtualDays.toFixed(1)} days`],
    ['real time', `${result.realSeconds.toFixed(0)} s`],
    ['maximum memory', `${result.peakRssMb.toFixed(0)} MB`],
  ];
}

function minutes(value: number): string {
  return value < 1 ? `${(value * 60).toFixed(0)} s` : `${value.toFixed(0)} min`;
}
