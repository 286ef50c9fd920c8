import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { needsSecret } from '../../infra/config/preset.ts';
import { cardOf } from '../../operate/card/card.ts';
import { type Capture, parseCapture } from '../../operate/explain/capture.ts';
import { type Explanation, explainDelivery } from '../../operate/explain/explain.ts';
import { subjectOf } from '../../operate/explain/subject.ts';
import { OVER } from '../../operate/why/causes.ts';
import { why } from '../../operate/why/why.ts';
import { curlLine } from '../../samples/sample-delivery.ts';
import type { Call } from '../polyai-stand-in.ts';
import type { ConsoleParts } from './parts.ts';
import { type Entry, viewOf } from './record.ts';
import type { Attempt, Mark, Story } from './view.ts';

const CLOCK_SKEW_MS = 60_000;
const SECRET_HEADERS = ['x-api-key', 'x-token'];

/** Tells everything about one delivery, with the code of the commands `why` and `explain`. */
export async function tell(entry: Entry, parts: ConsoleParts): Promise<Story> {
  const { request, connection: name, answer } = entry;
  const connection = parts.deployment.configuration.connections[name];
  const explanation = request && (await explain(name, captureOf(request), entry.at, parts));
  const verdict = await verdictOf(entry, parts);
  const card = connection && cardOf(name, connection);
  const accepted = entry.lines.find(({ type, accepted }) => type === 'delivery' && Number(accepted) > 0);
  return {
    delivery: viewOf(entry),
    ...(verdict && { verdict }),
    ...(request && {
      request: { url: request.url, headers: Object.entries(request.headers), body: request.body },
      curl: curlLine(request),
    }),
    steps: (explanation?.steps ?? []).map(({ step, ok, sentence }) => ({ step, mark: markOf(ok), sentence })),
    selectors: { conversationId: card?.idField ?? '', finished: card?.finished ?? '' },
    ...(answer && { answer }),
    ...(accepted && { message: messageOf(accepted) }),
    attempts: attemptsOf(entry, parts),
    lines: entry.lines.map(({ seenAt: _seenAt, service: _service, ...line }) => line),
  };
}

/**
 * Explains a delivery with the connection's local secret.
 *
 * @param at Unix milliseconds: when it was received
 */
export async function explain(
  name: string,
  capture: Capture,
  at: number,
  { deployment, aws, local }: ConsoleParts,
): Promise<Explanation> {
  const subject = subjectOf(name, deployment.configuration);
  const SecretId = deployment.secrets.connections[name];
  const secret =
    SecretId === undefined || !needsSecret(subject.connection.verify)
      ? undefined
      : await aws.secretsManager
          .send(new GetSecretValueCommand({ SecretId }))
          .then(({ SecretString = '{}' }) => JSON.parse(SecretString));
  const url = local.signedUrl(name);
  return explainDelivery(subject, capture, { ...(secret && { secret }), url, showBody: true, now: at });
}

export const explainText = (name: string, text: string, parts: ConsoleParts) =>
  explain(name, parseCapture(text), Date.now(), parts);

function captureOf({ url, headers, body }: NonNullable<Entry['request']>): Capture {
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { body, headers: Object.fromEntries(lowered), query: new URL(url).search.slice(1) };
}

async function verdictOf(entry: Entry, { deployment, aws, signal }: ConsoleParts): Promise<Story['verdict']> {
  const { requestId, lines, at } = entry;
  if (!requestId || lines.length === 0) return undefined;
  const span = { from: at - CLOCK_SKEW_MS, to: Date.now() + CLOCK_SKEW_MS };
  const parts = { ...aws, now: Date.now, progress: () => {}, signal };
  const { chats } = await why(requestId, deployment, span, parts);
  const verdict = chats[0]?.verdict;
  if (!verdict) return undefined;
  const { cause, sentence, next } = verdict;
  return { cause, sentence, ...(next && { next }), isGood: OVER.includes(cause) };
}

const markOf = (ok: boolean | null): Mark => (ok === null ? 'unknown' : ok ? 'ok' : 'bad');

/** What travels on: ids only, as the log line names them. */
function messageOf(line: Record<string, unknown>): Record<string, unknown> {
  const { request_id, connection, crm, conversation_ids, shared_ids, crm_ref, delivery_id } = line;
  return { request_id, connection, crm, conversation_ids, shared_ids, crm_ref, delivery_id };
}

function attemptsOf({ conversationId, at }: Entry, { standIn }: ConsoleParts): Attempt[] {
  if (!conversationId || !standIn) return [];
  const isAbout = (call: Call) => call.at >= at && call.body.includes(JSON.stringify(conversationId));
  return standIn.calls.filter(isAbout).map((call) => ({
    at: call.at,
    request: [
      `${call.method} ${call.path}`,
      ...Object.entries(call.headers).map(
        ([name, value]) => `${name}: ${SECRET_HEADERS.includes(name) ? '(hidden)' : value}`,
      ),
    ].join('\n'),
    body: call.body,
    status: call.status,
    answer: call.answer === undefined ? '' : JSON.stringify(call.answer),
  }));
}
