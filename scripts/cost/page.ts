import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillBlocks } from '../generate/blocks.ts';
import { CONFIGURATIONS } from './configurations.ts';
import { sampleLines } from './lines.ts';
import { measure } from './measure.ts';
import type { Measured } from './month.ts';
import { synthesize } from './synthesize.ts';
import { costTables, type Measurements } from './tables.ts';

export const COST_PAGE = 'docs/cost.md';

/**
 * docs/cost.md with current tables: synthesises the stated configurations and runs the handlers.
 *
 * @param root the repository's folder, from which the page is read
 * @throws {DocumentError} when the page lacks a block
 */
export async function costPage(root: string): Promise<string> {
  const tables = costTables(await measureAll());
  return fillBlocks(COST_PAGE, readFileSync(join(root, COST_PAGE), 'utf8'), tables);
}

export async function measureAll(): Promise<Measurements> {
  const samples = await sampleLines();
  const measured = Object.entries(CONFIGURATIONS).map(([name, { content }]): [string, Measured] => [
    name,
    measure(synthesize(content), samples),
  ]);
  return Object.fromEntries(measured) as Measurements;
}
