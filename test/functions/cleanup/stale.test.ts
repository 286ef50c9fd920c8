import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeChat } from '../../../functions/cleanup/stale.ts';
import type { CleanupProject } from '../../../functions/connections.ts';
import { HOUR_MS } from '../../../functions/time.ts';

const NOW = Date.parse('2026-08-01T12:00:00.000Z');

const project: CleanupProject = {
  region: 'uk-1',
  baseUrl: 'https://api.uk-1.platform.polyai.app',
  version: 'v1',
  accountId: 'acme-uk',
  projectId: 'PROJECT-1',
  secretId: 'secret',
  clientEnv: 'live',
  cleanup: {
    idleForMs: 12 * HOUR_MS,
    lookbackMs: 14 * 24 * HOUR_MS,
    channels: ['CHAT', 'WEBCHAT'],
    maxCloses: 200,
    dryRun: false,
    periodMs: HOUR_MS,
  },
};

const ago = (hours: number) => new Date(NOW - hours * HOUR_MS).toISOString();

/** A stale chat. `own` replaces parts of it. */
function chat(own: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'CONV-1',
    in_progress: true,
    environment: 'live',
    channel: 'CHAT',
    started_at: ago(20),
    turns: [{ user_input_datetime: ago(19), agent_response_datetime: ago(18) }],
    ...own,
  };
}

/** The values at the places where times are read. */
function timesIn(own: unknown): unknown[] {
  const { started_at, turns } = own as Record<string, unknown>;
  const isObject = (turn: unknown) => typeof turn === 'object' && turn !== null && !Array.isArray(turn);
  const each = (Array.isArray(turns) ? turns : []).filter(isObject);
  return [started_at, ...each.flatMap((turn) => [turn.user_input_datetime, turn.agent_response_datetime])];
}

const skipOf = (own: unknown) => judgeChat(own, project, NOW).skip;

describe('a chat of the list', () => {
  it('is stale when it has been idle for long', () => {
    expect(judgeChat(chat(), project, NOW)).toEqual({
      id: 'CONV-1',
      isOpen: true,
      openSince: NOW - 20 * HOUR_MS,
    });
  });

  it.each([
    [' CHAT ', 'CHAT'],
    ['CHAT', ' chat\t'],
    ['Web Chat\n', '\tweb chat'],
  ])(
    'is stale when its channel %j differs from the configured %j only by case and white space around it',
    (channel, configured) => {
      const cleanup = { ...project.cleanup, channels: [configured] };
      expect(judgeChat(chat({ channel }), { ...project, cleanup }, NOW).skip).toBeUndefined();
    },
  );

  it('is skipped when its channel differs from the configured one by white space inside it', () => {
    const cleanup = { ...project.cleanup, channels: ['WEBCHAT'] };
    const { skip } = judgeChat(chat({ channel: 'WEB CHAT' }), { ...project, cleanup }, NOW);
    expect(skip).toBe('channel_not_listed');
  });

  it.each([
    ['not_in_progress', { in_progress: false }],
    ['not_in_progress', { in_progress: 'true' }],
    ['not_in_progress', { in_progress: undefined }],
    ['other_environment', { environment: 'sandbox' }],
    ['voice', { channel: 'VOICE-SIP' }],
    ['voice', { channel: 'voice' }],
    ['voice_or_sms_id', { id: `CA${'0123456789abcdef'.repeat(2)}` }],
    ['voice_or_sms_id', { id: 'OUT-3f' }],
    ['voice_or_sms_id', { id: 'TW_SMS_1' }],
    ['channel_not_listed', { channel: 'SMS' }],
    ['channel_not_listed', { channel: undefined }],
    ['channel_not_listed', { channel: ['CHAT'] }],
    ['unusable_id', { id: '' }],
    ['unusable_id', { id: 'x'.repeat(257) }],
    ['unusable_id', { id: null }],
    ['unreadable_time', { started_at: 'yesterday', turns: [] }],
    ['unreadable_time', { started_at: undefined, turns: undefined }],
    ['recently_active', { turns: [{ user_input_datetime: ago(11.9) }] }],
    [
      'recently_active',
      { turns: [{ agent_response_datetime: ago(11.9) }, { user_input_datetime: ago(18) }] },
    ],
    ['recently_active', { started_at: ago(1), turns: [] }],
    ['future_activity', { turns: [{ user_input_datetime: ago(-0.1) }] }],
    ['future_activity', { started_at: ago(-30), turns: [] }],
  ])('is skipped with %s: %j', (reason, own) => {
    expect(skipOf(chat(own))).toBe(reason);
  });

  it.each([
    ['at exactly the limit', { turns: [], started_at: ago(12) }],
    ['without turns, which a project can switch off', { turns: [] }],
    ['with turns that are no list', { turns: 'none' }],
    ['with turns whose times cannot be read', { turns: [{ user_input_datetime: 'soon' }, null, 7, {}] }],
    ['whose start cannot be read, by its turns', { started_at: 17 }],
    ['of another spelling of its channel', { channel: 'WebChat' }],
    ['of another spelling of its environment', { environment: 'LIVE' }],
    ['that does not say its environment', { environment: undefined }],
    ['with a plain UUID that begins like a call’s', { id: 'ca761232-ed42-11ce-bacd-00aa0057b223' }],
    ['with a number as its id', { id: 4711 }],
  ])('is stale %s', (_what, own) => {
    expect(skipOf(chat(own))).toBeUndefined();
  });

  it.each(['CHAT ', 'voice-sip'])(
    'of voice is skipped even if the configured channels allow it: %s',
    (channel) => {
      const cleanup = { ...project.cleanup, channels: ['VOICE-SIP', 'voice', channel] };
      expect(judgeChat(chat({ channel: 'VOICE-SIP' }), { ...project, cleanup }, NOW).skip).toBe('voice');
    },
  );

  it.each([
    ['2026-07-31T23:59:59Z', undefined],
    ['2026-08-01T00:00:01Z', 'recently_active'],
    ['2026-08-01T00:00:01', 'recently_active'],
    ['2026-08-01 00:00:01.123456', 'recently_active'],
    ['2026-08-01 00:00:01.123456+00:00', 'recently_active'],
    ['2026-08-01T02:00:01+02:00', 'recently_active'],
    ['2026-08-01T01:59:59+0200', undefined],
    ['2026-07-31T19:00:01-05', 'recently_active'],
    ['2026-08-01T00:00', undefined],
    ['2026-08-01', undefined],
    ['1785542401', undefined],
  ])('has times in ISO 8601, which are in UTC if they have no zone: %s', (time, skip) => {
    expect(skipOf(chat({ turns: [{ user_input_datetime: time }] }))).toBe(skip);
  });

  it('never throws, and is never stale after recent activity, whatever it holds', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('CHAT', ago(1), ago(30), ago(-1), true, 'live'));
    const turn = fc.record(
      { user_input_datetime: value, agent_response_datetime: value },
      { requiredKeys: [] },
    );
    const any = fc.oneof(
      value,
      fc.record({
        id: value,
        in_progress: value,
        environment: value,
        channel: value,
        started_at: value,
        turns: value,
      }),
      fc.record({ turns: fc.array(fc.oneof(turn, value)), started_at: value }).map((own) => chat(own)),
    );
    fc.assert(
      fc.property(any, (own) => {
        const judged = judgeChat(own, project, NOW);
        if (judged.skip !== undefined) return;
        expect(judged.isOpen).toBe(true);
        expect(timesIn(own)).not.toContain(ago(1));
        expect(own).toMatchObject({ in_progress: true });
      }),
      { numRuns: 500 },
    );
  });
});
