import { box, label, line, picture } from './svg.ts';

const COLUMN = 32;
const ROW = 22;
const MARGIN = 12;

type Widget = {
  type: string;
  x: number;
  y: number;
  width: number;
  height: number;
  properties: { markdown?: string; title?: string };
};

/**
 * The dashboard as CloudWatch lays it out: its questions, and below each the graphs and tables that answer it.
 *
 * @param body the `DashboardBody` of the template, as JSON
 */
export function dashboardPicture(body: string): string {
  const widgets: Widget[] = JSON.parse(body).widgets;
  const height = Math.max(...widgets.map((each) => each.y + each.height)) * ROW + 2 * MARGIN;
  const questions = widgets.flatMap(({ properties: { markdown } }) => (markdown ? [plain(markdown)] : []));
  return picture(24 * COLUMN + 2 * MARGIN, height, `The dashboard answers: ${questions.join(' ')}`, [
    ...widgets.flatMap(drawWidget),
  ]);
}

function drawWidget({ type, x, y, width, height, properties }: Widget): string[] {
  const [left, top] = [MARGIN + x * COLUMN, MARGIN + y * ROW];
  const { markdown, title = '' } = properties;
  if (markdown) return [label(left + 4, top + 16, plain(markdown), 'title')];
  const [right, bottom] = [left + width * COLUMN - 4, top + height * ROW - 4];
  const inner = right - left;
  const shape =
    type === 'log'
      ? [1, 2, 3].map((index) => box(left + 10, top + 20 + index * 18, inner - 20, 8, 'other'))
      : [
          line(
            [0, 0.2, 0.4, 0.6, 0.8, 1].map((share, index) => [
              left + 10 + share * (inner - 20),
              bottom - 14 - ((index * 37) % 5) * ((bottom - top - 60) / 6),
            ]),
            'line',
          ),
        ];
  return [
    box(left, top, inner, bottom - top, 'box'),
    label(left + 8, top + 18, shorten(title, inner), ''),
    ...(bottom - top > 70 ? shape : []),
  ];
}

function plain(markdown: string): string {
  return markdown.replace(/^#+ /, '').split('\n')[0] ?? '';
}

/** About as much text as a width holds. */
function shorten(text: string, width: number): string {
  const most = Math.floor(width / 6.6);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
