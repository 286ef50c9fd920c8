import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';

const FOLDER = join(ROOT, 'docs/crm');
const PAGES = readdirSync(FOLDER).filter((name) => name.endsWith('.md') && name !== 'README.md');

describe('a set-up guide', () => {
  it.each(PAGES)('%s leads to the card of its connection', (page) => {
    const hasLink = /\[`npx --no chat-closer connection [\w-]+`\]\(\.\.\/commands\.md#connection\)/;
    expect(hasLink.test(readFileSync(join(FOLDER, page), 'utf8'))).toBe(true);
  });

  it.each(PAGES)('%s puts no secret on a command line', (page) => {
    expect(readFileSync(join(FOLDER, page), 'utf8').includes('--secret-string')).toBe(false);
  });
});
