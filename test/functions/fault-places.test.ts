import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAULT_PLACES } from '../../functions/fault-places.ts';
import { ROOT } from '../../infra/root.ts';

const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

/** The first cells of the table whose first heading is `where`. */
function documentedPlaces(): string[] {
  const [, table = ''] = /^\| `where` \|.*\n\|[-| ]+\n((?:\|.*\n)+)/m.exec(page) ?? [];
  return [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, place = '']) => place);
}

describe('the table of fault places in docs/operations.md', () => {
  it('has one row for each place that a fault line can name, and no other', () => {
    expect(documentedPlaces().sort()).toEqual(Object.keys(FAULT_PLACES).sort());
  });
});
