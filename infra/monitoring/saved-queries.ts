import { Stack } from 'aws-cdk-lib';
import { CfnQueryDefinition, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { LogName } from '../metrics.ts';
import { QUERIES, type SavedQuery } from './queries.ts';

/** The log groups of a stack, by the lines that they hold. */
export type Logs = Partial<Record<LogName, ILogGroup>>;

/**
 * Saves the queries in the account, in a folder with the stack's name. A query whose log groups the stack does not
 * have is left out.
 */
export function saveQueries(scope: Construct, logs: Logs): void {
  const queries = new Construct(scope, 'Queries');
  const { stackName } = Stack.of(scope);
  for (const [name, saved] of Object.entries<SavedQuery>(QUERIES)) {
    const groups = groupsOf(saved, logs);
    if (groups.length === 0) continue;
    new CfnQueryDefinition(queries, name.replace(/\W/g, ''), {
      name: `${stackName}/${name}`,
      logGroupNames: groups,
      queryString: saved.query,
    });
  }
}

/** The names of the log groups that a query reads, as far as the stack has them. */
export function groupsOf({ logs: needed }: SavedQuery, logs: Logs): string[] {
  return needed.flatMap((name) => logs[name]?.logGroupName ?? []);
}
