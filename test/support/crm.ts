import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CRMS } from '../../functions/crm/index.ts';
import { ROOT } from '../../infra/bundle.ts';
import { ConfigurationError, type ConnectionConfiguration, type Fault } from '../../infra/config.ts';
import { configurationOf, SMALLEST } from './configuration.ts';

/** The conversation that every fixture and every page's example is about. */
export const CONVERSATION = 'KpQx-polyai-0001';

/**
 * A delivery of a CRM as a file of test/fixtures/<crm>/. With `text` the body is just that; with `body` it is
 * its JSON.
 */
export type Fixture = {
  /** Where the payload is from, and what was changed in it. */
  source: string;
  /** Settings of the connection besides `crm` and `polyai`. */
  connection?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** Without the question mark. */
  query?: string;
  /** ISO 8601: when it arrives, where that decides. */
  now?: string;
  body?: unknown;
  text?: string;
  /** What readDelivery gives; or the code of a refusal. */
  expected: ({ findings: unknown[]; ignored: string[] } & Record<string, unknown>) | { refused: string };
};

export function fixtureNames(crm: string): string[] {
  return readdirSync(join(ROOT, 'test/fixtures', crm)).sort();
}

export function readFixture(crm: string, name: string): Fixture {
  return JSON.parse(readFileSync(join(ROOT, 'test/fixtures', crm, name), 'utf8'));
}

export function textOf({ text, body }: Fixture): string {
  return text ?? JSON.stringify(body);
}

/** The connection's settings as a connections.json would have them, provable even where the fixture does not care. */
export function settingsOf(crm: string, connection: Record<string, unknown> = {}): Record<string, unknown> {
  const needsVerify = !CRMS[crm]?.verify && connection.verify === undefined;
  return { crm, polyai: 'support', ...(needsVerify && { verify: { scheme: 'bearer' } }), ...connection };
}

/** The connection as synth resolves it. */
export function connectionOf(crm: string, connection?: Record<string, unknown>): ConnectionConfiguration {
  const { connections } = configurationOf({ ...SMALLEST, connections: { c: settingsOf(crm, connection) } });
  return connections.c as ConnectionConfiguration;
}

/** What synth says against a connection `c` with these settings. */
export function faultsOf(crm: string, settings: Record<string, unknown> = {}): Fault[] {
  const connections = { c: { crm, polyai: 'support', ...settings } };
  try {
    configurationOf({ ...SMALLEST, connections });
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
}
