import { CRMS } from '../../functions/crm/index.ts';
import { ConfigurationError, type ConnectionConfiguration, type Fault } from '../../infra/config/load.ts';
import { configurationOf, SMALLEST } from './configuration.ts';

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
