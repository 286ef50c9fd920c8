import { describe, expect, it } from 'vitest';
import genesys from '../../../functions/crm/genesys-eventbridge.ts';
import { patternOf } from '../../../infra/config/bus.ts';
import { fixtureNames, readFixture } from '../../../samples/fixture.ts';

const TOPIC = 'v2.detail.events.conversation.{id}.customer.end';

function read(mediaType: unknown, { type = TOPIC, finishedValues = undefined as string[] | undefined } = {}) {
  const body = { 'detail-type': type, detail: { eventBody: { conversationId: 'g-1', mediaType } } };
  const connection = {
    crm: 'genesys-eventbridge',
    project: 'support',
    verify: { scheme: 'event-bus' as const },
    ...(finishedValues && { finishedValues }),
  };
  return genesys.read({ body, headers: {}, query: {} }, connection)[0];
}

describe('the end of a customer’s session', () => {
  it.each([
    ['CHAT', true],
    ['MESSAGE', true],
    ['message', true],
    ['VOICE', false],
    ['EMAIL', false],
    ['CALLBACK', false],
    ['', false],
    [undefined, false],
    [null, false],
    [['CHAT'], false],
  ])('on the medium %j is finished: %s', (mediaType, finished) => {
    expect(read(mediaType)).toEqual({
      finished,
      provesChange: true,
      happenedAt: undefined,
      crmRef: 'g-1',
    });
  });

  it('is finished on the media types that the connection lists, and on no other', () => {
    expect(read('MESSAGE', { finishedValues: ['message'] })).toMatchObject({ finished: true });
    expect(read('CHAT', { finishedValues: ['message'] })).toMatchObject({ finished: false });
  });

  it.each([
    'v2.detail.events.conversation.g-1.customer.end',
    'v2.detail.events.conversation.{id}.user.end',
    'v2.detail.events.conversation.{id}.acw',
  ])('is not finished under the topic %s', (type) => {
    expect(read('CHAT', { type })).toMatchObject({ finished: false });
  });
});

describe('the rule', () => {
  const names = fixtureNames('genesys-eventbridge').filter((name) => name.startsWith('finished'));

  it.each(names)('matches a finished event of its own organisation only: %s', (name) => {
    const { connection = {}, body } = readFixture('genesys-eventbridge', name);
    const event = body as Record<string, string>;
    expect(patternOf('genesys-eventbridge', connection)).toEqual({
      source: [event.source],
      'detail-type': [event['detail-type']],
    });
  });
});
