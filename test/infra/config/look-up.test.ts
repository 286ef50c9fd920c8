import { describe, expect, it } from 'vitest';
import { faultsOf } from '../../support/crm.ts';

const LOOK_UP = { lookUp: 'sharedId' };
const RELAY = { bus: 'aws.partner/salesforce.com/1/2' };
const PATTERN = { bus: 'orders', eventPattern: { source: ['acme.desk'], account: ['111122223333'] } };

describe('a look-up', () => {
  it.each<[string, Record<string, unknown>]>([
    ['hubspot', { finishedValues: ['4', '88120934'] }],
    ['salesforce-event-relay', { ...RELAY, finishedValues: ['Closed', 'Resolved'] }],
    ['gladly', { finishedValues: ['CONVERSATION/CLOSED', 'CONVERSATION_STATUS/UPDATED'] }],
    ['gladly', { finishedValues: ['CONVERSATION_STATUS/UPDATED'] }],
    ['front', { finishedValues: ['resolved'] }],
    ['intercom', { finishedValues: ['ticket.state.updated'] }],
    ['eventbridge', { ...PATTERN, sharedId: 'detail.ticket' }],
    ['zendesk', { finishedWhen: "body.detail.status == 'SOLVED'" }],
    ['eventbridge', { ...PATTERN, sharedId: 'detail.ticket', finishedWhen: "detail.status == 'closed'" }],
  ])(
    'is refused if events cannot prove that a ticket was open before, unless repeatedFinish allows it: %s %j',
    (crm, settings) => {
      expect(faultsOf(crm, { ...settings, ...LOOK_UP })).toEqual([
        {
          path: 'connections.c.lookUp',
          problem: expect.stringMatching(
            /^is not safe: .* that a ticket was not finished before, and its second finish would close a newer chat$/,
          ),
          fix: expect.stringMatching(/^(Remove|Choose|Find) .*add "repeatedFinish": "allow"$/),
        },
      ]);
      expect(faultsOf(crm, { ...settings, ...LOOK_UP, repeatedFinish: 'allow' })).toEqual([]);
    },
  );

  it.each<[string, Record<string, unknown>]>([
    ['hubspot', { finishedValues: ['4'] }],
    ['salesforce-event-relay', { ...RELAY, finishedValues: ['Resolved'] }],
    ['gladly', { finishedValues: ['conversation/closed'] }],
    ['front', { finishedValues: ['archive', 'resolved'] }],
    ['intercom', { finishedValues: ['ticket.closed', 'ticket.state.updated'] }],
    ['zendesk', { finishedValues: ['CLOSED'] }],
    ['jira', { finishedValues: ['Resolved', '6'] }],
  ])('is accepted if events can prove that a ticket was open before: %s %j', (crm, settings) => {
    expect(faultsOf(crm, { ...settings, ...LOOK_UP })).toEqual([]);
  });

  it.each([
    ['yes', /unknown/],
    [true, /./],
  ])('accepts only the value "allow" for repeatedFinish, not %j', (repeatedFinish, problem) => {
    const faults = faultsOf('zendesk', { ...LOOK_UP, repeatedFinish });
    expect(faults).toMatchObject([
      { path: 'connections.c.repeatedFinish', problem: expect.stringMatching(problem) },
    ]);
  });

  it('is required by repeatedFinish', () => {
    expect(faultsOf('zendesk', { repeatedFinish: 'allow' })).toMatchObject([
      { path: 'connections.c.repeatedFinish', problem: 'has no effect without lookUp' },
    ]);
  });
});
