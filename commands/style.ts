import Table from 'cli-table3';
import { createColors } from 'picocolors';

/** How text looks. Without a terminal, or with NO_COLOR, every function returns its text unchanged. */
export type Style = {
  bold: (text: string) => string;
  dim: (text: string) => string;
  good: (text: string) => string;
  bad: (text: string) => string;
  warning: (text: string) => string;
  /** Rows in columns, without borders. Every row has as many cells as the head. */
  table: (head: readonly string[], rows: readonly (readonly string[])[]) => string;
};

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

export function createStyle(hasColours: boolean): Style {
  const { bold, dim, green, red, yellow } = createColors(hasColours);
  return {
    bold,
    dim,
    good: green,
    bad: red,
    warning: yellow,
    table(head, rows) {
      const table = new Table({
        head: head.map(bold),
        chars: NO_BORDERS,
        style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
      });
      table.push(...rows.map((row) => [...row]));
      return table
        .toString()
        .split('\n')
        .map((line) => line.trimEnd())
        .join('\n');
    },
  };
}
