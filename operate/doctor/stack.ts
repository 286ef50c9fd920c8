import { existsSync } from 'node:fs';
import { ConfigurationError, loadConfiguration } from '../../infra/config/load.ts';
import { digestOf, packageVersion } from '../../infra/description.ts';
import { type Check, CLI, fault, ok, warning } from './finding.ts';

/** Whether the last deployment has ended well, and which version it was. */
export const checkStack: Check = async ({ deployment }) => {
  const { stack, status, version } = deployment;
  const own = packageVersion();
  return [
    /^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)
      ? ok('stack', `The stack ${stack} is ${status}.`)
      : fault(
          'stack',
          `The stack ${stack} is ${status}.`,
          'See its events in CloudFormation, then deploy again: npx cdk deploy',
        ),
    version === own
      ? ok('version', `Version ${version} is deployed, as in this folder.`)
      : warning(
          'version',
          `Version ${version} is deployed, and this folder has ${own}.`,
          'Deploy this folder, or check out the other version',
        ),
  ];
};

/** Whether the file in this folder is what is deployed. */
export const checkConfiguration: Check = async ({ deployment, file }) => {
  if (!existsSync(file)) {
    return [
      warning('configuration', `There is no file ${file} to compare with.`, 'Name it with --config FILE'),
    ];
  }
  try {
    if (digestOf(loadConfiguration(file, deployment.stack)) === deployment.digest) {
      return [ok('configuration', 'The deployed configuration is the one in the file.')];
    }
    return [
      warning(
        'configuration',
        'The deployed configuration is not the one in the file.',
        `See what a deployment would change: ${CLI} diff. Then: npx cdk deploy`,
      ),
    ];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [fault('configuration', 'The configuration file has faults.', 'npx cdk synth --quiet lists them')];
  }
};
