import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Configuration, loadConfiguration } from '../../infra/config/load.ts';

/** The smallest valid connections.json. */
export const SMALLEST = {
  polyai: { support: { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-191bfa2a' } },
  connections: { 'zendesk-support': { crm: 'zendesk', polyai: 'support' } },
};

/** Creates an empty folder. scripts/test.ts removes all of them after a run. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'polyai-chat-closer-test-'));
}

/** Writes a connections.json and returns its path. */
export function writeConnections(content: unknown, folder = temporaryFolder()): string {
  const file = join(folder, 'connections.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** The configuration that synth reads from this connections.json. */
export function configurationOf(content: unknown): Configuration {
  return loadConfiguration(writeConnections(content));
}
