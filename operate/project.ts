import { suggest } from '../infra/config/fault.ts';
import type { Deployment } from './deployment.ts';
import { OperatorError } from './error.ts';

/**
 * Checks a name against those of the deployed stack.
 *
 * @param kind `projects` or `connections`
 * @throws {OperatorError} used wrongly: the name is not in the stack; with the nearest one
 */
export function requireName(
  kind: 'projects' | 'connections',
  name: string,
  { configuration, stack }: Pick<Deployment, 'configuration' | 'stack'>,
): void {
  const known = Object.keys(configuration[kind]);
  if (known.includes(name)) return;
  const what = kind === 'projects' ? 'project' : 'connection';
  throw new OperatorError(
    `${JSON.stringify(name)} is not a ${what} of the stack ${stack}. ${suggest(name, known)}`,
    2,
  );
}
