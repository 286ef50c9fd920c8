import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../infra/root.ts';
import { noticesOf, noticesText } from './build/notices.ts';
import { importedPackages, packageJson } from './build/package-json.ts';
import { createSbom } from './build/sbom.ts';

// npm run build [-- --out dist]
//
// Makes the package: JavaScript and type declarations, because Node does not run TypeScript below node_modules. Pack it
// by `npm pack ./dist`.

/** What the package has besides compiled code: what commands read, and what a user looks for. */
const COPIED = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'SECURITY.md',
  'connections.schema.json',
  'docs/crm',
  'samples/fixtures',
];
const BIN = `#!/usr/bin/env node\nimport '../commands/chat-closer.js';\n`;

const { values } = parseArgs({ options: { out: { type: 'string', default: join(ROOT, 'dist') } } });
const { out } = values;

rmSync(out, { recursive: true, force: true });
compile();
for (const path of COPIED) cpSync(join(ROOT, path), join(out, path), { recursive: true });
mkdirSync(join(out, 'bin'));
writeFileSync(join(out, 'bin/chat-closer.js'), BIN);
chmodSync(join(out, 'bin/chat-closer.js'), 0o755);

const root = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const imported = importedPackages(globSync(join(out, '**/*.js')));
const manifest = packageJson(root, imported);
const own = Object.keys(manifest.dependencies);
writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
writeFileSync(join(out, 'THIRD-PARTY-NOTICES'), noticesText(noticesOf(own, join(ROOT, 'node_modules'))));
writeFileSync(join(out, 'sbom.cdx.json'), createSbom(ROOT, own, releasedAt()));
process.stdout.write(`Built ${out}. Pack it: npm pack ${out}\n`);

function compile(): void {
  const args = ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', out];
  const { status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** The date of the newest released version in the changelog, or a fixed one before the first. */
function releasedAt(): string {
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const [, date = '2026-01-01'] = /^## \[\d[^\]]*\] - (\d{4}-\d\d-\d\d)$/m.exec(changelog) ?? [];
  return `${date}T00:00:00.000Z`;
}
