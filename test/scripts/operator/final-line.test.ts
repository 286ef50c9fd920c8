import { describe, expect, it } from '@jest/globals';
import {
  filterPattern,
  newestOfEach,
  readFinalLine,
  toCloseRequest,
} from '../../../scripts/operator/final-line.ts';

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

function read(change: Record<string, unknown> = {}, at = NOW, filter: Partial<typeof FILTER> = {}) {
  return readFinalLine(JSON.stringify({ ...LINE, ...change }), at, { ...FILTER, ...filter });
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
    ['of another outcome', { outcome: 'closed' }],
  ])('is none when it is %s', (_, change) => {
    expect(read(change)).toBeUndefined();
  });

  it.each(['START RequestId: 1', '', 'null', '[1]', '"close"'])('is none when it is %j', (message) => {
    expect(readFinalLine(message, NOW, FILTER)).toBeUndefined();
  });

  it('may be asked for by its project', () => {
    expect(read({}, NOW, { projects: ['sales', 'support'] })).toBeDefined();
    expect(read({}, NOW, { projects: ['sales'] })).toBeUndefined();
    expect(read({ project: undefined }, NOW, { projects: ['support'] })).toBeUndefined();
  });

  it('is asked of CloudWatch by type, finality and outcome', () => {
    expect(filterPattern(['not_found', 'rejected'])).toBe(
      '{ ($.type = "close") && ($.final IS TRUE) && (($.outcome = "not_found") || ($.outcome = "rejected")) }',
    );
  });
});

describe('each conversation', () => {
  it('counts once, by its newest line', () => {
    const lines = [read({ crm_ref: 'new' }, NOW), read({ crm_ref: 'old' }, NOW - 1)];
    const newest = newestOfEach(lines.flatMap((line) => line ?? []));
    expect(newest.map(({ line }) => line.crm_ref)).toEqual(['new']);
  });

  it('is another one in another project, and as a shared id', () => {
    const lines = [
      read(),
      read({ project: 'sales' }),
      read({ conversation_id: undefined, shared_id: 'CONV-1' }),
    ];
    expect(newestOfEach(lines.flatMap((line) => line ?? []))).toHaveLength(3);
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
