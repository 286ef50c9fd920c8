import type { SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { closeLine } from '../../functions/close/close-line.ts';
import { judge } from '../../functions/close/outcome.ts';
import type { CanaryLine } from '../../functions/line.ts';
import type { PolyAIAnswer } from '../../functions/polyai.ts';
import { SMALLEST } from '../support/configuration.ts';
import { HOUR, MINUTE, type Said, START, signalsOf } from '../support/signals.ts';
import { createStack } from '../support/stack.ts';

// Plays a canary that fails in virtual time, against all alarms and metric filters of the synthesised template.

const signals = signalsOf(
  createStack({ ...SMALLEST, stack: { canary: { schedule: 'rate(5 minutes)', polyai: 'support' } } }),
);

const EVERY = 5 * MINUTE;
const [BEGIN, END, LASTS] = [2 * HOUR, 3 * HOUR, 5 * HOUR];
const UNKNOWN: PolyAIAnswer = { status: 404, success: false, errorCode: 'CONVERSATIONS_NOT_FOUND' };

/** The worker's line of one run. */
function closed(answer: PolyAIAnswer): Said['line'] {
  const attributes = { ApproximateReceiveCount: '1', SentTimestamp: String(START) };
  const request = {
    v: 1,
    requestId: 'r',
    source: 'webhook',
    project: 'support',
    connection: 'canary',
    crm: 'custom',
    conversationId: 'polyai-chat-closer-canary-1',
    receivedAt: new Date(START).toISOString(),
    canary: true,
  } as const;
  const attempt = { ...judge(answer), answer, startedAt: START + 20, endedAt: START + 50 };
  return closeLine({ record: { attributes } as SQSRecord, request }, attempt, { final: true });
}

const sent = (own: Partial<CanaryLine>): CanaryLine => ({
  type: 'canary',
  request_id: 'r',
  conversation_id: 'polyai-chat-closer-canary-1',
  took_ms: 30,
  ...own,
});
const accepted = sent({ answer: 200, accepted: 1, answer_ms: 25 });
const refused: Said['line'] = {
  ...{ type: 'delivery', request_id: 'r', connection: 'canary', crm: 'custom', result: 'refused' },
  ...{ answer: 401, answer_ms: 4, refused: 'signature_mismatch', took_ms: 3, canary: true },
};

/** The runs of the whole story, which have other lines while the trouble lasts. */
function story(during: (after: number) => Said[]): Said[] {
  const healthy = (after: number): Said[] => [
    { after, log: 'CanaryLog', line: accepted },
    { after: after + 1000, log: 'CloseLog', line: closed(UNKNOWN) },
  ];
  return Array.from({ length: LASTS / EVERY }, (_, run) => run * EVERY).flatMap((after) =>
    after >= BEGIN && after < END ? during(after) : healthy(after),
  );
}

/** What each alarm did after the first hour. Before the canary's first run its alarm is on, because a run is missing. */
function ringing(said: Said[]): Record<string, string[]> {
  const histories = Object.entries(signals.run(said, [], LASTS)).map(
    ([id, all]) => [id, all.filter(({ at }) => at > START + HOUR).map(({ to }) => to)] as const,
  );
  return Object.fromEntries(histories.filter(([, states]) => states.length > 0));
}

const failing = (answer: PolyAIAnswer) => (after: number) => [
  { after, log: 'CanaryLog', line: accepted },
  { after: after + 1000, log: 'CloseLog', line: closed(answer) },
];

describe('a canary in trouble rings its own alarm and no other, and the alarm ends:', () => {
  it.each<[string, (after: number) => Said[]]>([
    ['PolyAI refuses the keys', failing({ status: 401, success: false })],
    [
      'PolyAI does not know the project',
      failing({ status: 404, success: false, errorCode: 'PROJECT_NOT_FOUND' }),
    ],
    ['PolyAI is down', failing({ status: 500, success: false })],
    ['PolyAI does not answer', failing({ failure: 'no answer from PolyAI within 10 s' })],
    ['the worker takes no messages', (after) => [{ after, log: 'CanaryLog', line: accepted }]],
    [
      'the receiver refuses its signature',
      (after) => [
        { after, log: 'ReceiveLog', line: refused },
        { after, log: 'CanaryLog', line: sent({ answer: 401, refused: 'signature_mismatch', answer_ms: 5 }) },
      ],
    ],
    [
      'the address does not answer',
      (after) => [{ after, log: 'CanaryLog', line: sent({ reason: 'no answer' }) }],
    ],
    ['it does not run', () => []],
  ])('%s', (_, during) => {
    expect(ringing(story(during))).toEqual({ [signals.id('CanaryAlarm')]: ['ALARM', 'OK'] });
  });
});

describe('a canary that is well rings nothing', () => {
  it('although strangers send forgeries to its address', () => {
    const forgeries = Array.from({ length: LASTS / MINUTE }, (_, minute) => ({
      after: minute * MINUTE,
      log: 'ReceiveLog',
      line: refused,
    }));
    expect(ringing([...story(failing(UNKNOWN)), ...forgeries])).toEqual({});
  });

  it('although PolyAI answers 400 with a code', () => {
    const answer = { status: 400, success: false, errorCode: 'CONVERSATIONS_VALIDATION_FAILED' };
    expect(ringing(story(failing(answer)))).toEqual({});
  });
});
