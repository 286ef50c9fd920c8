import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CRMS } from '../../functions/crm/index.ts';
import { LINES, type LineType } from '../../functions/line.ts';
import { schemaText } from '../../infra/config/schema.ts';
import { fillBlocks } from './blocks.ts';
import { type Configuration, chosenSchemes, readConfiguration } from './configuration.ts';
import { connectionTable, keyTable, settingsTable, verifyTable } from './configuration-tables.ts';
import { carryTable, changeTable, guideList, guideTable } from './crm-tables.ts';
import { lineTable } from './line-tables.ts';
import { type Page, readPage } from './page.ts';
import { proofTable, secretTable } from './security-tables.ts';
import { wayPictures } from './way-picture.ts';

/** The blocks of each document apart from the presets' pages, by file and name. */
function blocksOf(pages: readonly Page[], configuration: Configuration) {
  const schemes = chosenSchemes(configuration);
  const guides = 'docs/crm/README.md';
  const ids = 'docs/conversation-id.md';
  const security = 'docs/security.md';
  return {
    'README.md': { guides: guideList(pages, 'README.md') },
    [guides]: {
      webhooks: guideTable(pages, 'webhook', guides),
      buses: guideTable(pages, 'bus', guides),
      anything: guideTable(pages, 'any', guides),
    },
    [ids]: { carried: carryTable(pages, ids), changes: changeTable(pages, ids) },
    [security]: {
      proofs: proofTable(pages, schemes, security),
      secrets: secretTable(pages, schemes, security),
    },
    'docs/operations.md': Object.fromEntries(
      (Object.keys(LINES) as LineType[]).map((type) => [type, lineTable(type)]),
    ),
    'docs/configuration.md': {
      stack: keyTable(configuration.stack),
      projects: keyTable(withoutCleanup(configuration)),
      cleanup: keyTable(configuration.cleanup),
      connections: connectionTable(configuration, pages),
      verify: verifyTable(configuration),
    },
  };
}

/** A project's keys; those of `cleanup` have a table of their own. */
function withoutCleanup({ project }: Configuration) {
  const { cleanup: _, ...properties } = project.properties ?? {};
  return { ...project, properties };
}

/**
 * Every generated file with its current text, by its path relative to the root.
 *
 * @param root the repository's folder, from which the pages are read
 * @throws {Error} when a preset has no page, a page lacks a fact, or a document lacks a block
 */
export function generatedFiles(root: string): Record<string, string> {
  const pages = Object.entries(CRMS).map(([crm, preset]) => readPage(root, crm, preset));
  const configuration = readConfiguration();
  const fill = (file: string, blocks: Record<string, string>) => [
    file,
    fillBlocks(file, readFileSync(join(root, file), 'utf8'), blocks),
  ];
  return {
    'connections.schema.json': schemaText(),
    ...wayPictures(),
    ...Object.fromEntries(
      Object.entries(blocksOf(pages, configuration)).map(([file, blocks]) => fill(file, blocks)),
    ),
    ...Object.fromEntries(
      pages.map((page) => fill(page.file, { settings: settingsTable(configuration, page) })),
    ),
  };
}
