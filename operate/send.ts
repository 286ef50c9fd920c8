import { randomBytes, randomUUID } from 'node:crypto';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { VerifySettings } from '../functions/schemes/scheme.ts';
import { parseSecret, SecretNotReady } from '../functions/secrets.ts';
import { isOnBus } from '../infra/config/bus.ts';
import type { ConnectionConfiguration } from '../infra/config/load.ts';
import {
  type Sample,
  signDelivery,
  type Unsent,
  unfinishedDelivery,
  unsentDelivery,
} from '../samples/sample-delivery.ts';
import { reachableUrl, signedUrl } from './address.ts';
import type { Aws } from './aws.ts';
import type { Deployment } from './deployment.ts';
import { OperatorError } from './error.ts';
import { followCloses, followLines } from './follow.ts';
import type { LoggedLine } from './lines.ts';
import { requireName } from './project.ts';
import type { Surroundings } from './surroundings.ts';

export type SendOptions = {
  /** The conversation to close. Absent: one that cannot exist. */
  conversationId?: string;
  /** Signs with a secret that is made up. */
  forge?: boolean;
  notFinished?: boolean;
  /** The body to send instead of the CRM's example. */
  body?: string;
};

/** What came of a delivery. */
export type Sent = {
  requestId?: string;
  /** The HTTP status of the answer. */
  status: number;
  /** The answer's body: JSON where it is JSON. */
  answer: unknown;
  conversationId: string;
  /** The adapter's line of the delivery, if it came in time. */
  delivery?: LoggedLine;
  /** The outcome of the close, if the delivery asked for one. */
  outcome?: string;
  /** Whether the answer was the expected one. */
  isExpected: boolean;
};

type Parts = Pick<Aws, 'logs' | 'secretsManager'> &
  Pick<Surroundings, 'now' | 'progress' | 'signal' | 'sleep'>;

const FOLLOW_MS = 60_000;
const ANSWER_MS = 30_000;

/**
 * Sends a delivery to a deployed connection as its CRM would, and follows it to its outcome.
 *
 * @throws {OperatorError} when only the vendor can send to the connection, or its secret is not ready
 */
export async function send(
  name: string,
  options: SendOptions,
  deployment: Deployment,
  parts: Parts,
): Promise<Sent> {
  const connection = requireSendable(name, deployment);
  const conversationId = options.conversationId ?? madeUpConversation();
  const sample = await prepareDelivery(name, connection, options, conversationId, deployment, parts);
  const from = parts.now();
  const response = await fetch(sample.url, {
    method: 'POST',
    headers: sample.headers,
    body: sample.body,
    redirect: 'manual',
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const answer = parsed(await response.text());
  const delivery = await findDelivery(name, answer, conversationId, from, deployment, parts);
  const requestId = requestIdOf(answer) ?? textOf(delivery?.request_id);
  const closes =
    delivery && Number(delivery.accepted) > 0 && requestId !== undefined ? Number(delivery.accepted) : 0;
  const groups = [deployment.logGroups.close];
  const [line] =
    closes > 0
      ? await followCloses(requestId ?? '', closes, { groups, from, timeoutMs: FOLLOW_MS }, parts)
      : [];
  const outcome = textOf(line?.outcome);
  return {
    ...(requestId && { requestId }),
    status: response.status,
    answer,
    conversationId,
    ...(delivery && { delivery }),
    ...(outcome && { outcome }),
    isExpected: isExpected(options, response.status, delivery),
  };
}

/** PolyAI makes its own ids, and none of them begins like this. */
function madeUpConversation(): string {
  return `polyai-chat-closer-test-${randomUUID()}`;
}

/**
 * @returns the connection's configuration
 * @throws {OperatorError} when the connection is unknown, or has no address
 */
export function requireSendable(name: string, deployment: Deployment): ConnectionConfiguration {
  requireName('connections', name, deployment);
  const connection = deployment.configuration.connections[name] as ConnectionConfiguration;
  if (!isOnBus(connection.crm)) return connection;
  throw new OperatorError(
    `${name} gets its events from an EventBridge bus, so there is no address to send to. Only ${connection.crm === 'eventbridge' ? 'whoever may put events on its bus' : 'the vendor'} can send one. Resolve a test ticket, and watch: npx --no chat-closer listen ${name}`,
  );
}

/**
 * Makes the delivery that `send` sends, signed with the connection's secret, or with `forge` by a secret that is made up.
 *
 * @throws {OperatorError} when no example can be made, only the vendor can sign, or the secret is not ready
 */
export async function prepareDelivery(
  name: string,
  connection: ConnectionConfiguration,
  options: SendOptions,
  conversationId: string,
  { outputs, secrets }: Deployment,
  { secretsManager }: Pick<Parts, 'secretsManager'>,
): Promise<Sample> {
  const address = `${outputs.WebhooksUrl}/${name}`;
  const url = { reachable: reachableUrl(address), signed: connection.publicUrl ?? signedUrl(address) };
  const unsent = unsentOf(name, connection, options, conversationId);
  if (options.forge) return forged(url, connection.verify, unsent);
  const secret = await readSecret(secrets.connections[name], secretsManager);
  const sample = signDelivery(url, connection.verify, secret, unsent);
  if (sample) return sample;
  throw new OperatorError(
    `Only the vendor can sign a delivery of ${connection.crm}: the stack has the key that verifies, not the one that signs. Resolve a test ticket, and watch: npx --no chat-closer listen ${name}. With --forge a wrong signature is sent.`,
  );
}

function unsentOf(
  name: string,
  connection: ConnectionConfiguration,
  { body, notFinished }: SendOptions,
  conversationId: string,
): Unsent {
  const example = (notFinished ? unfinishedDelivery : unsentDelivery)(connection, conversationId);
  if (body !== undefined) return { text: body, headers: example?.headers ?? {}, query: example?.query ?? '' };
  if (example) return example;
  throw new OperatorError(
    `No ${notFinished ? 'unfinished ' : ''}example can be made for the settings of ${name}. Send a body of your own with --body FILE.`,
  );
}

/** A delivery of the right form, whose proof was made without the secret. */
function forged(url: { reachable: string; signed: string }, verify: VerifySettings, unsent: Unsent): Sample {
  const sample = signDelivery(url, verify, madeUpSecret(verify), unsent);
  if (sample) return sample;
  const headers = { 'content-type': 'application/json', ...unsent.headers };
  const wrong = randomBytes(256).toString('base64');
  const proof = 'header' in verify ? { [verify.header]: wrong } : {};
  const query = unsent.query ? `?${unsent.query}` : '';
  return {
    url: `${url.reachable}${query}`,
    headers: { ...headers, ...proof },
    body: unsent.text,
    own: unsent,
  };
}

/** A secret of the right shape that nobody has stored. */
function madeUpSecret(verify: VerifySettings): Record<string, string> {
  const bytes = randomBytes(32);
  const encoding = verify.scheme === 'hmac' ? (verify.keyEncoding ?? 'text') : 'text';
  const signingSecret =
    verify.scheme === 'standard-webhooks'
      ? `whsec_${bytes.toString('base64')}`
      : bytes.toString(encoding === 'text' ? 'hex' : encoding);
  const token = bytes.toString('hex');
  return { signingSecret, token, username: 'webhook', password: token };
}

async function readSecret(
  SecretId: string | undefined,
  secretsManager: Parts['secretsManager'],
): Promise<Record<string, string | string[]>> {
  if (SecretId === undefined) return {};
  const { SecretString = '' } = await secretsManager.send(new GetSecretValueCommand({ SecretId }));
  try {
    return parseSecret(SecretString) as Record<string, string | string[]>;
  } catch (error) {
    if (!(error instanceof SecretNotReady)) throw error;
    throw new OperatorError(`The secret ${SecretId} cannot be used: ${error.message}.`);
  }
}

/** The adapter's line of our own delivery: by the answer's request id, or by the conversation that nobody else names. */
async function findDelivery(
  name: string,
  answer: unknown,
  conversationId: string,
  from: number,
  { logGroups }: Deployment,
  parts: Parts,
): Promise<LoggedLine | undefined> {
  const requestId = requestIdOf(answer);
  const texts = requestId === undefined ? [conversationId, name] : [requestId];
  const follow = { groups: [logGroups.receive], texts, from, timeoutMs: FOLLOW_MS };
  for await (const line of followLines(follow, parts)) {
    if (line.type !== 'delivery' || line.connection !== name) continue;
    const isOwn =
      requestId === undefined ? Date.parse(line.at) >= from - 1000 : line.request_id === requestId;
    if (isOwn) return line;
  }
  return undefined;
}

function isExpected(
  { forge, notFinished }: SendOptions,
  status: number,
  delivery: LoggedLine | undefined,
): boolean {
  if (forge) return status === 401;
  const isGood = status >= 200 && status < 300;
  const asked = Number(delivery?.accepted ?? 0) + Number(delivery?.would_close ?? 0);
  return isGood && (notFinished ? asked === 0 : asked > 0);
}

function requestIdOf(answer: unknown): string | undefined {
  return typeof answer === 'object' && answer !== null && 'requestId' in answer
    ? textOf(answer.requestId)
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
