import type { CleanupProject } from '../connections.ts';
import { toId } from '../conversation-id.ts';
import { valueAt } from '../json.ts';

/** Why cleanup does not close a chat of PolyAI's list. */
export type SkipReason =
  | 'unusable_id'
  | 'not_in_progress'
  | 'other_environment'
  | 'voice'
  | 'voice_or_sms_id'
  | 'channel_not_listed'
  | 'unreadable_time'
  | 'future_activity'
  | 'recently_active';

/** The verdict on one chat. Without `skip` the chat is stale and may be closed. */
export type JudgedChat = {
  id: string;
  /** Whether it is in progress, and in the project's environment. */
  isOpen: boolean;
  /** Unix milliseconds; only for a chat on a channel that this project's cleanup may close. */
  openSince?: number;
  skip?: SkipReason;
};

/** Ids of Twilio's calls, outbound calls and text messages. Case matters: a UUID may begin with `ca`. */
const VOICE_AND_SMS_IDS = /^(?:CA|OUT-|TW_SMS_)/;
const VOICE = /^\s*voice/i;

/**
 * Judges one chat of PolyAI's list. The list mixes channels, may be out of date and may leave out the turns. The last
 * activity is the newest turn whose time can be read, or the start. Never throws, whatever the chat holds.
 *
 * @param now Unix milliseconds
 * @see https://docs.poly.ai/api-reference/conversations/introduction
 */
export function judgeChat(chat: unknown, { clientEnv, cleanup }: CleanupProject, now: number): JudgedChat {
  const id = toId(valueAt(chat, 'id'));
  if (id === undefined) return { id: '', isOpen: false, skip: 'unusable_id' };
  if (valueAt(chat, 'in_progress') !== true) return { id, isOpen: false, skip: 'not_in_progress' };
  if (isElsewhere(valueAt(chat, 'environment'), clientEnv))
    return { id, isOpen: false, skip: 'other_environment' };
  const channel = valueAt(chat, 'channel');
  if (typeof channel === 'string' && VOICE.test(channel)) return { id, isOpen: true, skip: 'voice' };
  if (VOICE_AND_SMS_IDS.test(id)) return { id, isOpen: true, skip: 'voice_or_sms_id' };
  if (!isAllowed(channel, cleanup.channels)) return { id, isOpen: true, skip: 'channel_not_listed' };
  const times = timesOf(chat);
  if (times.length === 0) return { id, isOpen: true, skip: 'unreadable_time' };
  const openSince = parseTime(valueAt(chat, 'started_at')) ?? Math.min(...times);
  const lastActivity = Math.max(...times);
  if (lastActivity > now) return { id, isOpen: true, openSince, skip: 'future_activity' };
  if (now - lastActivity < cleanup.idleForMs) return { id, isOpen: true, openSince, skip: 'recently_active' };
  return { id, isOpen: true, openSince };
}

function isAllowed(channel: unknown, channels: readonly string[]): boolean {
  return (
    typeof channel === 'string' &&
    channels.some((each) => !VOICE.test(each) && each.trim().toUpperCase() === channel.trim().toUpperCase())
  );
}

/** The list was requested for one environment; PolyAI does not document how its answers spell them. */
function isElsewhere(environment: unknown, clientEnv: string): boolean {
  const letters = (text: string) => text.toLowerCase().replace(/[^a-z]/g, '');
  return typeof environment === 'string' && letters(environment) !== letters(clientEnv);
}

/** The times of the start and of every turn, as far as they can be read, in Unix milliseconds. */
function timesOf(chat: unknown): number[] {
  const turns = valueAt(chat, 'turns');
  const texts = [
    valueAt(chat, 'started_at'),
    ...(Array.isArray(turns) ? turns : []).flatMap((turn) => [
      valueAt(turn, 'user_input_datetime'),
      valueAt(turn, 'agent_response_datetime'),
    ]),
  ];
  return texts.flatMap((text) => parseTime(text) ?? []);
}

const ISO_8601 =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?\s?([Zz]|[+-]\d\d(?::?\d\d)?)?$/;

/** Parses ISO 8601 to Unix milliseconds. A time without a zone counts as UTC. */
function parseTime(value: unknown): number | undefined {
  const [, date, time, fraction = '', zone = 'Z'] =
    (typeof value === 'string' && ISO_8601.exec(value.trim())) || [];
  if (!date || !time) return undefined;
  const offset = /^[+-]/.test(zone)
    ? zone
        .replace(':', '')
        .padEnd(5, '0')
        .replace(/(\d\d)$/, ':$1')
    : 'Z';
  const seconds = time.length === 5 ? `${time}:00` : time;
  const ms = Date.parse(`${date}T${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`);
  return Number.isNaN(ms) ? undefined : ms;
}
