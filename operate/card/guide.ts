import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../infra/root.ts';

/** What the set-up guide of a CRM says, for the card. */
export type Guide = {
  /** Path of the page. */
  page: string;
  title: string;
  /** In words, without links: what is finished, where the id is, what proves a delivery. */
  facts: Record<string, string>;
  /** The body that the administrator pastes, where the CRM has a template. */
  body?: string;
};

const PLACEHOLDER = /\{\{|\{!|\$!?\{|\$esc\./;

/** Reads the guide of a preset. Without a page it has only the preset's name. */
export function readGuide(crm: string): Guide {
  const page = `docs/crm/${crm}.md`;
  const path = join(ROOT, page);
  if (!existsSync(path)) return { page, title: crm, facts: {} };
  const text = readFileSync(path, 'utf8');
  const [, title = crm] = /^# (.+)$/m.exec(text) ?? [];
  const [, facts = ''] = /^<!-- facts\n([\s\S]*?)-->/.exec(text) ?? [];
  const body = bodies(text).find((each) => PLACEHOLDER.test(each));
  return { page, title, facts: factsOf(facts), ...(body && { body }) };
}

function factsOf(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap((line) => {
    const [, key, value = ''] = /^(\w+): (.+)$/.exec(line) ?? [];
    return key ? [[key, plain(value)]] : [];
  });
  return Object.fromEntries(pairs);
}

/** Markdown without its marks. */
function plain(text: string): string {
  return text.replace(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll('`', '');
}

/** The blocks of JSON of a page, without the indentation of the list that they are in. */
function bodies(text: string): string[] {
  return [...text.matchAll(/^( *)```json[^\n]*\n([\s\S]*?)^ *```/gm)].map(([, indent = '', block = '']) =>
    block
      .split('\n')
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
      .join('\n')
      .trim(),
  );
}
