import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NotACloseRequest, parseCloseRequest, UnknownVersion } from '../../functions/close-request.ts';

const REQUEST = {
  v: 1,
  requestId: 'JKJaXmPLvHcESHA=',
  source: 'webhook',
  project: 'support-uk',
  connection: 'zendesk-support',
  crm: 'zendesk',
  conversationId: 'KpQx-polyai-0001',
  crmRef: '5158',
  deliveryId: 'cbe4028c-7239-495d-b020-f22348516046',
  receivedAt: '2026-07-01T12:00:00.000Z',
};

function parse(changes: Record<string, unknown> = {}) {
  return parseCloseRequest(JSON.stringify({ ...REQUEST, ...changes }));
}

describe('a close request', () => {
  it('is parsed to the same fields', () => {
    expect(parse()).toEqual(REQUEST);
  });

  it('needs only the required fields', () => {
    const { v, requestId, project, conversationId, receivedAt } = REQUEST;
    const least = { v, requestId, source: 'operator', project, conversationId, receivedAt };
    expect(parseCloseRequest(JSON.stringify(least))).toEqual(least);
  });

  it.each(['webhook', 'event', 'cleanup', 'operator'])('can have the source %s', (source) => {
    expect(parse({ source }).source).toBe(source);
  });

  it('can have a shared id instead, and an expiry time', () => {
    const changes = { conversationId: undefined, sharedId: '5158', expiresAt: '2026-07-01T13:00:00Z' };
    expect(parse(changes)).toMatchObject({ sharedId: '5158', expiresAt: '2026-07-01T13:00:00Z' });
  });

  it('loses unknown fields', () => {
    expect(parse({ more: 'x', constructor: 'y' })).toEqual(REQUEST);
    expect(parseCloseRequest(JSON.stringify(REQUEST).replace('{', '{"__proto__":{"sharedId":"x"},'))).toEqual(
      REQUEST,
    );
  });

  it.each([
    ['v', undefined],
    ['v', '1'],
    ['v', 0],
    ['v', 1.5],
    ['v', null],
    ['requestId', undefined],
    ['requestId', ''],
    ['requestId', 7],
    ['source', undefined],
    ['source', 'Webhook'],
    ['source', 'constructor'],
    ['project', undefined],
    ['project', null],
    ['receivedAt', undefined],
    ['receivedAt', 'yesterday'],
    ['expiresAt', 'tomorrow'],
    ['expiresAt', null],
    ['lookUpFrom', 'now'],
    ['connection', null],
    ['crm', ''],
    ['crmRef', 5158],
    ['deliveryId', 'a\nb'],
    ['conversationId', undefined],
    ['conversationId', null],
    ['conversationId', 42],
    ['conversationId', ['c1']],
    ['conversationId', 'x'.repeat(257)],
    ['sharedId', 'beside-a-conversation-id'],
  ])('is refused when %s is %j, and the error names only the field', (field, value) => {
    const parsing = () => parse({ [field]: value });
    expect(parsing).toThrow(NotACloseRequest);
    expect(parsing).toThrow(field);
    if (typeof value === 'string' && value.length > 2) expect(parsing).not.toThrow(value);
  });

  it.each(['', 'null', '[]', '"text"', '1', '{', `${JSON.stringify(REQUEST)}x`])(
    'is refused as the text %j',
    (text) => {
      expect(() => parseCloseRequest(text)).toThrow(NotACloseRequest);
    },
  );

  it.each([2, 3, Number.MAX_SAFE_INTEGER])('of version %d gets a different error from a wrong one', (v) => {
    expect(() => parse({ v })).toThrow(UnknownVersion);
    expect(() => parseCloseRequest(JSON.stringify({ v, other: 'shape' }))).toThrow(UnknownVersion);
  });

  it('is parsed or refused with one of two errors, whatever the text is', () => {
    const field = fc.constantFrom(...Object.keys(REQUEST), 'sharedId', 'expiresAt');
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.dictionary(field, fc.jsonValue()).map((changes) => JSON.stringify({ ...REQUEST, ...changes })),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const { conversationId, sharedId } = parseCloseRequest(text);
          expect([conversationId, sharedId].filter((id) => id !== undefined)).toHaveLength(1);
        } catch (error) {
          expect([NotACloseRequest, UnknownVersion]).toContain((error as Error).constructor);
        }
      }),
      { numRuns: 500 },
    );
  });
});
