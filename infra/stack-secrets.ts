import { Stack } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { CANARY } from '../functions/canary-delivery.ts';
import { canaryConnections } from './canary-connection.ts';
import type { Configuration } from './config/load.ts';
import { encryptionKey } from './encryption.ts';
import { readSecrets } from './grants.ts';
import { initialSecret, PROJECT_WAITS } from './initial-secret.ts';
import {
  createSecret,
  ownPatterns,
  projectShape,
  provenBySecret,
  type StackSecret,
  secretsOf,
} from './secrets.ts';

/** The secrets of projects and of connections by their names. The keys are part of the secrets' own names. */
export type StackSecrets = { polyai: Map<string, StackSecret>; connections: Map<string, StackSecret> };

/** Creates or imports the secret of each project and of each connection that has one, the canary's included. */
export function createStackSecrets(scope: Construct, configuration: Configuration): StackSecrets {
  const { stackName } = Stack.of(scope);
  const { projects } = configuration;
  const key = encryptionKey(scope, configuration.stack);
  const connections = { ...configuration.connections, ...canaryConnections(configuration) };
  return {
    polyai: secretsOf(scope, projects, (name) =>
      createSecret(scope, `Project ${name}`, `${stackName}/polyai/${name}/secret`, PROJECT_WAITS, { key }),
    ),
    connections: secretsOf(scope, provenBySecret(connections), (name, { crm, verify }) =>
      createSecret(
        scope,
        `Connection ${name}`,
        `${stackName}/connections/${name}/secret`,
        initialSecret(crm, verify),
        // Nobody else has the canary's secret. If it remained, the canary could not be added again under its name.
        { isKept: name !== CANARY, key },
      ),
    ),
  };
}

/**
 * Lets a role read secrets of one kind. A secret of the user's own that several share is granted once.
 *
 * @param names whose secrets; all of the kind when left out
 */
export function readStackSecrets(
  role: Role,
  secrets: StackSecrets,
  kind: keyof StackSecrets,
  names: string[] = [...secrets[kind].keys()],
): void {
  const read = names.flatMap((name) => secrets[kind].get(name) ?? []);
  const existing = [...new Set(read.map((secret) => secret.existing))];
  readSecrets(role, ownPatterns(role, kind, read, [...secrets[kind].values()]), existing);
}

/** The secrets that wait to be filled: each secret's name with the object that belongs in it. */
export function secretsToFill(
  { projects, connections }: Configuration,
  secrets: StackSecrets,
): Record<string, Record<string, string>> {
  const needsOf = (project: string) => ({
    lookUp: Object.values(connections).some(({ polyai, lookUp }) => polyai === project && lookUp),
    cleanup: projects[project]?.cleanup !== undefined,
  });
  const ofProjects = [...secrets.polyai].flatMap(([name, { id, toFill }]) =>
    toFill ? [[id, projectShape(toFill, needsOf(name))]] : [],
  );
  const ofConnections = [...secrets.connections.values()].flatMap(({ id, toFill }) =>
    toFill ? [[id, JSON.parse(toFill)]] : [],
  );
  return Object.fromEntries([...ofProjects, ...ofConnections]);
}
