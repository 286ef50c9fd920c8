import { describe, expect, it } from 'vitest';
import { FINAL_LINES, readFinalLine, toCloseRequest } from '../../operate/final-line.ts';
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
const FILTER = { outcomes: ['not_found', 'no_conversation'], projects: [] as string[] };

function read(change: Record<string, unknown> = {}, at = NOW) {
  return readFinalLine(JSON.stringify({ ...LINE, ...change }), at);
}

/** What is chosen of lines that are there, in the order in which they are read. */
function choose(lines: [Record<string, unknown>, number?][], filter: Partial<typeof FILTER> = {}) {
  const newest = createNewestLines({ ...FILTER, ...filter });
  for (const [change, at] of lines) {
    const line = read(change, at);
    if (!line) throw new Error('there is no such line');
    newest.add(line);
  }
  return newest.result();
}

/** What a line that is there asks for. */
function ask(change: Record<string, unknown> = {}) {
  const line = read(change);
  if (!line) throw new Error('there is no such line');
  return toCloseRequest(line, 'request-2', NOW);
}

describe('a final line', () => {
  it('is one of a close that is over, with this outcome', () => {
    expect(read()).toMatchObject({ id: 'CONV-1', outcome: 'not_found', project: 'support', at: NOW });
  });

  it.each([
    ['not final', { final: false }],
    ['final in words', { final: 'true' }],
    ['of another type', { type: 'delivery' }],
    ['without an outcome', { outcome: undefined }],
  ])('is none when it is %s', (_, change) => {
    expect(read(change)).toBeUndefined();
  });

  it.each(['START RequestId: 1', '', 'null', '[1]', '"close"'])('is none when it is %j', (message) => {
    expect(readFinalLine(message, NOW)).toBeUndefined();
  });

  it('is asked of CloudWatch by type and finality, because a newer outcome counts', () => {
    expect(FINAL_LINES).toBe('{ ($.type = "close") && ($.final IS TRUE) }');
  });
});

describe('each conversation', () => {
  const idOf = (lines: { id: string }[]) => lines.map(({ id }) => id);

  it('may be asked for by its outcome', () => {
    expect(idOf(choose([[{}]]).chosen)).toEqual(['CONV-1']);
    expect(choose([[{ outcome: 'closed' }]])).toEqual({ chosen: [], overtaken: [], projects: [] });
  });

  it('may be asked for by its project, and the projects that have one are named', () => {
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

  it('is another one in another project, and as a shared id', () => {
    const { chosen } = choose([
      [{}],
      [{ project: 'sales' }],
      [{ conversation_id: undefined, shared_id: 'CONV-1' }],
    ]);
    expect(chosen).toHaveLength(3);
  });

  it('counts by every line where it has no id', () => {
    const nameless = { conversation_id: undefined, outcome: 'not_found' };
    expect(choose([[nameless], [nameless]]).chosen).toHaveLength(2);
  });

  it.each(['closed', 'already_ended', 'rejected', 'resolved'])(
    'is left out where it has since ended as %s, in whatever order the lines come',
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

  it('is not left out where it was closed before', () => {
    const { chosen, overtaken } = choose([[{ outcome: 'closed' }, NOW - 1], [{}]]);
    expect([chosen, overtaken].map(idOf)).toEqual([['CONV-1'], []]);
  });

  it('is not left out for what became of another one', () => {
    const { chosen } = choose([
      [{}, NOW - 1],
      [{ outcome: 'closed', conversation_id: 'CONV-2' }],
      [{ outcome: 'closed', project: 'sales' }],
    ]);
    expect(idOf(chosen)).toEqual(['CONV-1']);
  });

  it.each(['resolved', 'closed'])('is left out as a shared id that has led to one since: %s', (outcome) => {
    const lookUp = { outcome: 'no_conversation', conversation_id: undefined, shared_id: '5158' };
    const found = { outcome, conversation_id: 'CONV-9', shared_id: '5158' };
    expect(choose([[lookUp, NOW - 1], [found]])).toMatchObject({ chosen: [], overtaken: [{ id: 'CONV-9' }] });
    expect(choose([[lookUp], [found, NOW - 1]]).chosen).toMatchObject([{ id: '5158' }]);
  });
});

describe('the close that a line tells of', () => {
  it('is asked for by the operator, and otherwise as it was', () => {
    expect(ask()).toEqual({
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

  it('does without what the line does not have', () => {
    const change = { connection: undefined, crm: undefined, crm_ref: undefined, delivery_id: undefined };
    expect(Object.keys(ask(change) ?? {})).toEqual([
      'v',
      'requestId',
      'source',
      'project',
      'conversationId',
      'receivedAt',
    ]);
  });

  it('is a look-up from now on where only the shared id is known', () => {
    expect(ask({ outcome: 'no_conversation', conversation_id: undefined, shared_id: '5158' })).toMatchObject({
      sharedId: '5158',
      receivedAt: '2026-08-01T08:00:00.000Z',
      lookUpFrom: '2026-08-01T12:00:00.000Z',
    });
  });

  it('is a plain close where the shared id was resolved', () => {
    const request = ask({ shared_id: '5158' });
    expect(request?.conversationId).toBe('CONV-1');
    expect(request).not.toHaveProperty('sharedId');
    expect(request).not.toHaveProperty('lookUpFrom');
  });

  it.each([
    ['project', { project: undefined }],
    ['id', { conversation_id: undefined }],
    ['time', { received_at: undefined }],
  ])('cannot be asked for without a %s', (_, change) => {
    expect(ask(change)).toBeUndefined();
  });
});
