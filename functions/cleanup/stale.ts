import type { ListedProject } from '../connections.ts';
import { toId } from '../conversation-id.ts';
import { at } from '../crm/crm.ts';

/** Why a chat of PolyAI's list is left alone. */
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

/** What is known of a chat of the list. `skip` is absent where it is stale, and then its id may be closed. */
export type Judged = {
  id: string;
  /** In progress, in the environment that was asked for. */
  isOpen: boolean;
  /** Unix milliseconds; only of a chat that this project's cleanup may close. */
  openSince?: number;
  skip?: SkipReason;
};

/** Twilio's calls, outbound calls and text messages. Case counts: a plain UUID may begin with `ca`. */
const VOICE_AND_SMS_IDS = /^(?:CA|OUT-|TW_SMS_)/;
const VOICE = /^\s*voice/i;

/**
 * Judges one chat of PolyAI's list, which mixes channels, promises no freshness and may leave out the turns. The
 * last activity is the newest turn whose time can be read, or the start. Whatever stands there, it never throws.
 *
 * @param now Unix milliseconds
 * @see https://docs.poly.ai/api-reference/conversations/introduction
 */
export function judgeChat(chat: unknown, { clientEnv, cleanup }: ListedProject, now: number): Judged {
  const id = toId(at(chat, 'id'));
  if (id === undefined) return { id: '', isOpen: false, skip: 'unusable_id' };
  if (at(chat, 'in_progress') !== true) return { id, isOpen: false, skip: 'not_in_progress' };
  if (isElsewhere(at(chat, 'environment'), clientEnv))
    return { id, isOpen: false, skip: 'other_environment' };
  const channel = at(chat, 'channel');
  if (typeof channel === 'string' && VOICE.test(channel)) return { id, isOpen: true, skip: 'voice' };
  if (VOICE_AND_SMS_IDS.test(id)) return { id, isOpen: true, skip: 'voice_or_sms_id' };
  if (!isAllowed(channel, cleanup.channels)) return { id, isOpen: true, skip: 'channel_not_listed' };
  const times = timesOf(chat);
  if (times.length === 0) return { id, isOpen: true, skip: 'unreadable_time' };
  const openSince = parseTime(at(chat, 'started_at')) ?? Math.min(...times);
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

/** The list was asked for one environment; how its answers spell them is not documented. */
function isElsewhere(environment: unknown, clientEnv: string): boolean {
  const letters = (text: string) => text.toLowerCase().replace(/[^a-z]/g, '');
  return typeof environment === 'string' && letters(environment) !== letters(clientEnv);
}

/** Of the start and of every turn, as far as they can be read. */
function timesOf(chat: unknown): number[] {
  const turns = at(chat, 'turns');
  const texts = [
    at(chat, 'started_at'),
    ...(Array.isArray(turns) ? turns : []).flatMap((turn) => [
      at(turn, 'user_input_datetime'),
      at(turn, 'agent_response_datetime'),
    ]),
  ];
  return texts.flatMap((text) => parseTime(text) ?? []);
}

const ISO_8601 =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?\s?([Zz]|[+-]\d\d(?::?\d\d)?)?$/;

/** ISO 8601 in Unix milliseconds. Without a zone it is UTC, as nobody's local time would make sense. */
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
