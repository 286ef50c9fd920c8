import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Configuration, loadConfiguration } from '../../infra/config/load.ts';

/** A connections.json as small as it can be. */
export const SMALLEST = {
  polyai: { support: { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' } },
  connections: { 'zendesk-support': { crm: 'zendesk', polyai: 'support' } },
};

/** Another folder of one's own; scripts/test.ts removes them all after a run. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'polyai-chat-closer-test-'));
}

/** Writes a connections.json. @returns its path */
export function writeConnections(content: unknown, folder = temporaryFolder()): string {
  const file = join(folder, 'connections.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

export function configurationOf(content: unknown): Configuration {
  return loadConfiguration(writeConnections(content));
}
