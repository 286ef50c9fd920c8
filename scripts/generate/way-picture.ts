import { WAY } from '../../local/console/stations.ts';

type Colours = { ground: string; surface: string; line: string; edge: string; text: string; quiet: string };

const LIGHT: Colours = {
  ground: '#f6f7f8',
  surface: '#ffffff',
  line: '#d3d8de',
  edge: '#767f89',
  text: '#1b1f24',
  quiet: '#525b65',
};
const DARK: Colours = {
  ground: '#0f1317',
  surface: '#171c22',
  line: '#343c45',
  edge: '#8a949f',
  text: '#e7eaed',
  quiet: '#a7b1bb',
};

const BOX = { width: 124, height: 108, gap: 22, margin: 14 };
const LINE_LENGTH = 17;
const FONT = 'font-family="system-ui, sans-serif"';

/** The way of a delivery as pictures, by their paths: the same stations as on the page of `npm start`. */
export function wayPictures(): Record<string, string> {
  return { 'docs/images/way.svg': draw(LIGHT), 'docs/images/way-dark.svg': draw(DARK) };
}

function draw(colours: Colours): string {
  const { width, height, gap, margin } = BOX;
  const size = [2 * margin + WAY.length * width + (WAY.length - 1) * gap, 2 * margin + height];
  const label = `The way of a delivery: ${WAY.map(({ name, about }) => `${name} ${about}`).join('; ')}.`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.join(' ')}" role="img" aria-label="${label}">`,
    `<rect width="100%" height="100%" rx="10" fill="${colours.ground}"/>`,
    ...WAY.map((station, index) => drawStation(station, margin + index * (width + gap), colours)),
    ...WAY.slice(1).map((_, index) => drawArrow(margin + index * (width + gap) + width, colours)),
    '</svg>',
    '',
  ].join('\n');
}

function drawStation({ name, about }: { name: string; about: string }, x: number, colours: Colours): string {
  const { width, height, margin: y } = BOX;
  const { surface, line, text, quiet } = colours;
  const lines = wrap(about).map(
    (each, index) =>
      `<text x="${x + 12}" y="${y + 52 + index * 17}" ${FONT} font-size="12" fill="${quiet}">${each}</text>`,
  );
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="9" fill="${surface}" stroke="${line}"/>`,
    `<text x="${x + 12}" y="${y + 28}" ${FONT} font-size="15" font-weight="600" fill="${text}">${name}</text>`,
    ...lines,
  ].join('\n');
}

function drawArrow(x: number, { edge }: Colours): string {
  const y = BOX.margin + 24;
  const end = x + BOX.gap - 2;
  return `<path d="M${x + 2} ${y}H${end}m-6 -4l6 4l-6 4" fill="none" stroke="${edge}" stroke-width="2"/>`;
}

/** Breaks a text between words. */
function wrap(text: string): string[] {
  const pattern = new RegExp(`.{1,${LINE_LENGTH}}(?= |$)`, 'g');
  return (text.match(pattern) ?? []).map((line) => line.trim());
}
