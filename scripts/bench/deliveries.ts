import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { HmacSettings, JwtSettings } from '../../functions/schemes/scheme.ts';
import type { ConnectionConfiguration } from '../../infra/config/load.ts';
import { apiGatewayEvent, prove, zendeskEvent } from '../../samples/delivery.ts';
import { CONVERSATION, readFixture, textOf } from '../../samples/fixture.ts';
import { sampleDelivery } from '../../samples/sample-delivery.ts';
import { SECRET } from './stand-in.ts';

const HOST = 'https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com';

let count = 0;

/** The next conversation's id. Each delivery has another one, so that no receiver knows it already. */
export function nextId(): string {
  count += 1;
  return `KpQx-polyai-${count}`;
}

/**
 * The next delivery of a connection, signed now, as API Gateway passes it on.
 *
 * @throws {Error} when no delivery can be made for the connection
 */
export function nextDelivery(name: string, connection: ConnectionConfiguration): unknown {
  const url = `${HOST}/webhooks/${name}`;
  const sample = sampleDelivery({ reachable: url, signed: url }, connection, SECRET, nextId());
  if (!sample) throw new Error(`no delivery for ${name}`);
  const { headers, body } = sample;
  return apiGatewayEvent({
    connection: name,
    headers,
    body,
    query: new URL(sample.url).search.slice(1),
    arrivedAt: Date.now(),
  });
}

/** The next delivery of Zendesk, with more in it. */
export function nextLarge(name: string, verify: HmacSettings, more: object): unknown {
  const event = zendeskEvent({ externalId: nextId() });
  const body = JSON.stringify({ ...event, detail: { ...event.detail, ...more } });
  const { headers } = prove(verify, SECRET, { body, at: Date.now() });
  return apiGatewayEvent({ connection: name, headers, body, arrivedAt: Date.now() });
}

/** A function that gives the next delivery of Zoho Desk. One token serves all of them. */
export async function createZohoDeliveries(
  name: string,
  { issuer, audience, header }: JwtSettings,
  key: KeyObject,
): Promise<() => unknown> {
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', kid: 'bench' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime('1h')
    .sign(key);
  const text = textOf(readFixture('zoho-desk', 'finished.json'));
  return () =>
    apiGatewayEvent({
      connection: name,
      headers: { [header]: token },
      body: text.replaceAll(CONVERSATION, nextId()),
      arrivedAt: Date.now(),
    });
}
