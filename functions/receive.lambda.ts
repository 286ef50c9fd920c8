import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as configured from '#configured';
import { secrets, sqs } from './aws.ts';
import type { WebhookConnection } from './bound-connection.ts';
import { queueCloses } from './close-queue.ts';
import type { CloseRequest } from './close-request.ts';
import type { OwnAnswer } from './crm/crm.ts';
import { type Content, type Delivery, readContent } from './delivery.ts';
import { ENVIRONMENT } from './environment.ts';
import { ownAnswer, refusalAnswer, successAnswer } from './intake/answer.ts';
import { deliveryLine } from './intake/delivery-line.ts';
import { ask, type Demand, MAX_CLOSES, readDelivery } from './intake/read-delivery.ts';
import { createReplayMemory, deliveryKey, isTellingApart, type Queued } from './intake/replay-memory.ts';
import { isAllowedSource } from './intake/source.ts';
import { faultLine, type Line, writeLine } from './log.ts';
import { UnreadableBody } from './parse-body.ts';
import { REFUSALS } from './refusal.ts';
import { identify, type Refusal, verifyDelivery } from './schemes/scheme.ts';
import { readStoredValues, withoutVersion } from './secret-value.ts';
import { parseSecret, SecretNotReady, type SecretReader, SecretUnavailable } from './secrets.ts';

export type ReceiveParts = {
  connections: Record<string, WebhookConnection>;
  secrets: SecretReader;
  /** Resolves once every close is queued. */
  queue: (requests: CloseRequest[]) => Promise<void>;
  writeLine: (line: Line) => void;
  /** Unix milliseconds. */
  now: () => number;
};

/** Why a delivery is refused, what it asks for, or what a handshake is answered. */
type Result = { refusal?: Refusal; demand?: Demand; answer?: OwnAnswer; queued?: Queued | undefined };

/** What was read, and whether a delivery of the same bytes asks for the same once more. */
type Read = { demand: Demand; isOnce: boolean };

const MAX_BODY_BYTES = 1024 * 1024;
const WRONG_FORM = 'The body is not in the form and encoding that it should have.';
/** These may only mean that the secret was changed since it was cached. */
const WORTH_ANOTHER_LOOK = new Set(['signature_mismatch', 'credential_mismatch', 'secret_not_ready']);

/**
 * The way in for webhooks: proves a delivery genuine, reads what it asks for, queues that, and only then
 * answers 200. The order of the checks is fixed: no secret is read for a delivery that could not be taken
 * anyway, and nothing of a delivery is parsed before it is proven.
 */
export function createReceive(parts: ReceiveParts) {
  const { connections, secrets, queue, writeLine, now } = parts;
  const memory = createReplayMemory(now);

  return async function receive(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
    const startedAt = now();
    const { requestId } = event.requestContext;
    const name = (event.pathParameters?.connection ?? '').replace(/\/$/, '');
    const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
    const result = await take(connection, name, event);
    const { refusal, demand, queued } = result;
    const repeated = queued?.repeated || undefined;
    const answer = refusal ? REFUSALS[refusal.code] : (result.answer?.status ?? 200);
    const took = now() - startedAt;
    const refused = refusal?.code;
    writeLine(deliveryLine({ requestId, name, connection, demand, answer, refused, repeated, took }));
    if (refusal) return refusalAnswer(refusal, requestId);
    if (result.answer) return ownAnswer(result.answer);
    return demand
      ? successAnswer(repeated ? { ...demand, findings: [] } : demand, queued?.requestId ?? requestId)
      : refusalAnswer({ code: 'fault', detail: '' }, requestId);
  };

  async function take(
    connection: WebhookConnection | undefined,
    name: string,
    event: APIGatewayProxyEventV2,
  ): Promise<Result> {
    if (!connection) return refuse('unknown_connection', 'No connection has this address.');
    const { requestId } = event.requestContext;
    const { preset } = connection;
    try {
      const delivery = readEvent(event, connection.publicUrl);
      const greeting = delivery.method === 'POST' ? undefined : preset.greet?.(delivery);
      if (greeting) return { answer: greeting };
      const refusal = screen(connection, delivery) ?? (await prove(connection, delivery, requestId));
      if (refusal) return { refusal };
      const confirmation = preset.confirm?.(delivery);
      if (confirmation) return { answer: confirmation };
      const read = readDemand(connection, delivery);
      if ('refusal' in read) return read;
      const { demand } = read;
      const key = read.isOnce
        ? deliveryKey(name, identify(connection, delivery), demand.findings)
        : undefined;
      const { refusal: notQueued, queued } = await enqueue(connection, name, demand, requestId, key);
      if (notQueued) return { refusal: notQueued, demand };
      return { demand, queued, ...(preset.acknowledgement && { answer: preset.acknowledgement }) };
    } catch (error) {
      writeLine(faultLine(requestId, 'receive', error));
      return refuse('fault');
    }
  }

  async function prove(
    connection: WebhookConnection,
    delivery: Delivery,
    requestId: string,
  ): Promise<Refusal | undefined> {
    const { secretId } = connection;
    if (secretId === undefined) return checkByPublishedKeys(connection, delivery, requestId);
    try {
      const seen = await secrets.read(secretId);
      const refusal = await check(connection, delivery, seen);
      if (!refusal || !WORTH_ANOTHER_LOOK.has(refusal.code)) return refusal;
      const changed = await secrets.readAgain(secretId, seen);
      const second = changed === seen ? refusal : await check(connection, delivery, changed);
      if (second?.code === 'secret_not_ready') {
        writeLine(faultLine(requestId, 'receive: secret', new SecretNotReady(second.detail)));
      }
      return second;
    } catch (error) {
      if (!(error instanceof SecretUnavailable)) throw error;
      writeLine(faultLine(requestId, 'receive: secret', error));
      return { code: 'secrets_unavailable', detail: '' };
    }
  }

  /** Without a secret: what may be missing are the vendor's keys. */
  async function checkByPublishedKeys(
    connection: WebhookConnection,
    delivery: Delivery,
    requestId: string,
  ): Promise<Refusal | undefined> {
    const refusal = await check(connection, delivery, '{}');
    if (refusal?.code === 'secrets_unavailable') {
      writeLine(faultLine(requestId, 'receive: keys', new SecretUnavailable(refusal.detail)));
    }
    return refusal;
  }

  async function check(
    connection: WebhookConnection,
    delivery: Delivery,
    text: string,
  ): Promise<Refusal | undefined> {
    try {
      const secret = parseSecret(text);
      // As they will be read, so that no way of writing one hides it.
      const signingSecrets = readStoredValues('signingSecret', secret.signingSecret).map(withoutVersion);
      if (connection.preset.publicSecrets?.some((known) => signingSecrets.includes(known))) {
        throw new SecretNotReady(
          'it holds the public test secret of the vendor: store the one of your webhook',
        );
      }
      return await verifyDelivery(connection, secret, delivery, now());
    } catch (error) {
      if (!(error instanceof SecretNotReady)) throw error;
      return { code: 'secret_not_ready', detail: `secret ${connection.secretId}: ${error.message}` };
    }
  }

  function readDemand(connection: WebhookConnection, delivery: Delivery): Read | { refusal: Refusal } {
    const { preset } = connection;
    let content: Content;
    try {
      content = readContent(delivery, preset.parse, connection);
    } catch (error) {
      return refuse(
        'body_unreadable',
        error instanceof UnreadableBody ? `The body ${error.message}.` : WRONG_FORM,
      );
    }
    if (connection.sender && preset.isFrom && !preset.isFrom(connection.sender, content)) {
      return refuse('sender_mismatch', 'The delivery is from another account than this connection is for.');
    }
    const demand = readDelivery(preset, connection, content, now());
    if (demand.findings.length <= MAX_CLOSES) {
      const { moment } = identify(connection, delivery);
      const isOnce = moment !== undefined || isTellingApart(preset, connection, content);
      return { demand, isOnce: isOnce && demand.findings.length > 0 };
    }
    return refuse('too_many_conversations', `One delivery can close ${MAX_CLOSES} conversations at most.`);
  }

  async function enqueue(
    { project, crm }: WebhookConnection,
    connection: string,
    { findings }: Demand,
    requestId: string,
    key: string | undefined,
  ): Promise<Result> {
    try {
      const queueAll = () =>
        queue(
          findings.map((finding) => ({
            v: 1,
            requestId,
            source: 'webhook',
            project,
            connection,
            crm,
            ...ask(finding, now()),
          })),
        );
      if (key !== undefined) return { queued: await memory.once(key, requestId, queueAll) };
      await queueAll();
      return {};
    } catch (error) {
      writeLine(faultLine(requestId, 'receive: queue', error));
      return refuse('queue_unavailable');
    }
  }
}

/**
 * API Gateway's event as a delivery. The address is the API's own, never one that a header claims, with a slash
 * at its end where it was called with one.
 *
 * @param publicUrl what the CRM calls instead, where that is another one
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
function readEvent(event: APIGatewayProxyEventV2, publicUrl?: string): Delivery {
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

/** What can be refused without the secret. */
function screen(
  { allowedSources }: WebhookConnection,
  { method, headers, body, sourceIp }: Delivery,
): Refusal | undefined {
  if (method !== 'POST') return { code: 'method_not_allowed', detail: 'Webhooks are sent by POST.' };
  const encoding = headers['content-encoding'] || 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    return { code: 'body_compressed', detail: 'The body is compressed. Send it as it is.' };
  }
  if (body.length > MAX_BODY_BYTES)
    return { code: 'body_too_large', detail: 'The body is larger than 1 MiB.' };
  if (allowedSources && !isAllowedSource(allowedSources, sourceIp)) {
    return { code: 'source_not_allowed', detail: 'This connection takes no deliveries from this address.' };
  }
  return undefined;
}

function refuse(code: Refusal['code'], detail = ''): { refusal: Refusal } {
  return { refusal: { code, detail } };
}

await secrets.readAhead(Object.values(configured.connections).flatMap(({ secretId }) => secretId ?? []));

export const handler = createReceive({
  connections: configured.connections,
  secrets,
  queue: (requests) => queueCloses(sqs, process.env[ENVIRONMENT.closeQueueUrl] ?? '', requests),
  writeLine,
  now: Date.now,
});
