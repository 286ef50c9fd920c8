import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Command, Context } from '../../commands/command.ts';
import { COMMANDS } from '../../commands/list.ts';
import { addTools, TOOLS } from '../../commands/mcp-tools.ts';
import { OperatorError } from '../../operate/error.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const HOUR_MS = 3_600_000;

afterEach(() => vi.restoreAllMocks());

/** Puts a command in the place of a tool's. @returns its calls */
function playCommand(name: string, play: Partial<Command>) {
  const run = vi.fn(play.run ?? (async () => ({ json: { healthy: true }, text: '', isWell: true })));
  const tool = TOOLS[name];
  if (!tool) throw new Error(`no tool has the name ${name}`);
  vi.spyOn(tool, 'load').mockResolvedValue({
    default: { name, examples: [], needs: { stack: true }, ...play, run },
  });
  return run;
}

async function connect(): Promise<Client> {
  const server = new McpServer({ name: 'test', version: '0' });
  const print = () => {
    throw new Error('a tool printed something');
  };
  const context = { stack: 'closer', aws: {}, now: () => NOW, print, isText: true } as unknown as Context;
  addTools(server, context);
  const client = new Client({ name: 'test', version: '0' });
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(theirs), client.connect(ours)]);
  return client;
}

describe('the MCP server', () => {
  it('has the read-only tools and says of each that it changes nothing', async () => {
    const { tools } = await (await connect()).listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(['dead_letters', 'doctor', 'open', 'status', 'why']);
    expect(tools.map(({ annotations }) => annotations?.readOnlyHint)).toEqual([true, true, true, true, true]);
  });

  it.each(Object.entries(TOOLS))('has a tool %s whose command exists', async (_, { load }) => {
    expect(COMMANDS).toHaveProperty((await load()).default.name);
  });

  it('answers with the command’s own JSON', async () => {
    playCommand('status', {});
    const result = await (await connect()).callTool({ name: 'status', arguments: {} });
    expect(result.structuredContent).toEqual({ healthy: true });
    expect(result.content).toEqual([{ type: 'text', text: '{"healthy":true}' }]);
  });

  it('passes the id and the span, and the command’s own span when none is given', async () => {
    const run = playCommand('why', { needs: { stack: true, span: '7d' } });
    const client = await connect();
    await client.callTool({ name: 'why', arguments: { id: 'CONV-1', since: '2h', ask_polyai: true } });
    await client.callTool({ name: 'why', arguments: { id: '35436' } });
    const [first, second] = run.mock.calls;
    expect(first?.[0].span).toEqual({ from: NOW - 2 * HOUR_MS, to: NOW });
    expect(first?.slice(1)).toEqual([['CONV-1'], { askPolyai: true }]);
    expect(second?.[0].span.from).toBe(NOW - 7 * 24 * HOUR_MS);
    expect(second?.[2]).toEqual({ askPolyai: false });
  });

  it('only shows dead letters and moves none', async () => {
    const run = playCommand('dead_letters', {});
    await (await connect()).callTool({ name: 'dead_letters', arguments: {} });
    expect(run.mock.calls[0]?.[2]).toMatchObject({ dryRun: true, list: true });
  });

  it('returns an operator’s error as the tool’s error', async () => {
    playCommand('open', {
      run: async () => {
        throw new OperatorError('There is no project "suport". Did you mean "support"?');
      },
    });
    const result = await (await connect()).callTool({ name: 'open', arguments: { project: 'suport' } });
    expect(result).toMatchObject({
      isError: true,
      content: [{ text: 'There is no project "suport". Did you mean "support"?' }],
    });
  });

  it('does not show the message of an unexpected error, which may have anything in it', async () => {
    playCommand('doctor', {
      run: async () => {
        throw new TypeError('secret');
      },
    });
    const result = await (await connect()).callTool({ name: 'doctor', arguments: {} });
    expect(result.isError).toBe(true);
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  it('refuses a call without what the command needs', async () => {
    const result = await (await connect()).callTool({ name: 'why', arguments: {} });
    expect(result.isError).toBe(true);
  });
});
