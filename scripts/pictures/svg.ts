/** The colours of a picture, by what they mark. They follow the reader's light or dark setting. */
const STYLE = `
  .ground { fill: #f6f7f8 } .box { fill: #fff; stroke: #d3d8de } .bar { fill: #2f6fb0 } .other { fill: #a9b4c0 }
  .line { fill: none; stroke: #2f6fb0; stroke-width: 2.5 } .second { stroke: #b4501e; stroke-dasharray: 6 4 }
  .axis { stroke: #d3d8de } .shade { fill: #f1e3da }
  text { font-family: system-ui, sans-serif; font-size: 12px; fill: #1b1f24 } .quiet { fill: #525b65 }
  .title { font-size: 14px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0f1317 } .box { fill: #171c22; stroke: #343c45 } .bar { fill: #6aa7e4 } .other { fill: #4d5762 }
    .line { stroke: #6aa7e4 } .second { stroke: #f0a37a } .axis { stroke: #343c45 } .shade { fill: #2a201b }
    text { fill: #e7eaed } .quiet { fill: #a7b1bb }
  }`;

/**
 * A picture.
 *
 * @param label what it shows, for readers who do not see it
 * @param parts its elements
 */
export function picture(width: number, height: number, label: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(label)}">`,
    `<style>${STYLE}\n</style>`,
    '<rect class="ground" width="100%" height="100%" rx="10"/>',
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

type Anchor = 'start' | 'middle' | 'end';

export function label(x: number, y: number, content: string, kind = '', anchor: Anchor = 'start'): string {
  const more = kind && ` class="${kind}"`;
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${more}>${escapeXml(content)}</text>`;
}

export function box(x: number, y: number, width: number, height: number, kind: string): string {
  return `<rect class="${kind}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="3"/>`;
}

export function line(points: readonly (readonly [x: number, y: number])[], kind: string): string {
  const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
  return `<path class="${kind}" d="${path}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
