import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { allPictures } from '../../scripts/pictures/all.ts';

const FILES = ['docs/images/bench.svg', 'docs/images/outage.svg', 'docs/images/dashboard.svg'];
/** Each picture stands on a page, with a text beside it. */
const PAGES = ['docs/performance.md', 'docs/scale.md', 'docs/operations.md'];

let pictures: Record<string, string>;
beforeAll(async () => {
  pictures = await allPictures(ROOT);
}, 60_000);

describe.each(FILES)('%s', (file) => {
  it('is current: run npm run generate after a change of its sources', () => {
    expect(readFileSync(join(ROOT, file), 'utf8')).toBe(pictures[file]);
  });

  it('says in words what it shows', () => {
    expect(pictures[file]).toMatch(/aria-label="[^"]{40,}"/);
  });

  it('is on a page', () => {
    const name = file.replace('docs/', '');
    const found = PAGES.filter((page) => readFileSync(join(ROOT, page), 'utf8').includes(`](${name})`));
    expect(found).toHaveLength(1);
  });
});
