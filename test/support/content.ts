import type { Connection } from '../../functions/connections.ts';
import type { Crm } from '../../functions/crm/crm.ts';
import { CRMS } from '../../functions/crm/index.ts';
import { type Content, readContent } from '../../functions/delivery.ts';
import { delivery, signTwilio } from '../../samples/delivery.ts';

type Sample = { headers?: Record<string, string>; query?: string; text: string };

/**
 * Parses a fixture or a page's sample as the receiver parses a delivery that it has verified.
 *
 * @throws {Error} when the body cannot be parsed
 */
export function contentOf(
  settings: Pick<Connection, 'crm' | 'verify' | 'format'>,
  { headers = {}, query = '', text }: Sample,
): Content {
  const { parse } = CRMS[settings.crm] as Crm;
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  // Twilio's proof is in the address, and says that the body is JSON.
  const proof = settings.verify.scheme === 'twilio' && signTwilio({ secret: 'x', body: text, url: '' }).query;
  const whole = [query, proof].filter(Boolean).join('&');
  return readContent(
    delivery({ headers: Object.fromEntries(lowered), query: whole, body: text }),
    parse,
    settings,
  );
}
