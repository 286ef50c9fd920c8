import type { OutageResult } from '../../test/soak/outage.ts';
import { box, label, line, picture } from './svg.ts';

const [WIDTH, HEIGHT] = [760, 300];
const PLOT = { left: 60, right: 740, top: 50, bottom: 250 };
const HOURS = 26;
const OUTAGE = [1, 24] as const;

/** The backlog of a project whose PolyAI is down for 23 hours, and its closes: what `npm run soak -- --outage` simulates. */
export function outagePicture({ hours, closes, largeLastMs }: OutageResult): string {
  const most = closes.large;
  const x = (hour: number) => PLOT.left + ((PLOT.right - PLOT.left) * hour) / HOURS;
  const y = (count: number) => PLOT.bottom - ((PLOT.bottom - PLOT.top) * count) / most;
  const points = (of: 'waiting' | 'closed') => {
    const found = hours.map((each) => [x(each.hour), y(each[of])] as const);
    return [...found, [x(HOURS), y(of === 'closed' ? most : 0)] as const];
  };
  const last = Math.round(largeLastMs / 60_000);
  const text = `While PolyAI is down for 23 hours, ${most} closes come to wait, and none is closed. The last is closed ${last} minutes after the end.`;
  return picture(WIDTH, HEIGHT, text, [
    box(x(OUTAGE[0]), PLOT.top, x(OUTAGE[1]) - x(OUTAGE[0]), PLOT.bottom - PLOT.top, 'shade'),
    label(16, 26, 'A project whose PolyAI is down for a day', 'title'),
    label(x(OUTAGE[0]) + 8, PLOT.top + 18, 'PolyAI is down', 'quiet'),
    `<path class="axis" d="M${PLOT.left} ${PLOT.bottom}H${PLOT.right}"/>`,
    ...[0, 6, 12, 18, 24].map((hour) => label(x(hour), PLOT.bottom + 18, `${hour} h`, 'quiet', 'middle')),
    ...[0, most / 2, most].map((count) => label(PLOT.left - 8, y(count) + 4, `${count}`, 'quiet', 'end')),
    line(points('waiting'), 'line'),
    line(points('closed'), 'line second'),
    label(PLOT.left, HEIGHT - 14, '── closes that wait   - - closes that are done', 'quiet'),
  ]);
}
