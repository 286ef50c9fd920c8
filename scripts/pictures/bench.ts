import { DocumentError } from '../generate/document-error.ts';
import { box, label, picture } from './svg.ts';

const WIDTH = 760;
const ROW = 26;
const TOP = 44;
const LEFT = 220;
const SCALE = 150;

type Row = { name: string; ratio: number };

/**
 * The cold starts of docs/performance.md as bars, in multiples of the hand-signed receiver.
 *
 * @param page the text of docs/performance.md
 * @throws {DocumentError} when the page has no such table
 */
export function benchPicture(page: string): string {
  const rows = coldStarts(page);
  const names = rows.map(({ name, ratio }) => `${name} ${ratio}`).join(', ');
  const floor = LEFT + SCALE;
  const height = TOP + rows.length * ROW + 16;
  return picture(WIDTH, height, `Cold starts in multiples of a hand-signed receiver: ${names}.`, [
    label(16, 26, 'CPU of a cold start, in multiples of a hand-signed receiver', 'title'),
    ...rows.flatMap(({ name, ratio }, index) => {
      const y = TOP + index * ROW;
      const kind = name.startsWith('receiver, ') ? 'bar' : 'other';
      return [
        label(LEFT - 10, y + 15, name, '', 'end'),
        box(LEFT, y + 3, ratio * SCALE, ROW - 8, kind),
        label(LEFT + ratio * SCALE + 6, y + 15, ratio.toFixed(2), 'quiet'),
      ];
    }),
    `<path class="axis" d="M${floor} ${TOP - 4}V${height - 12}"/>`,
  ]);
}

function coldStarts(page: string): Row[] {
  const [, section = ''] = page.split('\n## Cold start\n');
  const [table = ''] = section.split('\n## ');
  const rows = [...table.matchAll(/^\| \**([^|*]+?)\** \| [\d.]+ \| ([\d.]+) \|/gm)];
  if (rows.length === 0) throw new DocumentError('docs/performance.md has no table of cold starts');
  return rows.map(([, name = '', ratio]) => ({ name, ratio: Number(ratio) }));
}
