import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ConfigurationError } from '../infra/config/load.ts';
import { ROOT } from '../infra/root.ts';
import { OperatorError } from '../operate/error.ts';
import { type CostOptions, readCostOptions, USAGE } from './command/cost.ts';
import { sampleLines } from './cost/lines.ts';
import { measure } from './cost/measure.ts';
import { COST_PAGE, costPage, measureAll } from './cost/page.ts';
import { costReport } from './cost/report.ts';
import { synthesizeFile } from './cost/synthesize.ts';
import { DocumentError } from './generate/document-error.ts';

// npm run cost: what a month of a configuration costs. `npm run generate` runs it with --write, after generate.ts,
// which does not need the CDK.

async function main(options: CostOptions | undefined): Promise<string> {
  if (!options) return USAGE;
  if (options.write) return writePage();
  const measured = measure(synthesizeFile(options.config), await sampleLines());
  return costReport(relative(ROOT, options.config), measured, options);
}

async function writePage(): Promise<string> {
  const path = join(ROOT, COST_PAGE);
  const text = costPage(ROOT, await measureAll());
  if (readFileSync(path, 'utf8') === text) return '';
  writeFileSync(path, text);
  return `wrote ${COST_PAGE}\n`;
}

try {
  process.stdout.write(await main(readCostOptions(process.argv.slice(2), process.env)));
} catch (error) {
  const isForReader = [OperatorError, ConfigurationError, DocumentError].some(
    (each) => error instanceof each,
  );
  if (!isForReader) throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = error instanceof OperatorError ? error.exitCode : 1;
}
