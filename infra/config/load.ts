import { CRMS } from '../../functions/crm/index.ts';
import type { VerifySettings } from '../../functions/schemes/scheme.ts';
import { defaultBus } from './bus.ts';
import { rateInMinutes, toMinutes } from './duration.ts';
import { ConfigurationError, type Fault } from './fault.ts';
import { readJsonFile } from './file.ts';
import { findPastedSecrets } from './pasted-secret.ts';
import { MAX_ALARM } from './project.ts';
import type { Configuration as Checked } from './schema.ts';
import { checkShape } from './shape.ts';

export { ConfigurationError, type Fault };

export const DEFAULT_STACK = 'polyai-chat-closer';

type CheckedProject = Checked['polyai'][string];
type CheckedConnection = Checked['connections'][string];
type Cleanup = NonNullable<CheckedProject['cleanup']>;

export type ProjectConfiguration = Omit<CheckedProject, 'baseUrl' | 'cleanup'> & {
  /** The project's own or the region's, without a trailing slash. */
  baseUrl: string;
  cleanup?: Required<Pick<Cleanup, 'alarmAfter'>> & Cleanup;
};

export type ConnectionConfiguration = Omit<CheckedConnection, 'verify'> & {
  /** The connection's own or the preset's, with every default filled in. */
  verify: VerifySettings;
};

export type Configuration = {
  stack: Checked['stack'];
  projects: Record<string, ProjectConfiguration>;
  connections: Record<string, ConnectionConfiguration>;
};

/** Runs of cleanup that may be missing in a row before the alarm, unless the file says otherwise. */
const MISSED_RUNS = 3;

/**
 * Reads connections.json and checks everything that can be checked before anything is deployed.
 *
 * @param file its path. Messages name it as it is given.
 * @param stack the stack's name. The names of the secrets that it makes begin with it.
 * @throws {ConfigurationError} with every fault at once: its path, what is wrong and the fix
 */
export function loadConfiguration(file: string, stack = DEFAULT_STACK): Configuration {
  const { value, faults } = readJsonFile(file);
  const secrets = findPastedSecrets(value);
  const shape = checkShape(value, stack);
  // Another fault of a pasted secret would only lead the reader to another place for it.
  const others = shape.faults.filter(({ path }) => !secrets.some((secret) => secret.path === path));
  const all = [...faults, ...secrets, ...others].sort((a, b) =>
    a.path < b.path ? -1 : Number(a.path > b.path),
  );
  if (shape.configuration && all.length === 0) return resolve(shape.configuration);
  throw new ConfigurationError(file, all);
}

function resolve({ stack, polyai, connections }: Checked): Configuration {
  return {
    stack,
    projects: mapValues(polyai, resolveProject),
    connections: mapValues(connections, resolveConnection),
  };
}

function resolveProject({ baseUrl, cleanup, ...project }: CheckedProject): ProjectConfiguration {
  const { origin, pathname } = new URL(baseUrl ?? `https://api.${project.region}.platform.polyai.app`);
  return {
    ...project,
    baseUrl: `${origin}${pathname}`.replace(/\/+$/, ''),
    ...(cleanup && { cleanup: { alarmAfter: alarmAfter(cleanup.schedule), ...cleanup } }),
  };
}

/** The default with a `rate(…)`. With a `cron(…)` the file must have its own. */
function alarmAfter(schedule: string): string {
  return `${Math.min(MISSED_RUNS * rateInMinutes(schedule), toMinutes(MAX_ALARM))}m`;
}

function resolveConnection({ verify, ...connection }: CheckedConnection): ConnectionConfiguration {
  const own = CRMS[connection.crm].verify;
  const proof = verify ?? (typeof own === 'function' ? own(connection) : own);
  if (!proof) throw new TypeError(`crm ${connection.crm} has no way to verify a delivery`);
  const bus = defaultBus(connection.crm);
  return { ...(bus && { bus }), ...connection, verify: proof };
}

function mapValues<Value, Result>(
  values: Record<string, Value>,
  map: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
