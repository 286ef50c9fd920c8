import { App } from 'aws-cdk-lib';
import { ConfigurationError, DEFAULT_STACK, loadConfiguration } from './config/load.ts';
import { ChatCloserStack } from './stack.ts';

const DEFAULT_FILE = 'connections.json';

const app = new App();
const name: string = app.node.tryGetContext('stack') ?? DEFAULT_STACK;
const file: string = app.node.tryGetContext('connections') ?? DEFAULT_FILE;
const sourceMaps = String(app.node.tryGetContext('sourceMaps')) === 'true';

try {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,99}$/.test(name)) {
    throw new ConfigurationError('-c stack', [
      {
        path: 'stack',
        problem: `${JSON.stringify(name)} is not a stack name`,
        fix: 'Use 1 to 100 letters, digits and hyphens, beginning with a letter.',
      },
    ]);
  }
  const configuration = loadConfiguration(file, name);
  new ChatCloserStack(app, name, { configuration, sourceMaps });
  // The CDK silently ignores a misspelt -c, and then the default file is read instead.
  console.error(`Configuration: ${file}`);
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exit(1);
}
