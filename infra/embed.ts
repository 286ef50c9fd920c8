import type { CleanupProject, Project } from '../functions/connections.ts';
import type { Embedded } from './bundle.ts';
import { canaryConnections } from './canary-connection.ts';
import { isOnBus } from './config/bus.ts';
import { periodInMinutes, toMinutes } from './config/duration.ts';
import type { Configuration, ConnectionConfiguration, ProjectConfiguration } from './config/load.ts';
import { toConnection } from './config/to-connection.ts';
import type { StackSecrets } from './stack-secrets.ts';

const MINUTE_MS = 60_000;

/** The part of the configuration that the functions carry: nothing secret, and nothing that only synth needs. */
export function embed(configuration: Configuration, secrets: StackSecrets): Embedded {
  const { projects, connections } = configuration;
  const embedConnection = (connection: ConnectionConfiguration, name: string) =>
    toConnection(connection, secrets.connections.get(name)?.id);
  const all = mapValues(connections, embedConnection);
  const canary = mapValues(canaryConnections(configuration), (connection, name) => ({
    ...embedConnection(connection, name),
    canary: true as const,
  }));
  const embedProject = (
    { region, baseUrl, version, accountId, projectId }: ProjectConfiguration,
    name: string,
  ): Project => {
    const secretId = secrets.polyai.get(name)?.id ?? '';
    return { region, baseUrl, version, accountId, projectId, secretId };
  };
  return {
    isShared: Object.keys(projects).length > 1,
    projects: mapValues(projects, embedProject),
    listedProjects: Object.fromEntries(
      Object.entries(projects).flatMap(([name, project]): [string, CleanupProject][] => {
        const { clientEnv, cleanup } = project;
        if (!cleanup) return [];
        return [[name, { ...embedProject(project, name), clientEnv, cleanup: embedCleanup(cleanup) }]];
      }),
    ),
    // The receiver does not know a connection on a bus, so that nothing answers at its address.
    connections: { ...filterValues(all, ({ crm }) => !isOnBus(crm)), ...canary },
    eventConnections: filterValues(all, ({ crm }) => isOnBus(crm)),
  };
}

/** A cleanup in the form in which its function carries it: durations in milliseconds. */
export function embedCleanup(
  cleanup: NonNullable<ProjectConfiguration['cleanup']>,
): CleanupProject['cleanup'] {
  const { idleFor, lookback, channels, maxCloses, dryRun } = cleanup;
  return {
    idleForMs: toMinutes(idleFor) * MINUTE_MS,
    lookbackMs: toMinutes(lookback) * MINUTE_MS,
    channels,
    maxCloses,
    dryRun,
    periodMs: periodInMinutes(cleanup) * MINUTE_MS,
  };
}

function filterValues<T>(record: Record<string, T>, keep: (value: T) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => keep(value)));
}

function mapValues<T, U>(record: Record<string, T>, map: (value: T, name: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}
