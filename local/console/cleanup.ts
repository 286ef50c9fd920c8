import { judgeChat } from '../../functions/cleanup/stale.ts';
import type { CleanupProject } from '../../functions/connections.ts';
import { HOUR_MS } from '../../functions/time.ts';
import { listedProject, listOpenChats } from '../../operate/open-chats.ts';
import { runCleanup } from '../../operate/run-cleanup.ts';
import type { ConsoleParts } from './parts.ts';
import type { CleanupView } from './view.ts';

const LOOKBACK_MS = 14 * 24 * HOUR_MS;
/** The defaults of a cleanup, for a project that has none. Nothing is closed by them. */
const DEFAULTS = { idleForMs: 12 * HOUR_MS, channels: ['CHAT'] };

const WORDS: Record<string, string> = {
  unusable_id: 'its id cannot be used',
  not_in_progress: 'it is not in progress any more',
  other_environment: 'it is in another environment',
  voice: 'it is a voice call',
  voice_or_sms_id: 'its id is that of a call or a text message',
  channel_not_listed: 'its channel is not one that the cleanup may close',
  unreadable_time: 'the time of its last activity cannot be read',
  future_activity: 'its last activity is in the future',
  recently_active: 'somebody wrote in it not long ago',
};

/** Judges every open chat of a project by the rules of its cleanup, and with `run` has the deployed function run. */
export async function lookAtCleanup(name: string, run: boolean, parts: ConsoleParts): Promise<CleanupView> {
  const { deployment, aws } = parts;
  const listed = listedProject(name, deployment);
  const isConfigured = deployment.configuration.projects[name]?.cleanup !== undefined;
  const cleanup = isConfigured ? listed.cleanup : { ...listed.cleanup, ...DEFAULTS };
  const project: CleanupProject = { ...listed, cleanup };
  const now = Date.now();
  const surroundings = { ...aws, now: Date.now, progress: () => {}, sleep };
  const span = { from: now - LOOKBACK_MS, to: now };
  const chats = await listOpenChats(name, deployment, span, surroundings);
  const summary = run ? await runCleanup(name, deployment, surroundings) : undefined;
  return {
    project: name,
    isConfigured,
    rule: `Closes chats on ${cleanup.channels.join(', ')} that were idle for ${cleanup.idleForMs / HOUR_MS} hours.`,
    chats: chats.map((chat) => {
      const { id, skip } = judgeChat(chat, project, now);
      const why = skip ? `Kept: ${WORDS[skip] ?? skip}.` : 'Closed: nobody has written in it for too long.';
      return { id, closes: skip === undefined, why };
    }),
    ...(summary && {
      run: summary.dry_run
        ? `The configuration says dryRun: nothing was queued. Without it, ${summary.would_queue} would be.`
        : `Queued ${summary.queued} closes.`,
    }),
  };
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
