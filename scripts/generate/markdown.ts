import { posix } from 'node:path';

/** A Markdown table. A bar within a cell would end the cell, so it is escaped. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, headings.map(() => '---'), ...rows.map((row) => row.map(escapeBars))];
  return lines.map((cells) => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |')).join('\n');
}

function escapeBars(cell: string): string {
  return cell.replaceAll('|', '\\|');
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** `a`, `b`, `c`. */
export function codes(texts: readonly string[]): string {
  return texts.map(code).join(', ');
}

/**
 * Rewrites the relative links of a text that moves from one file to another.
 *
 * @param from the file the text was written in, and `to` the one it is copied to, both relative to the root
 */
export function rebaseLinks(text: string, from: string, to: string): string {
  return text.replace(/\]\((?!https?:)([^)#]*)(#[^)]*)?\)/g, (_, path: string, anchor = '') => {
    const target = path === '' ? from : posix.join(posix.dirname(from), path);
    return `](${linkTo(target, to)}${anchor})`;
  });
}

/** The link from one file to another, both relative to the root; empty within one file. */
export function linkTo(target: string, from: string): string {
  return target === from ? '' : posix.relative(posix.dirname(from), target);
}
