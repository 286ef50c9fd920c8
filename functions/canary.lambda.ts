import type { Context } from 'aws-lambda';
import { getSecretValue } from './aws/get-secret-value.ts';
import { canaryConversationId, canaryDelivery } from './canary-delivery.ts';
import { ENVIRONMENT } from './environment.ts';
import { valueAt } from './json.ts';
import type { CanaryLine } from './line.ts';
import { writeLine } from './log.ts';
import { readValues } from './schemes/keys.ts';
import {
  createSecretReader,
  parseSecret,
  SecretNotReady,
  type SecretReader,
  SecretUnavailable,
} from './secrets.ts';
import { SECOND_MS } from './time.ts';

export type CanaryParts = {
  /** The public address of the canary's connection. */
  url: string;
  /** Name of the secret of the canary's connection. */
  secretId: string;
  secrets: Pick<SecretReader, 'read'>;
  fetch: typeof globalThis.fetch;
  writeLine: (line: CanaryLine) => void;
  /** Unix milliseconds. */
  now: () => number;
};

/** What became of one delivery, in the fields of the canary's line. */
type Sent = Partial<
  Pick<CanaryLine, 'request_id' | 'answer' | 'accepted' | 'refused' | 'reason' | 'answer_ms'>
>;

/** API Gateway waits 30 s for the receiver, but no CRM waits longer than this. */
const TIMEOUT_MS = 10 * SECOND_MS;

/**
 * Sends one signed delivery for a conversation that cannot exist to the stack's own public address, as a CRM would.
 * It does not wait for the close: the worker's line for this conversation shows whether the whole chain works.
 */
export function createCanary({ url, secretId, secrets, fetch, writeLine, now }: CanaryParts) {
  /** Never throws: where no delivery was accepted, the line says why, and no healthy `close` line follows. */
  return async function canary(
    _event: unknown,
    { awsRequestId }: Pick<Context, 'awsRequestId'>,
  ): Promise<void> {
    const conversationId = canaryConversationId(awsRequestId);
    const startedAt = now();
    const sent = await send(conversationId);
    writeLine({
      type: 'canary',
      request_id: awsRequestId,
      conversation_id: conversationId,
      ...sent,
      took_ms: now() - startedAt,
    });
  };

  async function send(conversationId: string): Promise<Sent> {
    try {
      const [signingSecret = ''] = readValues(parseSecret(await secrets.read(secretId)), 'signingSecret');
      const sentAt = now();
      const response = await fetch(url, {
        method: 'POST',
        ...canaryDelivery(signingSecret, conversationId, sentAt),
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { ...readAnswer(response.status, await response.text()), answer_ms: now() - sentAt };
    } catch (error) {
      return { reason: describeFailure(error) };
    }
  }
}

/** Picks the fields of our own receiver. The gateway's own answers have another form. */
function readAnswer(status: number, text: string): Sent {
  const body = parse(text);
  const [requestId, accepted, code] = ['requestId', 'accepted', 'code'].map((key) => valueAt(body, key));
  return {
    ...(typeof requestId === 'string' && { request_id: requestId }),
    answer: status,
    ...(typeof accepted === 'number' && { accepted }),
    ...(typeof code === 'string' && { refused: code }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why there is no answer. The message of an error that is not ours is left out, because it could quote anything. */
function describeFailure(error: unknown): string {
  if (error instanceof SecretUnavailable) return error.message;
  if (error instanceof SecretNotReady) return `the secret of the canary is not ready: ${error.message}`;
  const { name = 'Error', cause } = (error ?? {}) as { name?: string; cause?: { code?: string } };
  if (name === 'TimeoutError') return `no answer from the stack's address within ${TIMEOUT_MS / SECOND_MS} s`;
  return `the connection to the stack's address failed: ${cause?.code ?? name}`;
}

export const handler = createCanary({
  url: process.env[ENVIRONMENT.canaryUrl] ?? '',
  secretId: process.env[ENVIRONMENT.canarySecretId] ?? '',
  secrets: createSecretReader(getSecretValue, Date.now),
  fetch,
  writeLine,
  now: Date.now,
});
