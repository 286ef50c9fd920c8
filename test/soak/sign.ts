import { createHmac } from 'node:crypto';
import type { Connection } from '../../functions/connections.ts';
import { signHubspot, signZendesk } from '../../samples/delivery.ts';

type Delivery = { secret: string; body: string; at: number; url: string };

/**
 * Signs a delivery by the vendor's formula and not by the connection's settings, so that a wrong setting is noticed.
 */
export function signDelivery(
  { crm }: Connection,
  { secret, body, at, url }: Delivery,
): Record<string, string> {
  if (crm === 'zendesk') return signZendesk({ secret, body, at });
  if (crm === 'hubspot') return signHubspot({ secret, body, at, url });
  return { 'x-signature': createHmac('sha256', secret).update(body).digest('hex') };
}
