import { type Stack, Token } from 'aws-cdk-lib';
import { checkPlaces, type Place, placesOf } from './config/arn.ts';
import { pathTo } from './config/fault.ts';
import { type Configuration, ConfigurationError } from './config/load.ts';

/**
 * Compares every ARN of the configuration with the account and region of the stack. These are known when the stack
 * names them, or when the command line has credentials. Without credentials the command line makes up a region, which
 * is ignored.
 *
 * @throws {ConfigurationError} with every ARN of another account, region or partition
 */
export function requireOwnArns(
  stack: Stack,
  { stack: settings, projects, connections }: Configuration,
): void {
  const { CDK_DEFAULT_ACCOUNT, CDK_DEFAULT_REGION } = process.env;
  const region = CDK_DEFAULT_ACCOUNT ? CDK_DEFAULT_REGION : undefined;
  const own: Place = {
    account: known(stack.account, CDK_DEFAULT_ACCOUNT),
    region: known(stack.region, region),
  };
  const breaches = checkPlaces(placesOf({ stack: settings, polyai: projects, connections }), own);
  const faults = breaches.map(({ path, ...problem }) => ({ path: pathTo(...path), ...problem }));
  if (faults.length > 0) throw new ConfigurationError('the configuration', faults);
}

function known(value: string, told: string | undefined): string | undefined {
  return Token.isUnresolved(value) ? told || undefined : value;
}
