import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import custom from '../../../functions/crm/custom.ts';
import { CRMS } from '../../../functions/crm/index.ts';
import { readDelivery } from '../../../functions/intake/read-delivery.ts';
import type { VerifySettings } from '../../../functions/schemes/scheme.ts';
import type { Headers } from '../../../local/delivery.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';

const CONNECTION: Connection = {
  crm: 'custom',
  project: 'support-uk',
  secretId: 'stack/connections/in-house/secret',
  verify: { scheme: 'bearer' },
  conversationId: 'body.chat.id',
  finishedWhen: "body.status == 'closed'",
};
const HMAC: VerifySettings = {
  scheme: 'hmac',
  header: 'x-signature',
  algorithm: 'sha256',
  encoding: 'hex',
  signed: '{body}',
  timestampUnit: 's',
  toleranceSeconds: 300,
};

describe('custom', () => {
  it('closes nothing by itself: the connection must say what is finished and where the id is', () => {
    const { conversationId: _, finishedWhen: __, ...bare } = CONNECTION;
    const content = { body: { status: 'closed', chat: { id: 'x' } }, headers: {}, query: {} };
    expect(readDelivery(custom, bare, content)).toEqual({ closes: [], ignored: ['not_finished'] });
    expect(custom.requires).toEqual(expect.arrayContaining(['verify', 'conversationId', 'finishedWhen']));
  });

  it.each<[string, VerifySettings, Headers, string | undefined]>([
    ["the signed id header's", { ...HMAC, idHeader: 'x-id' }, { 'x-id': 'd1', 'webhook-id': 'd2' }, 'd1'],
    ["Standard Webhooks'", { scheme: 'standard-webhooks' }, { 'webhook-id': 'msg_1' }, 'msg_1'],
    ["Svix's", { scheme: 'standard-webhooks' }, { 'svix-id': 'msg_2' }, 'msg_2'],
    ['absent where the sender gives none', HMAC, { 'x-request-id': 'd1' }, undefined],
    ['absent where it cannot travel', HMAC, { 'webhook-id': 'x'.repeat(257) }, undefined],
  ])('has a delivery id that is %s', (_whose, verify, headers, deliveryId) => {
    const demand = readDelivery(custom, { ...CONNECTION, verify }, { body: {}, headers, query: {} });
    expect(demand.deliveryId).toBe(deliveryId);
  });
});

describe('the format', () => {
  const settings = { verify: { scheme: 'bearer' }, conversationId: 'body.id', finishedWhen: 'always' };

  it.each([undefined, 'json', 'form'])('may be %s', (format) => {
    const given = { ...settings, ...(format && { format }) };
    expect(connectionOf('custom', given).format).toBe(format);
  });

  it.each(['xml', 'JSON', '', null, ['form']])('is at fault as %j', (format) => {
    const faults = faultsOf('custom', { ...settings, format });
    expect(faults).toMatchObject([{ path: 'connections.c.format' }]);
  });

  it.each(Object.keys(CRMS).filter((crm) => crm !== 'custom'))('has no meaning for %s', (crm) => {
    const faults = faultsOf(crm, { format: 'json' });
    expect(faults).toContainEqual(
      expect.objectContaining({
        path: 'connections.c.format',
        problem: `does not apply to crm "${crm}"`,
      }),
    );
  });
});
