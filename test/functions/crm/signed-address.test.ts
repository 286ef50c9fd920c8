import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../../functions/delivery.ts';
import hubspot from '../../../functions/schemes/hubspot.ts';
import twilio from '../../../functions/schemes/twilio.ts';
import { delivery, type Headers, prove } from '../../../samples/delivery.ts';
import { startReceiver } from '../../support/receiver.ts';

// What must hold for both vendors whose signatures cover the address.

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = { signingSecret: 'the-secret-of-the-account' };
const OWN_ORIGIN = 'https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com';
const PUBLIC_URL = 'https://hooks.acme.example/chats';
const QUERY = 'a=1';

const TICKET = [
  {
    subscriptionType: 'ticket.propertyChange',
    objectId: 7,
    propertyName: 'hs_pipeline_stage',
    propertyValue: '4',
  },
];
const CONVERSATION = new URLSearchParams({
  AccountSid: 'ACe95c0000000000000000000000000001',
  EventType: 'onConversationStateUpdated',
  StateTo: 'closed',
  UniqueName: 'KpQx-polyai-0001',
});

const VENDORS = [
  {
    crm: 'hubspot' as const,
    settings: { finishedValues: ['4'], lookUp: 'sharedId' },
    body: JSON.stringify(TICKET),
    verify: (received: Delivery) =>
      hubspot.verify({ scheme: 'hubspot' }, hubspot.readKeys(SECRET), received, NOW),
    /** Headers of the proof. */
    names: [
      'x-hubspot-signature',
      'x-hubspot-signature-v3',
      'x-hubspot-signature-version',
      'x-hubspot-request-timestamp',
    ],
    /** Values that get far into the verification. */
    values: ['v1', 'v2', `${NOW}`, 'a'.repeat(64)],
  },
  {
    crm: 'twilio' as const,
    settings: {},
    body: CONVERSATION.toString(),
    verify: (received: Delivery) =>
      twilio.verify({ scheme: 'twilio' }, twilio.readKeys(SECRET), received, NOW),
    names: ['x-twilio-signature', 'content-type'],
    values: ['RSOYDt4T1cUTdK1PDd93/VVr8B8=', 'application/json', 'application/x-www-form-urlencoded'],
  },
];

describe.each(VENDORS)(
  'a signature of $crm over the address',
  ({ crm, settings, body, verify, names, values }) => {
    /** Sends a delivery that is signed for a URL. @returns its status and the code of its refusal */
    async function receive(url: string, more: { publicUrl?: string; query?: string; headers?: Headers }) {
      const { publicUrl, query = QUERY, headers } = more;
      const { send, queued } = startReceiver(
        crm,
        { ...settings, ...(publicUrl && { publicUrl }) },
        SECRET,
        NOW,
      );
      const proof = prove({ scheme: crm }, SECRET, { body, at: NOW, url });
      const { status, code } = await send({ body, query, headers: { ...proof.headers, ...headers } });
      return [status, code, queued.length];
    }

    const OWN_URL = `${OWN_ORIGIN}/webhooks/${crm}`;

    it('is accepted at the public address if the connection has one, and only there', async () => {
      const publicUrl = PUBLIC_URL;
      expect(await receive(`${publicUrl}?${QUERY}`, { publicUrl })).toEqual([200, undefined, 1]);
      for (const url of [`${OWN_URL}?${QUERY}`, publicUrl]) {
        expect(await receive(url, { publicUrl })).toEqual([401, 'signature_mismatch', 0]);
      }
    });

    it('is accepted at the address of the API, whatever host the headers name', async () => {
      const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example' };
      expect(await receive(`${OWN_URL}?${QUERY}`, { headers })).toEqual([200, undefined, 1]);
      const evil = OWN_URL.replace(OWN_ORIGIN, 'https://evil.example');
      expect(await receive(`${evil}?${QUERY}`, { headers })).toEqual([401, 'signature_mismatch', 0]);
    });

    it('is refused without an error if headers, address and body are random', () => {
      const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...values));
      const urls = fc.oneof(
        text,
        text.map((query) => `https://mycompany.example/?${query}`),
      );
      fc.assert(
        fc.property(
          fc.dictionary(fc.constantFrom(...names), text),
          urls,
          fc.uint8Array(),
          (headers, url, bytes) => {
            const received = { ...delivery({ headers, body: Buffer.from(bytes) }), url };
            expect(verify(received)?.code).toMatch(/^(signature|timestamp)_/);
          },
        ),
        { numRuns: 500 },
      );
    });
  },
);
