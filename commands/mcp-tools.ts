import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { type ZodRawShape, z } from 'zod';
import { readDeployment } from '../operate/deployment.ts';
import { explain } from '../operate/error.ts';
import type { Command, Context } from './command.ts';
import { readSpan } from './span.ts';

type Input = Record<string, unknown>;

type Tool = {
  /** The command whose JSON the tool returns. Not by its name: the list of commands has the server itself. */
  load: () => Promise<{ default: Command }>;
  description: string;
  input: ZodRawShape;
  /** The command's arguments and options. Options that are left out have the command's defaults. */
  call: (input: Input) => { args: string[]; options: Record<string, unknown> };
};

const since = z
  .string()
  .optional()
  .describe('how far back to look: 30m, 6h, 2d, or a time such as 2026-07-01T12:00Z');

/** Read-only tools. A command that changes anything must not be here. */
export const TOOLS: Record<string, Tool> = {
  status: {
    load: () => import('./status.ts'),
    description: 'What is wrong with the deployed stack now, worst first.',
    input: { since },
    call: () => ({ args: [], options: {} }),
  },
  why: {
    load: () => import('./why.ts'),
    description: 'Why a chat was or was not closed: verdict and time line for an id.',
    input: {
      id: z
        .string()
        .describe(
          'conversation, ticket, shared id, delivery id, request id, correlation id or Studio address',
        ),
      since,
      ask_polyai: z.boolean().optional().describe('also compare with PolyAI’s own list, which lags'),
    },
    call: ({ id, ask_polyai }) => ({ args: [String(id)], options: { askPolyai: ask_polyai === true } }),
  },
  doctor: {
    load: () => import('./doctor.ts'),
    description: 'Whether this deployment can work: secrets, keys, event sources, alarms, configuration.',
    input: {},
    call: () => ({ args: [], options: {} }),
  },
  open: {
    load: () => import('./open.ts'),
    description: 'The chats that PolyAI lists as open, and why the cleanup would or would not take each.',
    input: { project: z.string().describe('the project’s name in connections.json') },
    call: ({ project }) => ({ args: [String(project)], options: {} }),
  },
  dead_letters: {
    load: () => import('./redrive.ts'),
    description: 'The closes that were given up, each with its outcome and reason. Moves nothing.',
    input: {},
    call: () => ({ args: [], options: { list: true, dryRun: true, rate: '50' } }),
  },
};

/** Adds every read-only tool to a server of the Model Context Protocol. */
export function addTools(server: McpServer, context: Context): void {
  for (const [name, { load, description, input, call }] of Object.entries(TOOLS)) {
    const config = { description, inputSchema: input, annotations: { readOnlyHint: true } };
    server.registerTool(name, config, async (given: Input) => {
      try {
        return contentOf(await answer(await load(), call(given), given, context));
      } catch (error) {
        const text = explain(error) ?? `The tool ${name} failed: ${(error as Error).name}`;
        return { isError: true, content: [{ type: 'text', text }] };
      }
    });
  }
}

/** Runs a command as `--json` does. The stack is read again for each call, because the server may run for days. */
async function answer(
  { default: command }: { default: Command },
  { args, options }: ReturnType<Tool['call']>,
  { since: from }: Input,
  context: Context,
): Promise<unknown> {
  const { span } = command.needs;
  const { json } = await command.run(
    {
      ...context,
      aws: context.aws,
      span: span ? readSpan(String(from ?? span), undefined, context.now()) : context.span,
      isText: false,
      isTerminal: false,
      print: () => {},
      deployment: () => readDeployment(context.aws, context.stack),
    },
    args,
    options,
  );
  return json;
}

function contentOf(json: unknown) {
  return {
    content: [{ type: 'text' as const, text: JSON.stringify(json) }],
    structuredContent: json as Record<string, unknown>,
  };
}
