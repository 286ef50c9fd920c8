import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CRMS } from '../../functions/crm/index.ts';
import zendesk from '../../functions/crm/zendesk.ts';
import { ROOT } from '../../infra/root.ts';
import { fillBlocks } from '../../scripts/generate/blocks.ts';
import { generatedFiles } from '../../scripts/generate/files.ts';
import { rebaseLinks, table } from '../../scripts/generate/markdown.ts';
import { readPage } from '../../scripts/generate/page.ts';
import { temporaryFolder, writeFiles } from '../support/folder.ts';

const FILES = generatedFiles(ROOT);

describe('npm run generate', () => {
  it.each(Object.keys(FILES))('has nothing to change in %s: run it after a change of its sources', (file) => {
    expect(readFileSync(join(ROOT, file), 'utf8')).toBe(FILES[file]);
  });

  it('covers the schema and the page of every preset', () => {
    const pages = Object.keys(CRMS).map((crm) => `docs/crm/${crm}.md`);
    expect(Object.keys(FILES)).toEqual(expect.arrayContaining(['connections.schema.json', ...pages]));
  });
});

describe('fillBlocks', () => {
  const block = (name: string, content = '') =>
    `<!-- generated: ${name} (npm run generate) -->\n${content}<!-- end -->\n`;

  it('replaces what stands between the markers, and nothing else', () => {
    const text = `before\n${block('one', 'old\n')}between\n${block('two')}after\n`;
    expect(fillBlocks('page.md', text, { one: 'new', two: '| a |' })).toBe(
      `before\n${block('one', 'new\n')}between\n${block('two', '| a |\n')}after\n`,
    );
  });

  it('says which block a document lacks, and the lines to add', () => {
    expect(() => fillBlocks('page.md', 'text\n', { one: 'new' })).toThrow(
      /page\.md lacks a generated block\. .*\n {2}<!-- generated: one \(npm run generate\) -->\n {2}<!-- end -->/,
    );
  });

  it('refuses a block that nothing generates', () => {
    expect(() => fillBlocks('page.md', block('typo'), {})).toThrow('page.md has a block "typo"');
  });
});

describe('readPage', () => {
  const FACTS = {
    group: 'webhook',
    proof: 'a signature',
    secret: 'the signing secret',
    finished: 'status closed',
    id: '`external_id`',
    carries: 'event',
    shared: "the ticket's id",
    change: '`previous`',
    time: '`time`',
  };
  const pageOf = (facts: Record<string, string>) => {
    const lines = Object.entries(facts).map(([fact, value]) => `${fact}: ${value}\n`);
    return `<!-- facts\n${lines.join('')}-->\n\n# Zendesk\n`;
  };
  const read = (text?: string) => {
    const root = temporaryFolder();
    if (text !== undefined) writeFiles(root, { 'docs/crm/zendesk.md': text });
    return readPage(root, 'zendesk', zendesk);
  };

  it('gives the title and the facts', () => {
    const { group, ...facts } = FACTS;
    expect(read(pageOf(FACTS))).toMatchObject({ title: 'Zendesk', group, facts });
  });

  it.each(['proof', 'secret', 'finished', 'id', 'carries', 'shared', 'change', 'time'])(
    'names a missing fact: %s',
    (fact) => {
      const facts = Object.fromEntries(Object.entries(FACTS).filter(([name]) => name !== fact));
      expect(() => read(pageOf(facts))).toThrow(`docs/crm/zendesk.md lacks the fact "${fact}".`);
    },
  );

  it('names everything that is wrong with a page', () => {
    const { proof, ...others } = FACTS;
    expect(() => read(pageOf({ ...others, group: 'bus' }).replace('# ', ''))).toThrow(
      /has no title.*\n.*lacks the fact "proof".*\n.*group "bus"/,
    );
  });

  it.each([
    ['a missing page', undefined, 'docs/crm/zendesk.md is missing'],
    ['a page without facts', '# Zendesk\n', 'must begin with its facts'],
    ['a page without a title', pageOf(FACTS).replace('# ', ''), 'has no title'],
    [
      'a fact that no table shows',
      pageOf({ ...FACTS, colour: 'red' }),
      'a fact "colour" that no table shows',
    ],
    ['an unknown group', pageOf({ ...FACTS, group: 'fax' }), 'must have a group among webhook, bus, any'],
    ['a bus for a preset of webhooks', pageOf({ ...FACTS, group: 'bus' }), 'only then'],
    ['a line that is not a fact', '<!-- facts\nred\n-->\n# Zendesk\n', '"red" is not a fact'],
  ])('refuses %s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe('rebaseLinks', () => {
  it.each([
    ['[a](../ids.md#x)', 'docs/crm/a.md', 'docs/ids.md', '[a](#x)'],
    ['[a](../ids.md#x)', 'docs/crm/a.md', 'README.md', '[a](docs/ids.md#x)'],
    ['[a](#x)', 'docs/crm/a.md', 'docs/ids.md', '[a](crm/a.md#x)'],
    ['[a](https://a.example/b)', 'docs/crm/a.md', 'README.md', '[a](https://a.example/b)'],
  ])('moves %s from %s to %s', (text, from, to, expected) => {
    expect(rebaseLinks(text, from, to)).toBe(expected);
  });
});

describe('table', () => {
  it('escapes a bar, which would end the cell', () => {
    expect(table(['A'], [['a|b']])).toBe('| A |\n| --- |\n| a\\|b |');
  });
});
