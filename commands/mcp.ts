import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { packageVersion } from '../infra/description.ts';
import { defineCommand } from './command.ts';
import { addTools } from './mcp-tools.ts';

export default defineCommand({
  name: 'mcp',
  about:
    'An assistant that speaks the Model Context Protocol starts this command and talks to it over standard input and output. Its tools read the stack and change nothing.',
  examples: ['npx --no chat-closer mcp --stack polyai-chat-closer --profile on-call'],
  needs: { stack: true },
  async run(context) {
    const server = new McpServer({ name: 'polyai-chat-closer', version: packageVersion() });
    addTools(server, context);
    await server.connect(new StdioServerTransport());
    // The transport keeps the process alive until the client closes its side, or Ctrl-C.
    await new Promise<void>((resolve) => {
      server.server.onclose = resolve;
      process.stdin.once('end', resolve);
      context.signal.addEventListener('abort', () => resolve());
    });
    await server.close();
    return { json: {}, text: '', isWell: true };
  },
});
