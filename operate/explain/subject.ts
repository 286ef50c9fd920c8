import { CRMS } from '../../functions/crm/index.ts';
import { suggest } from '../../infra/config/fault.ts';
import {
  type Configuration,
  ConfigurationError,
  type ConnectionConfiguration,
  checkConfiguration,
} from '../../infra/config/load.ts';
import { readFixture } from '../../samples/fixture.ts';
import { OperatorError } from '../error.ts';

/** The settings with which a delivery is explained. */
export type Subject = { name: string; connection: ConnectionConfiguration; isPreset: boolean };

/**
 * Finds a connection of the configuration, or makes one for a preset with the settings of its example.
 *
 * @param configuration absent if there is no file
 * @throws {OperatorError} used wrongly: the name is neither a connection nor a preset
 */
export function subjectOf(name: string, configuration: Configuration | undefined): Subject {
  const connection = configuration?.connections[name];
  if (connection) return { name, connection, isPreset: false };
  if (Object.hasOwn(CRMS, name)) return { name, connection: exampleOf(name), isPreset: true };
  const known = [...Object.keys(configuration?.connections ?? {}), ...Object.keys(CRMS)];
  throw new OperatorError(
    `${JSON.stringify(name)} is neither a connection of the configuration nor a CRM. ${suggest(name, known)}`,
    2,
  );
}

function exampleOf(crm: string): ConnectionConfiguration {
  const settings = readFixture(crm, 'finished.json').connection ?? {};
  const content = {
    polyai: { example: { region: 'us-1', accountId: 'example', projectId: 'example' } },
    connections: { example: { crm, polyai: 'example', ...settings } },
  };
  try {
    return checkConfiguration(content, `the example of ${crm}`).connections
      .example as ConnectionConfiguration;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    // A generic preset knows neither how its deliveries are verified nor where its id is.
    throw new OperatorError(
      `${crm} alone says too little: name a connection of the configuration. docs/crm/${crm}.md shows one.`,
      2,
    );
  }
}
