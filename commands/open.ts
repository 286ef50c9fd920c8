import { type OpenChat, openChats } from '../operate/open.ts';
import { defineCommand } from './command.ts';

/** What the cleanup's reasons mean, for a person. */
const MEANINGS: Record<OpenChat['cleanup'], string> = {
  stale: 'the next cleanup takes it',
  no_cleanup: 'the project has no cleanup',
  outside_lookback: 'it began before the cleanup’s lookback',
  unusable_id: 'its id cannot be used',
  not_in_progress: 'it is over',
  other_environment: 'it is of another environment',
  voice: 'it is a call',
  voice_or_sms_id: 'its id is that of a call or text message',
  channel_not_listed: 'its channel is not among the cleanup’s channels',
  unreadable_time: 'its times cannot be read',
  future_activity: 'it has activity in the future',
  recently_active: 'it was active within idleFor',
};

export default defineCommand({
  name: 'open',
  takes: [['<project>', 'the project’s name in connections.json']],
  about:
    'The oldest chat comes first. PolyAI’s list lags behind: a chat that was just closed may still be in it.',
  examples: ['npx --no chat-closer open support'],
  needs: { stack: true, span: '14d' },
  async run(context, [project = '']) {
    const { aws, now, progress, sleep, span, style } = context;
    const parts = { secretsManager: aws.secretsManager, now, progress, sleep };
    const chats = await openChats(project, await context.deployment(), span, parts);
    const rows = chats.map((chat) => [
      chat.startedAt ?? '-',
      chat.channel ?? '-',
      chat.conversationId,
      `${chat.cleanup}: ${MEANINGS[chat.cleanup]}`,
    ]);
    const text =
      rows.length === 0
        ? `PolyAI lists no open chat of ${project} that began in this time.`
        : style.table(['started', 'channel', 'conversation', 'cleanup'], rows);
    return { json: { project, chats }, text, isWell: true };
  },
});
