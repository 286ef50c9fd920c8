import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../infra/root.ts';
import { DocumentError } from './generate/document-error.ts';
import { generatedFiles } from './generate/files.ts';

// Writes what follows from the presets, the pages and the configuration's rules: connections.schema.json, and
// the generated tables and pictures of the README and the pages. A test proves that all of it is current.

try {
  for (const [file, text] of Object.entries(generatedFiles(ROOT))) {
    const path = join(ROOT, file);
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    writeFileSync(path, text);
    process.stdout.write(`wrote ${file}\n`);
  }
} catch (error) {
  // A page that lacks something is no fault of this program, so its message is enough.
  if (!(error instanceof DocumentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
