import { describe, expect, it } from 'vitest';
import { FINAL_LINES, readFinalLine, toCloseRequest } from '../../operate/final-line.ts';
import type { Span } from '../../operate/lines.ts';
import { createNewestLines } from '../../operate/newest-lines.ts';

const NOW = Date.parse('2026-08-01T12:00:00.000Z');
const LINE = {
  type: 'close',
  request_id: 'request-1',
  outcome: 'not_found',
  final: true,
  reason: 'PolyAI answered 404',
  connection: 'zendesk-support',
  crm: 'zendesk',
  project: 'support',
  region: 'uk-1',
  conversation_id: 'CONV-1',
  crm_ref: '5158',
  delivery_id: 'delivery-1',
  source: 'webhook',
  receives: 1,
  received_at: '2026-08-01T08:00:00.000Z',
};
const FILTER = {
  outcomes: ['not_found', 'no_conversation'],
  projects: [] as string[],
  connections: [] as string[],
  conversations: [] as string[],
  requestIds: [] as string[],
  span: undefined as Span | undefined,
};

function read(change: Record<string, unknown> = {}, loggedAt = NOW) {
  return readFinalLine(JSON.stringify({ ...LINE, ...change }), loggedAt);
}

/** What is chosen of these lines, read in this order. */
function choose(lines: [Record<string, unknown>, number?][], filter: Partial<typeof FILTER> = {}) {
  const newest = createNewestLines({ ...FILTER, ...filter });
  for (const [change, loggedAt] of lines) {
    const line = read(change, loggedAt);
    if (!line) throw new Error('this is not a final line');
    newest.add(line);
  }
  return newest.result();
}

/** The close request that a line becomes. */
function requestOf(change: Record<string, unknown> = {}) {
  const line = read(change);
  if (!line) throw new Error('this is not a final line');
  return toCloseRequest(line, 'request-2', NOW);
}

describe('a final line', () => {
  it('is read with its id, outcome, project and time', () => {
    expect(read()).toMatchObject({ id: 'CONV-1', outcome: 'not_found', project: 'support', loggedAt: NOW });
  });

  it.each([
    ['not final', { final: false }],
    ['final in words', { final: 'true' }],
    ['of another type', { type: 'delivery' }],
    ['without an outcome', { outcome: undefined }],
    ['of the canary', { canary: true }],
  ])('is not a line that is %s', (_, change) => {
    expect(read(change)).toBeUndefined();
  });

  it.each(['START RequestId: 1', '', 'null', '[1]', '"close"'])('is not the message %j', (message) => {
    expect(readFinalLine(message, NOW)).toBeUndefined();
  });

  it('is filtered by type and finality only, because a newer outcome counts', () => {
    expect(FINAL_LINES).toBe('{ ($.type = "close") && ($.final IS TRUE) }');
  });
});

describe('each conversation', () => {
  const idOf = (lines: { id: string }[]) => lines.map(({ id }) => id);

  it('can be chosen by its outcome', () => {
    expect(idOf(choose([[{}]]).chosen)).toEqual(['CONV-1']);
    expect(choose([[{ outcome: 'closed' }]])).toEqual({ chosen: [], overtaken: [], projects: [] });
  });

  it('can be chosen by its project, and every project with such an outcome is named', () => {
    expect(choose([[{}]], { projects: ['sales', 'support'] }).chosen).toHaveLength(1);
    expect(choose([[{}]], { projects: ['sales'] })).toEqual({
      chosen: [],
      overtaken: [],
      projects: ['support'],
    });
    expect(choose([[{ project: undefined }]], { projects: ['support'] }).chosen).toEqual([]);
  });

  it('counts once, by its newest line', () => {
    const { chosen } = choose([
      [{ crm_ref: 'new' }, NOW],
      [{ crm_ref: 'old' }, NOW - 1],
    ]);
    expect(chosen.map(({ line }) => line.crm_ref)).toEqual(['new']);
  });

  it('is another one in another project, or as a shared id', () => {
    const { chosen } = choose([
      [{}],
      [{ project: 'sales' }],
      [{ conversation_id: undefined, shared_id: 'CONV-1' }],
    ]);
    expect(chosen).toHaveLength(3);
  });

  it('counts once for every line when the lines have no id', () => {
    const nameless = { conversation_id: undefined, outcome: 'not_found' };
    expect(choose([[nameless], [nameless]]).chosen).toHaveLength(2);
  });

  it.each(['closed', 'already_ended', 'rejected', 'resolved'])(
    'is left out when it has ended as %s since, in any order of the lines',
    (outcome) => {
      const lines: [Record<string, unknown>, number][] = [
        [{}, NOW - 1],
        [{ outcome }, NOW],
      ];
      for (const each of [lines, lines.toReversed()]) {
        const { chosen, overtaken } = choose(each);
        expect(chosen).toEqual([]);
        expect(overtaken.map((line) => line.outcome)).toEqual([outcome]);
      }
    },
  );

  it('is not left out when it was closed before', () => {
    const { chosen, overtaken } = choose([[{ outcome: 'closed' }, NOW - 1], [{}]]);
    expect([chosen, overtaken].map(idOf)).toEqual([['CONV-1'], []]);
  });

  it('is not left out because of the outcome of another one', () => {
    const { chosen } = choose([
      [{}, NOW - 1],
      [{ outcome: 'closed', conversation_id: 'CONV-2' }],
      [{ outcome: 'closed', project: 'sales' }],
    ]);
    expect(idOf(chosen)).toEqual(['CONV-1']);
  });

  it.each(['resolved', 'closed'])(
    'is left out as a shared id that has been resolved since: %s',
    (outcome) => {
      const lookUp = { outcome: 'no_conversation', conversation_id: undefined, shared_id: '5158' };
      const found = { outcome, conversation_id: 'CONV-9', shared_id: '5158' };
      expect(choose([[lookUp, NOW - 1], [found]])).toMatchObject({
        chosen: [],
        overtaken: [{ id: 'CONV-9' }],
      });
      expect(choose([[lookUp], [found, NOW - 1]]).chosen).toMatchObject([{ id: '5158' }]);
    },
  );
});

describe('the close request of a line', () => {
  it('comes from the operator and otherwise has the fields of the line', () => {
    expect(requestOf()).toEqual({
      v: 1,
      requestId: 'request-2',
      source: 'operator',
      project: 'support',
      connection: 'zendesk-support',
      crm: 'zendesk',
      conversationId: 'CONV-1',
      crmRef: '5158',
      deliveryId: 'delivery-1',
      receivedAt: '2026-08-01T08:00:00.000Z',
    });
  });

  it('leaves out fields that the line does not have', () => {
    const change = { connection: undefined, crm: undefined, crm_ref: undefined, delivery_id: undefined };
    expect(Object.keys(requestOf(change) ?? {})).toEqual([
      'v',
      'requestId',
      'source',
      'project',
      'conversationId',
      'receivedAt',
    ]);
  });

  it('is a look-up that counts from now when only the shared id is known', () => {
    expect(
      requestOf({ outcome: 'no_conversation', conversation_id: undefined, shared_id: '5158' }),
    ).toMatchObject({
      sharedId: '5158',
      receivedAt: '2026-08-01T08:00:00.000Z',
      lookUpFrom: '2026-08-01T12:00:00.000Z',
    });
  });

  it('is a plain close when the shared id was resolved', () => {
    const request = requestOf({ shared_id: '5158' });
    expect(request?.conversationId).toBe('CONV-1');
    expect(request).not.toHaveProperty('sharedId');
    expect(request).not.toHaveProperty('lookUpFrom');
  });

  it.each([
    ['project', { project: undefined }],
    ['id', { conversation_id: undefined }],
    ['time', { received_at: undefined }],
  ])('cannot be made without a %s', (_, change) => {
    expect(requestOf(change)).toBeUndefined();
  });
});
