import { createHmac, timingSafeEqual } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';

/** The two calls to AWS. */
type Aws = {
  readSecret(id: string): Promise<string>;
  send(queueUrl: string, body: string): Promise<void>;
};

/**
 * The shortest receiver of Zendesk's webhooks that is still one: it verifies, queues, writes a line and answers. It has
 * no rotation, no limits, no other CRM.
 */
export function createReceiver({ readSecret, send }: Aws) {
  let secret: Promise<string> | undefined;
  return async function handler(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
    secret ??= readSecret('secret');
    const { signingSecret } = JSON.parse(await secret);
    const { headers, body = '' } = event;
    const time = headers['x-zendesk-webhook-signature-timestamp'] ?? '';
    const expected = createHmac('sha256', signingSecret).update(time).update(body).digest();
    const given = Buffer.from(headers['x-zendesk-webhook-signature'] ?? '', 'base64');
    const isRecent = Math.abs(Date.now() - Date.parse(time)) < 300_000;
    if (!isRecent || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      return { statusCode: 401 };
    }
    const { type, detail } = JSON.parse(body);
    const conversationId = detail.external_id;
    if (type === 'zen:event-type:ticket.status_changed' && detail.status === 'SOLVED') {
      await send(process.env.CLOSE_QUEUE_URL ?? '', JSON.stringify({ conversationId }));
    }
    process.stdout.write(`${JSON.stringify({ type: 'delivery', conversationId })}\n`);
    return { statusCode: 200, body: '{"accepted":1}' };
  };
}
