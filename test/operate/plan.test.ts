import { describe, expect, it } from 'vitest';
import { type Candidate, type Facts, planText, predict, readFacts } from '../../operate/plan.ts';
import { ago, deploymentOf, logsWith, MINUTE_MS, NOW, surroundingsOf } from '../support/operated.ts';

const ENDED = NOW - 60 * MINUTE_MS;
const LATER = NOW - 30 * MINUTE_MS;
const EARLIER = NOW - 90 * MINUTE_MS;

const FACTS: Facts = {
  projects: ['support'],
  secretChangedAt: { support: EARLIER },
  deployedAt: EARLIER,
  closed: new Set(),
};

const close = (outcome: string, change: Partial<Candidate> = {}): Candidate => ({
  outcome,
  project: 'support',
  conversation: 'CONV-1',
  endedAt: ENDED,
  ...change,
});

describe('a prediction', () => {
  it.each<[string, Candidate, Partial<Facts>, string]>([
    ['of a wrong key that was not changed', close('unauthorized'), {}, 'fails_again'],
    [
      'of a wrong key that was changed since',
      close('unauthorized'),
      { secretChangedAt: { support: LATER } },
      'closed',
    ],
    ['of a wrong project that was not deployed', close('misdirected'), {}, 'fails_again'],
    ['of a wrong project after a deployment', close('misdirected'), { deployedAt: LATER }, 'closed'],
    ['of an unknown chat without a deployment', close('not_found'), {}, 'fails_again'],
    ['of an unknown chat after a deployment', close('not_found'), { deployedAt: LATER }, 'closed'],
    ['of an outage', close('unavailable'), {}, 'closed'],
    ['of a message that SQS moved', close('none'), {}, 'closed'],
    ['of a look-up', close('look_up_expired'), {}, 'unknown'],
    [
      'of a chat that was closed since',
      close('unavailable'),
      { closed: new Set(['CONV-1']) },
      'already_ended',
    ],
    ['of a project that is not deployed', close('unavailable', { project: 'sales' }), {}, 'fails_again'],
  ])('%s is right', (_, candidate, change, expected) => {
    expect(predict(candidate, { ...FACTS, ...change }).outcome).toBe(expected);
  });

  it('is counted by outcome and reason', () => {
    const predictions = [close('unauthorized'), close('unauthorized'), close('unavailable')].map((each) =>
      predict(each, FACTS),
    );
    expect(planText(predictions)).toBe(
      '  2 fails_again: the project’s secret was not changed since\n  1 closed: if PolyAI answers now',
    );
  });

  it('rests on the secrets’ dates, the deployment and the lines since', async () => {
    const secretsManager = {
      send: async () => ({ LastChangedDate: new Date(LATER), SecretString: '{"apiKey":"a","token":"b"}' }),
    } as never;
    const logs = logsWith([
      { at: ago(50), type: 'close', outcome: 'closed', final: true, conversation_id: 'CONV-1' },
      { at: ago(70), type: 'close', outcome: 'closed', final: true, conversation_id: 'CONV-0' },
      {
        at: ago(50),
        type: 'close',
        outcome: 'unauthorized',
        final: true,
        conversation_id: 'CONV-2',
        reason: 'closed',
      },
    ]);
    expect(await readFacts(ENDED, deploymentOf(), { ...surroundingsOf(), logs, secretsManager })).toEqual({
      projects: ['support'],
      secretChangedAt: { support: LATER },
      deployedAt: NOW - 60 * MINUTE_MS,
      closed: new Set(['CONV-1']),
    });
  });
});
