import { createHmac } from 'node:crypto';
import { Signature } from '@hubspot/api-client/lib/src/utils/signature.js';
import { verify as verifyByOctokit } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { validateRequest, validateRequestWithBody } from 'twilio/lib/webhooks/webhooks.js';
import XHubSignature from 'x-hub-signature';
import type { Delivery } from '../../functions/delivery.ts';
import { SCHEMES } from '../../functions/schemes/index.ts';
import {
  type HmacSettings,
  type VerifySettings,
  verifyDelivery,
  type WebhookScheme,
} from '../../functions/schemes/scheme.ts';
import { delivery, prove } from '../../samples/delivery.ts';
import { SECRET } from './stand-in.ts';

/** One body, verified by us and by a vendor's official library. Both must accept it, and each throws if it does not. */
export type Comparison = { name: string; ours: () => Promise<void>; theirs: () => Promise<void> };

const { signingSecret } = SECRET;
const BASE = 'https://hooks.example.com/webhooks/zendesk-support';

const overBody = (algorithm: 'sha1' | 'sha256', header: string): HmacSettings => ({
  scheme: 'hmac',
  header,
  algorithm,
  encoding: 'hex',
  prefix: `${algorithm}=`,
  signed: '{body}',
  timestampUnit: 's',
  toleranceSeconds: 300,
});

/**
 * The comparisons over one size. Ours get the bytes of the body, the libraries the text that each of them takes.
 *
 * @param bytes about how long the body is
 */
export function comparisons(bytes: number): Comparison[] {
  const json = JSON.stringify({ id: 1, text: 'x'.repeat(Math.max(0, bytes - 17)) });
  const form = formOf(bytes);
  return [
    compare('hmac (sha256) · octokit', overBody('sha256', 'x-hub-signature-256'), json, ({ headers }) =>
      verifyByOctokit(signingSecret, json, headers['x-hub-signature-256'] ?? ''),
    ),
    compare('hmac (sha1) · x-hub-signature', overBody('sha1', 'x-hub-signature'), json, ({ headers }) =>
      new XHubSignature('sha1', signingSecret).verify(headers['x-hub-signature'] ?? '', json),
    ),
    compare(
      'standard-webhooks · standardwebhooks',
      { scheme: 'standard-webhooks' },
      json,
      byWebhook(Webhook),
    ),
    compare('standard-webhooks · svix', { scheme: 'standard-webhooks' }, json, byWebhook(SvixWebhook)),
    compare('hubspot · @hubspot/api-client', { scheme: 'hubspot' }, json, ({ headers, url }) =>
      Signature.isValid({
        signature: headers['x-hubspot-signature-v3'] ?? '',
        signatureVersion: 'v3',
        clientSecret: signingSecret,
        requestBody: json,
        method: 'POST',
        url,
        timestamp: Number(headers['x-hubspot-request-timestamp']),
      }),
    ),
    compare('twilio, JSON · twilio', { scheme: 'twilio' }, json, ({ headers, url }) =>
      validateRequestWithBody(signingSecret, headers['x-twilio-signature'] ?? '', url, json),
    ),
    ...(form === undefined
      ? []
      : [
          compare('twilio, form · twilio', { scheme: 'twilio' }, form, ({ headers, url }) =>
            validateRequest(
              signingSecret,
              headers['x-twilio-signature'] ?? '',
              url,
              Object.fromEntries(new URLSearchParams(form)),
            ),
          ),
        ]),
  ];
}

function compare(
  name: string,
  settings: VerifySettings,
  body: string,
  accepts: (request: Delivery) => boolean | Promise<boolean>,
): Comparison {
  const at = Date.now();
  const { headers, query } = prove(settings as never, SECRET, { body, at, url: BASE });
  const request = delivery({ headers, body, query });
  const bound = { scheme: SCHEMES[settings.scheme as WebhookScheme], verify: settings };
  return {
    name,
    async ours() {
      const verdict = await verifyDelivery(bound, SECRET, request, at);
      if (verdict) throw new Error(`${name}: ours refuses: ${verdict.code}`);
    },
    async theirs() {
      if (!(await accepts(request))) throw new Error(`${name}: the library refuses`);
    },
  };
}

type WebhookClass = new (
  secret: string,
) => {
  verify(payload: string, headers: Record<string, string>): unknown;
};

/** The key is read once, as a server would. */
function byWebhook(Library: WebhookClass): (request: Delivery) => boolean {
  const webhook = new Library(signingSecret);
  return ({ headers, body }) => {
    webhook.verify(body.toString(), headers);
    return true;
  };
}

/** A form as Twilio sends it: its fields are short, so that a long one has many; beyond the limit there is none. */
function formOf(bytes: number): string | undefined {
  const fields = Math.floor(bytes / 110);
  if (fields > 1000) return undefined;
  const more = Array.from({ length: fields }, (_, index): [string, string] => [
    `Parameter${index}`,
    createHmac('sha256', `${index}`).digest('hex') + 'x'.repeat(30),
  ]);
  return new URLSearchParams({
    AccountSid: `AC${'0'.repeat(32)}`,
    EventType: 'onConversationStateUpdated',
    ...Object.fromEntries(more),
  }).toString();
}
