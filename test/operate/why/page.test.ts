import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REFUSALS } from '../../../functions/refusal.ts';
import { ROOT } from '../../../infra/root.ts';
import { CAUSES } from '../../../operate/why/causes.ts';

const PAGE = readFileSync(join(ROOT, 'docs/why.md'), 'utf8');
const sectionOf = (title: string) =>
  PAGE.split(/^## /m).find((section) => section.startsWith(`${title}\n`)) ?? '';

describe('docs/why.md', () => {
  it('has a section for each cause and for nothing else but other questions', () => {
    const titles = [...PAGE.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    expect(titles.sort()).toEqual([...CAUSES, 'Other questions'].sort());
  });

  it.each(CAUSES)('says what %s means, and has it in the overview', (cause) => {
    expect(sectionOf(cause)).toContain('**Means:**');
    expect(PAGE.split(/^## /m)[0]).toContain(`[\`${cause}\`](#${cause})`);
  });

  it('says what to do about every code of a refusal', () => {
    const codes = Object.keys(REFUSALS).filter((code) => !sectionOf('refused').includes(`\`${code}\``));
    expect(codes).toEqual([]);
  });
});
