import { Option } from 'commander';
import type { Summary } from '../functions/cleanup/run-line.ts';
import { runCleanup, tryCleanup } from '../operate/run-cleanup.ts';
import { defineCommand } from './command.ts';

export default defineCommand<{ dryRun?: boolean }>({
  name: 'cleanup',
  takes: [['<project>', 'the project’s name in connections.json']],
  about:
    'The deployed function runs, as on its schedule. It closes chats, unless the configuration says dryRun.',
  examples: ['npx --no chat-closer cleanup support --dry-run', 'npx --no chat-closer cleanup support'],
  options: [new Option('--dry-run', 'find out from here what a run would close now, and queue nothing')],
  needs: { stack: true },
  async run(context, [project = ''], { dryRun }) {
    const { lambda, secretsManager } = context.aws;
    const parts = { ...context, lambda, secretsManager };
    const deployment = await context.deployment();
    context.progress(`Running the cleanup of ${project}`);
    const line = await (dryRun ? tryCleanup : runCleanup)(project, deployment, parts);
    return { json: line, text: textOf(line), isWell: line.complete };
  },
});

function textOf({
  project,
  dry_run,
  complete,
  reason,
  open,
  stale,
  queued,
  would_queue,
  skipped,
}: Summary): string {
  const kept = Object.entries(skipped).map(([why, count]) => `${count} ${why}`);
  return [
    `${project}: ${open} open, ${stale} stale${kept.length > 0 ? `, kept: ${kept.join(', ')}` : ''}.`,
    dry_run
      ? `A run would close ${would_queue}. Nothing was queued: it was a dry run.`
      : `Queued ${queued} closes.`,
    ...(complete ? [] : [`The run is not complete: ${reason}.`]),
  ].join('\n');
}
