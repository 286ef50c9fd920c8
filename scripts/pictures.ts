import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../infra/root.ts';
import { allPictures } from './pictures/all.ts';

// Part of npm run generate: writes the pictures of the documentation. A test proves that they are current.

for (const [file, text] of Object.entries(await allPictures(ROOT))) {
  const path = join(ROOT, file);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  writeFileSync(path, text);
  process.stdout.write(`wrote ${file}\n`);
}
