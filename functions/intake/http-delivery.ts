import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Connection } from '../connections.ts';
import type { Delivery } from '../delivery.ts';
import type { Refusal } from '../refusal.ts';
import { isAllowedSource } from './source.ts';

/** Only deliveries by POST are read. */
export const NOT_POST: Refusal = { code: 'method_not_allowed', detail: 'Send webhooks by POST.' };

const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Converts API Gateway's event to a delivery. The URL is the API's own and never one that a header claims. It ends
 * with a slash if the request's path did.
 *
 * @param publicUrl the URL that the CRM calls instead, if it is not the API's own
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function toDelivery(event: APIGatewayProxyEventV2, publicUrl?: string): Delivery {
  const { body = '', headers, isBase64Encoded, rawPath, rawQueryString, requestContext } = event;
  const slash = rawPath.endsWith('/') && !publicUrl?.endsWith('/') ? '/' : '';
  const address = publicUrl ? `${publicUrl}${slash}` : `https://${requestContext.domainName}${rawPath}`;
  return {
    method: requestContext.http.method.toUpperCase(),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value ?? '']),
    ),
    url: rawQueryString ? `${address}?${rawQueryString}` : address,
    rawQuery: rawQueryString,
    body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
    sourceIp: requestContext.http.sourceIp,
  };
}

/**
 * Makes the checks that need no secret: method, encoding, size and source, in this order.
 *
 * @param confirmsBy the method of the vendor's handshakes, if they come by another one than deliveries
 */
export function screen(
  { allowedSources }: Pick<Connection, 'allowedSources'>,
  { method, headers, body, sourceIp }: Delivery,
  confirmsBy?: string,
): Refusal | undefined {
  if (method !== 'POST' && method !== confirmsBy) return NOT_POST;
  const encoding = headers['content-encoding'] || 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    return { code: 'body_compressed', detail: 'The body is compressed. Send it uncompressed.' };
  }
  if (body.length > MAX_BODY_BYTES) {
    return { code: 'body_too_large', detail: 'The body is larger than 1 MiB.' };
  }
  if (allowedSources && !isAllowedSource(allowedSources, sourceIp)) {
    return {
      code: 'source_not_allowed',
      detail: "This IP address is not in the connection's allowed sources.",
    };
  }
  return undefined;
}
