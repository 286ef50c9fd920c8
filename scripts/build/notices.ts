import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What may be in a deployment of ours. MPL-2.0 covers its own files, which are used unchanged. */
export const ALLOWED_LICENCES = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MPL-2.0',
];

export type Notice = { name: string; version: string; licence: string; text: string };

/**
 * The licences of packages and of everything that they depend on, sorted by name.
 *
 * @param names the packages
 * @param modules the folder `node_modules`
 * @throws {Error} for a package without a licence that is allowed
 */
export function noticesOf(names: readonly string[], modules: string): Notice[] {
  const found = new Map<string, Notice>();
  const visit = (name: string, from: string): void => {
    const folder = resolve(name, from, modules);
    if (!folder || found.has(folder)) return;
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const { version, license = '', dependencies = {} } = manifest;
    if (!ALLOWED_LICENCES.includes(license)) {
      throw new Error(
        `${name} ${version} has the licence ${JSON.stringify(license)}. Read it, then add it to ALLOWED_LICENCES in scripts/build/notices.ts or replace the package.`,
      );
    }
    found.set(folder, { name, version, licence: license, text: textIn(folder) });
    for (const each of Object.keys(dependencies)) visit(each, folder);
  };
  for (const name of names) visit(name, modules);
  return [...found.values()].sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

/** The text of THIRD-PARTY-NOTICES. */
export function noticesText(notices: readonly Notice[]): string {
  const parts = notices.map(
    ({ name, version, licence, text }) => `${name} ${version} (${licence})\n\n${text.trim()}\n`,
  );
  const rule = `${'-'.repeat(80)}\n`;
  return `The functions and commands of polyai-chat-closer contain or use these packages.\n\n${parts.map((part) => `${rule}${part}`).join('\n')}`;
}

/** Node's own search: the nearest node_modules above the package. */
function resolve(name: string, from: string, modules: string): string | undefined {
  const nested = join(from, 'node_modules', name);
  const folder = from !== modules && existsSync(nested) ? nested : join(modules, name);
  return existsSync(folder) ? folder : undefined;
}

function textIn(folder: string): string {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)(\.|$)/i.test(file));
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8'));
  return texts.join('\n') || 'The package has no file with its licence.';
}
