import { CRMS } from '../../functions/crm/index.ts';
import { ConfigurationError, type ConnectionConfiguration, type Fault } from '../../infra/config/load.ts';
import { configurationOf, SMALLEST } from './configuration.ts';

/** A connection as connections.json has it. It gets a `verify` if the preset needs one and the fixture has none. */
export function settingsOf(crm: string, connection: Record<string, unknown> = {}): Record<string, unknown> {
  const needsVerify = !CRMS[crm]?.verify && connection.verify === undefined;
  return { crm, polyai: 'support', ...(needsVerify && { verify: { scheme: 'bearer' } }), ...connection };
}

/** The connection as synth resolves it. `toConnection` makes of it what the functions get. */
export function connectionOf(crm: string, connection?: Record<string, unknown>): ConnectionConfiguration {
  const { connections } = configurationOf({ ...SMALLEST, connections: { c: settingsOf(crm, connection) } });
  return connections.c as ConnectionConfiguration;
}

/** The faults that synth reports for a connection `c` with these settings. */
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
