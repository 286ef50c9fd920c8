import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { configurationOf } from '../support/configuration.ts';

const PAGES = ['README.md', 'CONTRIBUTING.md', ...pagesIn('docs'), ...pagesIn('docs/crm')];

function pagesIn(folder: string): string[] {
  const names = readdirSync(join(ROOT, folder)).filter((name) => name.endsWith('.md'));
  return names.map((name) => posix.join(folder, name));
}

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** A page without its code and comments, where brackets mean something else. */
function prose(page: string): string {
  return read(page)
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/^ *```[\s\S]*?^ *```$/gm, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));
}

type Link = { text: string; path: string; anchor: string };

/** The links to files of the repository, with their paths relative to the root. */
function linksOf(page: string): Link[] {
  const found = prose(page).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g);
  return [...found].map(([text, path = '', anchor = '']) => ({
    text,
    path: path === '' ? page : posix.join(posix.dirname(page), path),
    anchor,
  }));
}

/**
 * The anchors of a page's headings.
 *
 * @see https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links
 */
function anchorsOf(page: string): string[] {
  const withoutCode = read(page).replace(/^ *```[\s\S]*?^ *```$/gm, '');
  const seen = new Map<string, number>();
  return [...withoutCode.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = text.replace(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

function isBroken({ path, anchor }: Link): boolean {
  if (!existsSync(join(ROOT, path))) return true;
  return anchor !== '' && !anchorsOf(path).includes(anchor);
}

describe('the pages', () => {
  it.each(PAGES)('have no broken link: %s', (page) => {
    const broken = linksOf(page).filter(isBroken);
    expect(broken.map(({ text }) => text)).toEqual([]);
  });

  it('can all be reached from the README', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) {
      for (const { path } of linksOf(page)) if (PAGES.includes(path)) reached.add(path);
    }
    expect(PAGES.filter((page) => !reached.has(page))).toEqual([]);
  });
});

it('the README and operations show the same policy statements for a topic of your own', () => {
  const statementsOf = (page: string) =>
    [...read(page).matchAll(/^ *```json\n([\s\S]*?)^ *```$/gm)]
      .map(([, text = '']) => text)
      .filter((text) => text.includes('cloudwatch.amazonaws.com'))
      .map((text) => JSON.parse(text));
  expect(statementsOf('README.md')).toHaveLength(2);
  expect(statementsOf('README.md')).toEqual(statementsOf('docs/operations.md'));
});

it.each(pagesIn('docs/crm').filter((page) => !page.endsWith('README.md')))(
  '%s says at its top how to send only what ends a chat, because every ignored delivery is paid',
  (page) => {
    const [top = ''] = read(page).split(/^## /m);
    expect(top).toMatch(/^\*\*Send only what ends a chat\.\*\* \S/m);
  },
);

describe('the configurations', () => {
  it.each(['README.md', 'docs/configuration.md', 'docs/security.md'])('that %s shows are valid', (page) => {
    const blocks = [...read(page).matchAll(/^ *```json\n([\s\S]*?)^ *```$/gm)].map(([, text = '']) => text);
    const configurations = blocks.filter((text) => text.includes('"connections"'));
    expect(configurations.length).toBeGreaterThan(0);
    for (const text of configurations) expect(() => configurationOf(text)).not.toThrow();
  });
});
