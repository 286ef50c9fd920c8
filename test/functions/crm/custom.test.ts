import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import { overBody } from '../../../functions/crm/crm.ts';
import custom from '../../../functions/crm/custom.ts';
import { CRMS } from '../../../functions/crm/index.ts';
import type { VerifySettings } from '../../../functions/schemes/scheme.ts';
import type { Headers } from '../../../samples/delivery.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';

const CONNECTION: Connection = {
  crm: 'custom',
  project: 'support-uk',
  secretId: 'stack/connections/in-house/secret',
  verify: { scheme: 'bearer' },
  conversationId: 'body.chat.id',
  finishedWhen: "body.status == 'closed'",
};
const HMAC = overBody({ header: 'x-signature', algorithm: 'sha256', encoding: 'hex' });

describe('the proofs of contact centres', () => {
  // A desk that nobody has heard of needs no code, if it signs as one of these does.
  it.each([
    [
      'webex-contact-center',
      {
        scheme: 'hmac',
        header: 'X-WebexCC-Signature',
        timestampSelector: 'body.comciscotimestamp',
        timestampHeader: 'X-WebexCC-Timestamp',
        timestampUnit: 'ms',
      },
    ],
    [
      'chatwoot',
      {
        scheme: 'hmac',
        header: 'X-Chatwoot-Signature',
        prefix: 'sha256=',
        signed: '{timestamp}.{body}',
        timestampHeader: 'X-Chatwoot-Timestamp',
      },
    ],
    [
      'dixa',
      {
        scheme: 'hmac',
        header: 'X-DIXA-SIGNATURE',
        signatureParameter: 'v1',
        timestampParameter: 't',
        timestampUnit: 'ms',
        signed: '{timestamp}.{body}',
        keyEncoding: 'hex',
      },
    ],
    ['freshchat', { scheme: 'rsa', header: 'X-Freshchat-Signature' }],
  ])('can be written in connections.json: %s', (crm, verify) => {
    const own = { verify, conversationId: 'body.id', finishedWhen: 'always' };
    expect(connectionOf('custom', own).verify).toEqual(CRMS[crm]?.verify);
  });
});

describe('custom', () => {
  it('closes nothing without selectors, so the connection must have them', () => {
    const { conversationId: _, finishedWhen: __, ...bare } = CONNECTION;
    const content = { body: { status: 'closed', chat: { id: 'x' } }, headers: {}, query: {} };
    expect(readReasons(custom, bare, content)).toEqual({ closes: [], ignored: ['not_finished'] });
    expect(custom.requires).toEqual(expect.arrayContaining(['verify', 'conversationId', 'finishedWhen']));
  });

  it.each<[string, VerifySettings, Headers, string | undefined]>([
    ["the signed id header's", { ...HMAC, idHeader: 'x-id' }, { 'x-id': 'd1', 'webhook-id': 'd2' }, 'd1'],
    ["Standard Webhooks'", { scheme: 'standard-webhooks' }, { 'webhook-id': 'msg_1' }, 'msg_1'],
    ["Svix's", { scheme: 'standard-webhooks' }, { 'svix-id': 'msg_2' }, 'msg_2'],
    ['absent if the sender gives none', HMAC, { 'x-request-id': 'd1' }, undefined],
    ['absent if it is too long', HMAC, { 'webhook-id': 'x'.repeat(257) }, undefined],
  ])('has a delivery id: %s', (_whose, verify, headers, deliveryId) => {
    const demand = readReasons(custom, { ...CONNECTION, verify }, { body: {}, headers, query: {} });
    expect(demand.deliveryId).toBe(deliveryId);
  });
});

describe('the format', () => {
  const settings = { verify: { scheme: 'bearer' }, conversationId: 'body.id', finishedWhen: 'always' };

  it.each([undefined, 'json', 'form'])('may be %s', (format) => {
    const given = { ...settings, ...(format && { format }) };
    expect(connectionOf('custom', given).format).toBe(format);
  });

  it.each(['xml', 'JSON', '', null, ['form']])('is a fault if it is %j', (format) => {
    const faults = faultsOf('custom', { ...settings, format });
    expect(faults).toMatchObject([{ path: 'connections.c.format' }]);
  });

  it.each(Object.keys(CRMS).filter((crm) => crm !== 'custom'))('has no meaning for the preset %s', (crm) => {
    const faults = faultsOf(crm, { format: 'json' });
    expect(faults).toContainEqual(
      expect.objectContaining({
        path: 'connections.c.format',
        problem: `does not apply to crm "${crm}"`,
      }),
    );
  });
});
