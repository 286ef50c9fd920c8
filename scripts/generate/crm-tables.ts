import { code, linkTo, rebaseLinks, table } from './markdown.ts';
import type { Fact, Group, Page } from './page.ts';

/** Sorts by title, as a reader looks for a CRM. */
function byTitle(pages: readonly Page[]): Page[] {
  return [...pages].sort((one, other) => one.title.localeCompare(other.title, 'en'));
}

function inGroup(pages: readonly Page[], group: Group): Page[] {
  return byTitle(pages).filter((page) => page.group === group);
}

/** A page's fact for a table in the file `into`. */
function cell(page: Page, fact: Fact, into: string): string {
  return rebaseLinks(page.facts[fact] ?? '', page.file, into);
}

function titleLink(page: Page, into: string): string {
  return `[${page.title}](${linkTo(page.file, into)})`;
}

/** A preset's name with a link to its page. */
export function nameLink(page: Page, into: string): string {
  return `[${code(page.crm)}](${linkTo(page.file, into)})`;
}

/** The table of the set-up guides of one group. */
export function guideTable(pages: readonly Page[], group: Group, into: string): string {
  return table(
    ['Page', '`crm`', `What proves ${group === 'bus' ? 'an event' : 'a delivery'}`, 'Finished', 'The id'],
    inGroup(pages, group).map((page) => [
      titleLink(page, into),
      code(page.crm),
      cell(page, 'proof', into),
      cell(page, 'finished', into),
      cell(page, 'id', into),
    ]),
  );
}

/** Which CRM carries PolyAI's conversation id, and where. */
export function carryTable(pages: readonly Page[], into: string): string {
  return table(
    ['`crm`', 'Carries the id', 'Where, by default', 'Shared id for `lookUp`'],
    pages.map((page) => [
      nameLink(page, into),
      cell(page, 'carries', into),
      cell(page, 'id', into),
      cell(page, 'shared', into) || 'not taken',
    ]),
  );
}

/** What proves to a look-up that an event is the first finish. */
export function changeTable(pages: readonly Page[], into: string): string {
  return table(
    ['`crm`', 'What proves the change', 'When it happened'],
    pages
      .filter(({ facts }) => facts.change)
      .map((page) => [nameLink(page, into), cell(page, 'change', into), cell(page, 'time', into)]),
  );
}

/** The README's list of set-up guides. */
export function guideList(pages: readonly Page[], into: string): string {
  const lists = { 'By webhook': 'webhook', 'By EventBridge': 'bus', 'Anything else': 'any' } as const;
  return Object.entries(lists)
    .map(([name, group]) => {
      const links = inGroup(pages, group).map((page) => titleLink(page, into));
      return `- ${name}: ${links.join(' · ')}`;
    })
    .join('\n');
}
