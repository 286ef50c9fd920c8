import { expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import { deliveryLine } from '../../../functions/intake/delivery-line.ts';

const LOOKS_UP: Connection = {
  crm: 'hubspot',
  project: 'support-uk',
  secretId: 'secret',
  verify: { scheme: 'hubspot' },
  lookUp: 'sharedId',
};
const DELIVERY = { requestId: 'r', name: 'c', connection: LOOKS_UP, refused: undefined, tookMs: 1 };

it('has the shared ids of a connection that looks them up', () => {
  const read = { closes: [{ sharedId: 'T-1' }, { sharedId: 'T-2' }], ignored: [] };
  expect(deliveryLine({ ...DELIVERY, read })).toMatchObject({
    accepted: 2,
    shared_ids: ['T-1', 'T-2'],
    conversation_ids: [],
  });
});

it('has no ids when a delivery was refused before it was read', () => {
  const answer = { status: 401, ms: 7 };
  const line = deliveryLine({ ...DELIVERY, read: undefined, refused: 'signature_mismatch', answer });
  expect(line).toEqual({
    type: 'delivery',
    request_id: 'r',
    connection: 'c',
    crm: 'hubspot',
    result: 'refused',
    answer: 401,
    answer_ms: 7,
    refused: 'signature_mismatch',
    took_ms: 1,
  });
});
