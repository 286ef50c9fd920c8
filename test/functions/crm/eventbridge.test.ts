import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import eventbridge from '../../../functions/crm/eventbridge.ts';
import { patternOf } from '../../../infra/config/bus.ts';
import { readReasons } from '../../support/read-reasons.ts';

const EVENT = {
  'detail-type': 'Ticket changed',
  account: '111122223333',
  detail: { id: 'c', body: { id: 'd' } },
};

function read(settings: Partial<Connection>) {
  const connection: Connection = {
    crm: 'eventbridge',
    project: 'support',
    verify: { scheme: 'event-bus' },
    conversationId: 'detail.id',
    ...settings,
  };
  return readReasons(eventbridge, connection, { body: EVENT, headers: {}, query: {} });
}

describe('the selectors of a connection on a bus', () => {
  it('see the event', () => {
    expect(read({ conversationId: 'detail.body.id' }).closes).toEqual([{ conversationId: 'd' }]);
    expect(
      read({ finishedWhen: `"detail-type" == 'Ticket changed' && account == '111122223333'` }).closes,
    ).toEqual([{ conversationId: 'c' }]);
  });

  it.each(['body.detail.id', 'headers', 'query'])(
    'do not see the parts of a webhook: %s',
    (conversationId) => {
      expect(read({ conversationId }).ignored).toEqual(['no_conversation_id']);
    },
  );
});

describe('an event that the pattern lets through', () => {
  it('is finished unless the connection has a condition', () => {
    expect(read({}).closes).toHaveLength(1);
    expect(read({ finishedWhen: "detail.id == 'other'" }).ignored).toEqual(['not_finished']);
  });

  it('matches the connection’s own pattern, which is used unchanged', () => {
    const eventPattern = { source: ['a'], account: ['1'], detail: { x: [{ exists: true }] } };
    expect(patternOf('eventbridge', { bus: 'default', eventPattern })).toBe(eventPattern);
  });
});
