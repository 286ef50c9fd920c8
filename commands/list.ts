import type { Command } from './command.ts';

type Entry = { summary: string; load: () => Promise<{ default: Command }> };

/**
 * Every command, in the order of the help: for whoever is on call, the platform engineer, the CRM's administrator,
 * machines. A command's file is loaded only when it is called: the clients of AWS take time to load.
 */
export const COMMANDS: Record<string, Entry> = {
  status: { summary: 'Says what is wrong now, worst first', load: () => import('./status.ts') },
  why: { summary: 'Says why a chat was or was not closed', load: () => import('./why.ts') },
  redrive: { summary: 'Moves dead letters back onto the close queue', load: () => import('./redrive.ts') },
  replay: { summary: 'Queues closes again from the outcome log', load: () => import('./replay.ts') },
  open: { summary: 'Lists the chats that PolyAI has as open', load: () => import('./open.ts') },
  close: { summary: 'Closes one chat and follows it', load: () => import('./close.ts') },
  cleanup: { summary: 'Runs a cleanup now', load: () => import('./cleanup.ts') },

  doctor: { summary: 'Checks whether this deployment can work', load: () => import('./doctor.ts') },
  init: { summary: 'Writes a configuration', load: () => import('./init.ts') },
  diff: { summary: 'Says what a deployment would change', load: () => import('./diff.ts') },
  'secret list': { summary: 'Lists the secrets and their state', load: () => import('./secret-list.ts') },
  'secret set': {
    summary: 'Stores the secret of a project or connection',
    load: () => import('./secret-set.ts'),
  },
  'secret rotate': { summary: 'Rotates a secret in two steps', load: () => import('./secret-rotate.ts') },
  'secret show': {
    summary: 'Shows a generated secret on a terminal',
    load: () => import('./secret-show.ts'),
  },

  connection: { summary: 'Shows the card of a connection', load: () => import('./connection.ts') },
  listen: { summary: 'Shows deliveries as they come', load: () => import('./listen.ts') },
  send: { summary: 'Sends a test delivery as the CRM would', load: () => import('./send.ts') },
  explain: { summary: 'Explains a captured delivery, offline', load: () => import('./explain.ts') },

  mcp: {
    summary: 'Serves an assistant, read-only, by the Model Context Protocol',
    load: () => import('./mcp.ts'),
  },
};
