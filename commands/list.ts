import type { Command } from './command.ts';

type Entry = { summary: string; load: () => Promise<{ default: Command }> };

/**
 * Every command, in the order of the help. A command's file is loaded only when it is called: the clients of AWS take
 * time to load.
 */
export const COMMANDS: Record<string, Entry> = {
  redrive: { summary: 'Moves dead letters back onto the close queue', load: () => import('./redrive.ts') },
  replay: { summary: 'Queues closes again from the outcome log', load: () => import('./replay.ts') },
};
