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
 * docs/cost.md with current tables.
 *
 * @param root the repository's folder, from which the page is read
 * @throws {DocumentError} when the page lacks a block
 */
export function costPage(root: string, measurements: Measurements): string {
  return fillBlocks(COST_PAGE, readFileSync(join(root, COST_PAGE), 'utf8'), costTables(measurements));
}

/** Synthesises the stated configurations and runs the handlers, which takes seconds. */
export async function measureAll(): Promise<Measurements> {
  const samples = await sampleLines();
  const measured = Object.entries(CONFIGURATIONS).map(([name, { content }]): [string, Measured] => [
    name,
    measure(synthesize(content), samples),
  ]);
  return Object.fromEntries(measured) as Measurements;
}
