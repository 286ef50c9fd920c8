import type { z } from 'zod';
import { CRMS } from '../../functions/crm/index.ts';
import type { VerifySettings } from '../../functions/schemes/scheme.ts';
import { rateInMinutes, toMinutes } from './duration.ts';
import { ConfigurationError, type Fault } from './fault.ts';
import { readJsonFile } from './file.ts';
import { findPastedSecrets } from './pasted-secret.ts';
import { checkRules } from './rules.ts';
import type { schema } from './schema.ts';
import { checkShape } from './shape.ts';

export { ConfigurationError, type Fault };

export const DEFAULT_STACK = 'polyai-chat-closer';

type Checked = z.output<typeof schema>;
type CheckedProject = Checked['polyai'][string];
type CheckedConnection = Checked['connections'][string];
type Cleanup = NonNullable<CheckedProject['cleanup']>;

export type ProjectConfiguration = Omit<CheckedProject, 'baseUrl' | 'cleanup'> & {
  /** The region's or the project's own, without a trailing slash. */
  baseUrl: string;
  cleanup?: Required<Pick<Cleanup, 'alarmAfter'>> & Cleanup;
};

export type ConnectionConfiguration = Omit<CheckedConnection, 'verify'> & {
  /** The connection's or the preset's own, every default filled in. */
  verify: VerifySettings;
};

export type Configuration = {
  stack: Checked['stack'];
  projects: Record<string, ProjectConfiguration>;
  connections: Record<string, ConnectionConfiguration>;
};

/** So many runs of cleanup in a row are missing before the alarm sounds, where the file does not say. */
const MISSED_RUNS = 3;

/**
 * Reads connections.json and checks everything that can be checked before anything is deployed.
 *
 * @param file its path; messages name it as it is given
 * @param stack the stack's name, with which the names of its own secrets begin
 * @throws {ConfigurationError} with every fault at once, each with its path, what is wrong and the mend
 */
export function loadConfiguration(file: string, stack = DEFAULT_STACK): Configuration {
  const { value, faults } = readJsonFile(file);
  const secrets = findPastedSecrets(value);
  const shape = checkShape(value);
  // A misspelt key is one fault, not two: the right one is not missing as well.
  const rules = [...shape.faults, ...checkRules(value, stack)].filter(
    ({ path, problem }) => !(problem.startsWith('is missing') && shape.meant.includes(path)),
  );
  // What else is wrong with a pasted secret would only lead to another place for it.
  const others = rules.filter(({ path }) => !secrets.some((secret) => secret.path === path));
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

/** Of a `rate(…)`; with a `cron(…)` the file has its own. */
function alarmAfter(schedule: string): string {
  return `${Math.min(MISSED_RUNS * rateInMinutes(schedule), toMinutes('7d'))}m`;
}

function resolveConnection({ verify, ...connection }: CheckedConnection): ConnectionConfiguration {
  const own = CRMS[connection.crm].verify;
  const proof = verify ?? (typeof own === 'function' ? own(connection) : own);
  if (!proof) throw new TypeError(`crm ${connection.crm} has no way to prove a delivery`);
  return { ...connection, verify: proof };
}

function mapValues<Value, Result>(
  values: Record<string, Value>,
  map: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
