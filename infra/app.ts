import { App } from 'aws-cdk-lib';
import { ConfigurationError, loadConfiguration } from './config.ts';
import { ChatCloserStack } from './stack.ts';

const DEFAULT_NAME = 'polyai-chat-closer';
const DEFAULT_FILE = 'connections.json';

const app = new App();
const name: string = app.node.tryGetContext('stack') ?? DEFAULT_NAME;
const file: string = app.node.tryGetContext('connections') ?? DEFAULT_FILE;
const sourceMaps = String(app.node.tryGetContext('sourceMaps')) === 'true';

try {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,99}$/.test(name)) {
    throw new ConfigurationError('-c stack', [
      {
        path: 'stack',
        problem: `${JSON.stringify(name)} is not a stack name`,
        mend: 'Use 1 to 100 letters, digits and hyphens, beginning with a letter.',
      },
    ]);
  }
  new ChatCloserStack(app, name, { configuration: loadConfiguration(file), sourceMaps });
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exit(1);
}
