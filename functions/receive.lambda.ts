import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as configured from '#configured';
import { getSecretValue } from './aws/get-secret-value.ts';
import { sendMessageBatch } from './aws/send-message-batch.ts';
import type { WebhookConnection } from './bound-connection.ts';
import { sendCloses } from './close-batches.ts';
import type { CloseRequest } from './close-request.ts';
import type { Crm, OwnAnswer } from './crm/crm.ts';
import { type Content, type Delivery, readContent } from './delivery.ts';
import { ENVIRONMENT } from './environment.ts';
import { ownAnswer, refusalAnswer, successAnswer } from './intake/answer.ts';
import { deliveryLine } from './intake/delivery-line.ts';
import { NOT_POST, screen, toDelivery } from './intake/http-delivery.ts';
import { MAX_CLOSES, type ReadResult, readDelivery, toRequestFields } from './intake/read-delivery.ts';
import {
  createReplayMemory,
  deliveryKey,
  distinguishesFinishes,
  type Queued,
} from './intake/replay-memory.ts';
import { faultLine, type Line, writeLine } from './log.ts';
import { UnreadableBody } from './parse-body.ts';
import type { Refusal, Verdict } from './refusal.ts';
import { identify, verifyDelivery, verifyingValues } from './schemes/scheme.ts';
import { readStoredValues, withoutVersion } from './secret-value.ts';
import {
  createSecretReader,
  parseSecret,
  SecretNotReady,
  type SecretReader,
  SecretUnavailable,
} from './secrets.ts';

export type ReceiveParts = {
  connections: Record<string, WebhookConnection>;
  secrets: SecretReader;
  /** Resolves once every close is queued. */
  queue: (requests: CloseRequest[]) => Promise<void>;
  writeLine: (line: Line) => void;
  /** Unix milliseconds. */
  now: () => number;
};

/** A refused delivery has `read` only if it was refused after it was read. */
type Result =
  | { kind: 'refused'; refusal: Refusal; read?: ReadResult }
  | { kind: 'answered'; answer: OwnAnswer; read?: undefined }
  | { kind: 'rehearsed'; read: ReadResult; answer?: OwnAnswer }
  | { kind: 'queued'; queued: Queued; read: ReadResult; answer?: OwnAnswer };

/** The cached secret may be out of date when one of these is the result. */
const WORTH_READING_AGAIN = new Set(['signature_mismatch', 'credential_mismatch', 'secret_not_ready']);

/**
 * Receives webhooks: verifies a delivery, reads what it asks for, queues that, and only then answers 200. The
 * order of the checks is fixed: no secret is read for a delivery that is refused anyway, and nothing of a delivery
 * is parsed before it is verified.
 */
export function createReceive(parts: ReceiveParts) {
  const { connections, secrets, queue, writeLine, now } = parts;
  const memory = createReplayMemory(now);

  return async function receive(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
    const startedAt = now();
    const { requestId, timeEpoch } = event.requestContext;
    const name = (event.pathParameters?.connection ?? '').replace(/\/$/, '');
    const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
    const result = await take(connection, name, event);
    const answer = toAnswer(result, requestId);
    const answeredAt = now();
    writeLine(
      deliveryLine({
        requestId,
        name,
        connection,
        read: result.read,
        // The clocks of API Gateway and Lambda may differ.
        answer: { status: answer.statusCode, ms: Math.max(0, answeredAt - timeEpoch) },
        refused: result.kind === 'refused' ? result.refusal.code : undefined,
        repeated: (result.kind === 'queued' && result.queued.repeated) || undefined,
        tookMs: answeredAt - startedAt,
      }),
    );
    return answer;
  };

  async function take(
    connection: WebhookConnection | undefined,
    name: string,
    event: APIGatewayProxyEventV2,
  ): Promise<Result> {
    if (!connection) return refused('unknown_connection', 'No connection has this address.');
    const { requestId } = event.requestContext;
    const { preset } = connection;
    try {
      const delivery = toDelivery(event, connection.publicUrl);
      const greeting = delivery.method === 'POST' ? undefined : preset.greet?.(delivery);
      if (greeting) return { kind: 'answered', answer: greeting };
      const refusal =
        screen(connection, delivery, preset.confirmsBy) ?? (await verify(connection, delivery, requestId));
      if (refusal) return { kind: 'refused', refusal };
      const confirmation = await confirm(connection, delivery);
      if (confirmation) return confirmation;
      const content = readBody(connection, delivery);
      if ('code' in content) return { kind: 'refused', refusal: content };
      const read = readDelivery(preset, connection, content, now());
      if (read.closes.length > MAX_CLOSES) {
        return refused(
          'too_many_conversations',
          `One delivery can close at most ${MAX_CLOSES} conversations.`,
        );
      }
      const own = acknowledge(preset, content);
      if (connection.rehearse) return { kind: 'rehearsed', read, ...own };
      const key = replayKey(connection, name, delivery, content, read);
      const queued = await enqueue(connection, name, read, requestId, key);
      if ('code' in queued) return { kind: 'refused', refusal: queued, read };
      return { kind: 'queued', queued, read, ...own };
    } catch (error) {
      writeLine(faultLine(requestId, 'receive', error));
      return refused('fault');
    }
  }

  /** Verifies a delivery with the connection's secret, and again if the secret has changed since it was cached. */
  async function verify(
    connection: WebhookConnection,
    delivery: Delivery,
    requestId: string,
  ): Promise<Verdict> {
    const { secretId } = connection;
    if (secretId === undefined) return verifyByPublishedKeys(connection, delivery, requestId);
    try {
      const seen = await secrets.read(secretId);
      const verdict = await verifyWith(seen, connection, delivery);
      if (!verdict || !WORTH_READING_AGAIN.has(verdict.code)) return verdict;
      const changed = await secrets.readAgain(secretId, seen);
      const last = changed === seen ? verdict : await verifyWith(changed, connection, delivery);
      if (last?.code === 'secret_not_ready') {
        writeLine(faultLine(requestId, 'receive: secret', new SecretNotReady(last.detail)));
      }
      return last;
    } catch (error) {
      if (!(error instanceof SecretUnavailable)) throw error;
      writeLine(faultLine(requestId, 'receive: secret', error));
      return { code: 'secrets_unavailable', detail: '' };
    }
  }

  /** Verifies a delivery of a connection without a secret, whose vendor publishes its keys. */
  async function verifyByPublishedKeys(
    connection: WebhookConnection,
    delivery: Delivery,
    requestId: string,
  ): Promise<Verdict> {
    const verdict = await verifyWith('{}', connection, delivery);
    if (verdict?.code === 'secrets_unavailable') {
      writeLine(faultLine(requestId, 'receive: keys', new SecretUnavailable(verdict.detail)));
    }
    return verdict;
  }

  async function verifyWith(
    secretText: string,
    connection: WebhookConnection,
    delivery: Delivery,
  ): Promise<Verdict> {
    try {
      return await verifyDelivery(connection, parseOnce(connection, secretText), delivery, now());
    } catch (error) {
      if (!(error instanceof SecretNotReady)) throw error;
      return { code: 'secret_not_ready', detail: `secret ${connection.secretId}: ${error.message}` };
    }
  }

  /** Answers a verified handshake. The answer may need the value of the secret with which it was verified. */
  async function confirm(connection: WebhookConnection, delivery: Delivery): Promise<Result | undefined> {
    const { preset, secretId } = connection;
    if (!preset.confirm) return undefined;
    const secret = secretId === undefined ? {} : parseSecret(await secrets.read(secretId));
    const values = await verifyingValues(connection, secret, delivery, now());
    const answer = preset.confirm(delivery, values);
    if (!answer) return delivery.method === 'POST' ? undefined : { kind: 'refused', refusal: NOT_POST };
    return 'code' in answer ? { kind: 'refused', refusal: answer } : { kind: 'answered', answer };
  }

  function readBody(connection: WebhookConnection, delivery: Delivery): Content | Refusal {
    const { preset, sender } = connection;
    let content: Content;
    try {
      content = readContent(delivery, preset.parse, connection);
    } catch (error) {
      return { code: 'body_unreadable', detail: explainUnreadable(error) };
    }
    if (!sender || !preset.isFrom || preset.isFrom(sender, content)) return content;
    const detail = 'The delivery comes from a different account than this connection accepts.';
    return { code: 'sender_mismatch', detail };
  }

  /** The key by which a repeat is recognised; `undefined` if two different deliveries could have the same one. */
  function replayKey(
    connection: WebhookConnection,
    name: string,
    delivery: Delivery,
    content: Content,
    { closes }: ReadResult,
  ): string | undefined {
    if (closes.length === 0) return undefined;
    const identity = identify(connection, delivery);
    const isUnique =
      identity.moment !== undefined || distinguishesFinishes(connection.preset, connection, content);
    return isUnique ? deliveryKey(name, identity, closes) : undefined;
  }

  async function enqueue(
    { project, crm, canary }: WebhookConnection,
    connection: string,
    { closes }: ReadResult,
    requestId: string,
    key: string | undefined,
  ): Promise<Queued | Refusal> {
    const mark = canary && { canary };
    const base = { v: 1, requestId, source: 'webhook', project, connection, crm, ...mark } as const;
    const queueAll = () => queue(closes.map((close) => ({ ...base, ...toRequestFields(close, now()) })));
    try {
      if (key !== undefined) return await memory.once(key, requestId, queueAll);
      await queueAll();
      return { requestId, repeated: false };
    } catch (error) {
      writeLine(faultLine(requestId, 'receive: queue', error));
      return { code: 'queue_unavailable', detail: '' };
    }
  }
}

/** The secret of each connection as it was parsed last. */
const parsedSecrets = new WeakMap<WebhookConnection, { text: string; secret: Record<string, unknown> }>();

/** Parses a connection's secret, unless it is the same as last time. @throws {SecretNotReady} */
function parseOnce(connection: WebhookConnection, text: string): Record<string, unknown> {
  const known = parsedSecrets.get(connection);
  if (known?.text === text) return known.secret;
  const secret = parseSecret(text);
  // Compared in the form in which the scheme reads them, so that no spelling hides a public one.
  const signingSecrets = readStoredValues('signingSecret', secret.signingSecret).map(withoutVersion);
  if (connection.preset.publicSecrets?.some((each) => signingSecrets.includes(each))) {
    throw new SecretNotReady(
      'it holds the public test secret of the vendor: store the secret of your own webhook',
    );
  }
  parsedSecrets.set(connection, { text, secret });
  return secret;
}

function refused(code: Refusal['code'], detail = ''): Result {
  return { kind: 'refused', refusal: { code, detail } };
}

/** The vendor's own answer, if it prescribes one for this delivery. */
function acknowledge({ acknowledgement }: Crm, content: Content): { answer?: OwnAnswer } {
  const answer = typeof acknowledgement === 'function' ? acknowledgement(content) : acknowledgement;
  return answer ? { answer } : {};
}

function explainUnreadable(error: unknown): string {
  return error instanceof UnreadableBody
    ? `The body ${error.message}.`
    : 'The body is not valid UTF-8, or not in the format that this connection expects.';
}

/** A repeat is answered with the id of the delivery that it repeats. */
function toAnswer(result: Result, requestId: string): APIGatewayProxyStructuredResultV2 {
  if (result.kind === 'refused') return refusalAnswer(result.refusal, requestId);
  if (result.kind === 'answered') return ownAnswer(result.answer);
  const { read, answer } = result;
  if (answer) return ownAnswer(answer);
  if (result.kind === 'rehearsed') return successAnswer({ ...read, closes: [] }, requestId);
  const { queued } = result;
  return successAnswer(queued.repeated ? { ...read, closes: [] } : read, queued.requestId);
}

const secrets = createSecretReader(getSecretValue, Date.now);
await secrets.readAhead(Object.values(configured.connections).flatMap(({ secretId }) => secretId ?? []));

export const handler = createReceive({
  connections: configured.connections,
  secrets,
  queue: (requests) =>
    sendCloses(sendMessageBatch, process.env[ENVIRONMENT.closeQueueUrl] ?? '', requests, configured.isShared),
  writeLine,
  now: Date.now,
});
