import { createHmac } from 'node:crypto';
import type { HmacSettings } from './schemes/scheme.ts';

/** The name of the canary's connection. Synth refuses it for a connection of the user. */
export const CANARY = 'canary';

/** PolyAI makes its own ids, and none of them begins like this. */
const ID_PREFIX = 'polyai-chat-closer-canary-';

/** How the canary's deliveries are verified. The signed time tells one run from another. */
export const CANARY_PROOF: HmacSettings = {
  scheme: 'hmac',
  header: 'x-canary-signature',
  algorithm: 'sha256',
  encoding: 'hex',
  signed: '{timestamp}.{body}',
  timestampHeader: 'x-canary-timestamp',
  timestampUnit: 's',
  toleranceSeconds: 300,
};

/**
 * What the canary's connection reads: only ids that no chat has. So nobody can close a chat with its secret, even if
 * it leaks.
 */
export const CANARY_SELECTORS = {
  conversationId: 'body.conversation_id',
  finishedWhen: `starts_with(body.conversation_id, '${ID_PREFIX}')`,
} as const;

/** The id of a conversation that cannot exist; it names the run. */
export function canaryConversationId(runId: string): string {
  return `${ID_PREFIX}${runId}`;
}

/**
 * A delivery as the canary's connection accepts it.
 *
 * @param now Unix milliseconds
 */
export function canaryDelivery(
  signingSecret: string,
  conversationId: string,
  now: number,
): { headers: Record<string, string>; body: string } {
  const body = JSON.stringify({ conversation_id: conversationId });
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', signingSecret).update(`${timestamp}.${body}`).digest('hex');
  return {
    headers: {
      'content-type': 'application/json',
      'x-canary-timestamp': timestamp,
      'x-canary-signature': signature,
    },
    body,
  };
}
