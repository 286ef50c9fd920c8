import { CRMS } from '../../functions/crm/index.ts';
import { type Content, type Delivery, readContent } from '../../functions/delivery.ts';
import { signedAt } from '../../functions/intake/event-time.ts';
import { type ReadResult, readDelivery } from '../../functions/intake/read-delivery.ts';
import type { Verdict } from '../../functions/refusal.ts';
import { SCHEMES } from '../../functions/schemes/index.ts';
import { verifyDelivery } from '../../functions/schemes/scheme.ts';
import { SecretNotReady } from '../../functions/secrets.ts';
import { toConnection } from '../../infra/config/to-connection.ts';
import type { Capture } from './capture.ts';
import { candidates, looksLikeId } from './proposal.ts';
import { describeSigned } from './signed-bytes.ts';
import type { Subject } from './subject.ts';

/** One step of what the receiver does; `ok` is null where it could not be tried. */
export type Step = {
  step: 'signature' | 'body' | 'sender' | 'finished' | 'id';
  ok: boolean | null;
  sentence: string;
};

export type Explanation = {
  /** Null: nothing was captured that could be verified, or no secret was given. */
  verified: boolean | null;
  /** The code of a refusal, or the reason to ignore the delivery. */
  reason?: string;
  finished: boolean;
  conversationId?: string;
  /** What the receiver would do; without a verification what it would do with a verified delivery. */
  would: 'close' | 'ignore' | 'refuse';
  steps: Step[];
  /** Where a value is that looks like a conversation id. */
  proposal?: { conversationId: string };
};

export type ExplainOptions = {
  /** The parsed secret of the connection; absent: the signature is not verified. */
  secret?: Record<string, unknown>;
  /** The address that the CRM called, without a query. */
  url?: string;
  /** Shows the signed bytes and the values that were found. */
  showBody?: boolean;
  /** Unix milliseconds. */
  now: number;
};

/** Explains what the receiver would do with a captured delivery, with the receiver's own code. Nothing leaves this machine. */
export async function explainDelivery(
  subject: Subject,
  capture: Capture,
  options: ExplainOptions,
): Promise<Explanation> {
  const { connection } = subject;
  const crm = CRMS[connection.crm] as (typeof CRMS)[string];
  const delivery = toDelivery(capture, options.url ?? connection.publicUrl ?? 'https://unknown.invalid/');
  const content = read(subject, delivery);
  const signature = await verify(subject, capture, delivery, content, options);
  if (!content) {
    const sentence = 'The body is not in the format that this connection expects.';
    const steps = [signature.step, { step: 'body', ok: false, sentence } as const];
    return {
      verified: signature.verified,
      reason: 'body_unreadable',
      finished: false,
      would: 'refuse',
      steps,
    };
  }
  const result = readDelivery(crm, toConnection(connection), content, options.now);
  const isForeign = connection.sender && crm.isFrom && !crm.isFrom(connection.sender, content);
  const steps = [
    signature.step,
    ...(isForeign
      ? [{ step: 'sender', ok: false, sentence: `It does not come from ${connection.sender}.` } as const]
      : []),
    finishedStep(result, subject),
    idStep(result, subject),
  ];
  const conversationId = result.closes[0]?.conversationId;
  const proposal = propose(subject, content, result, options.now);
  const refused = isForeign ? 'sender_mismatch' : signature.verified === false ? signature.reason : undefined;
  const reason = refused ?? (result.closes.length === 0 ? result.ignored[0]?.reason : signature.reason);
  return {
    verified: isForeign ? false : signature.verified,
    ...(reason && { reason }),
    finished: isFinished(result),
    ...(conversationId && { conversationId }),
    would: refused ? 'refuse' : result.closes.length > 0 ? 'close' : 'ignore',
    steps,
    ...(proposal && { proposal: { conversationId: proposal } }),
  };
}

function toDelivery({ body, headers = {}, query }: Capture, url: string): Delivery {
  return {
    method: 'POST',
    headers,
    url: query ? `${url}?${query}` : url,
    rawQuery: query,
    body: Buffer.from(body),
    sourceIp: '',
  };
}

function read({ connection }: Subject, delivery: Delivery): Content | undefined {
  try {
    return readContent(delivery, CRMS[connection.crm]?.parse, connection);
  } catch {
    return undefined;
  }
}

type Signature = { verified: boolean | null; reason?: string; step: Step };

async function verify(
  { connection }: Subject,
  capture: Capture,
  delivery: Delivery,
  content: Content | undefined,
  { secret, showBody = false, now }: ExplainOptions,
): Promise<Signature> {
  const unknown = (sentence: string): Signature => ({
    verified: null,
    step: { step: 'signature', ok: null, sentence },
  });
  const settings = connection.verify;
  if (settings.scheme === 'event-bus')
    return unknown('EventBridge’s rule proves an event. There is nothing to verify.');
  if (!capture.headers)
    return unknown('Only a body was captured, so its proof cannot be verified. Capture the headers too.');
  const signed = describeSigned(settings, delivery, showBody);
  const what = signed ? `${signed}. ` : '';
  if (!secret && SCHEMES[settings.scheme].secret !== 'none') {
    return unknown(`${what}Not verified: give the secret in a file, with --secret-file.`);
  }
  const bound = { scheme: SCHEMES[settings.scheme] as never, verify: settings };
  const verifyAt = async (time: number): Promise<Verdict> =>
    verifyDelivery(bound, secret ?? {}, delivery, time);
  try {
    const verdict = await verifyAt(now);
    const signedTime = content && signedAt(settings, content);
    // A captured delivery is always too old. Whether its signature was right then is what matters.
    if (verdict?.code === 'timestamp_stale' && signedTime !== undefined && !(await verifyAt(signedTime))) {
      const sentence = `${what}The signature is right. Signed ${new Date(signedTime).toISOString()}: by now it is too old to be accepted again.`;
      return { verified: true, reason: 'timestamp_stale', step: { step: 'signature', ok: true, sentence } };
    }
    const sentence = verdict ? `${what}${verdict.code}: ${verdict.detail}` : `${what}The proof is right.`;
    return {
      verified: verdict === undefined,
      ...(verdict && { reason: verdict.code }),
      step: { step: 'signature', ok: verdict === undefined, sentence },
    };
  } catch (error) {
    if (!(error instanceof SecretNotReady)) throw error;
    return {
      verified: false,
      reason: 'secret_not_ready',
      step: { step: 'signature', ok: false, sentence: `The secret cannot be used: ${error.message}.` },
    };
  }
}

const WITHOUT_ID = ['no_conversation_id', 'unusable_conversation_id', 'message_trimmed'];

function isFinished({ closes, ignored }: ReadResult): boolean {
  return closes.length > 0 || ignored.some(({ reason }) => WITHOUT_ID.includes(reason));
}

function finishedStep(result: ReadResult, { connection }: Subject): Step {
  const ok = isFinished(result);
  const { finishedWhen, finishedValues } = connection;
  const rule = finishedWhen
    ? `finishedWhen is ${finishedWhen}`
    : finishedValues
      ? `finished are: ${finishedValues.join(', ')}`
      : `what docs/crm/${connection.crm}.md names is finished`;
  const odd = result.ignored.find(
    ({ reason }) => reason === 'finished_not_boolean' || reason === 'test_event',
  );
  const why =
    odd?.reason === 'test_event'
      ? 'It is a test event of the CRM'
      : odd
        ? 'The selector gives neither true nor false'
        : '';
  const lookUp =
    connection.lookUp && !ok
      ? ' With lookUp the event must also prove that the ticket was not finished before.'
      : '';
  return {
    step: 'finished',
    ok,
    sentence: ok
      ? `It says that the conversation is finished (${rule}).`
      : `${why || 'It does not say that the conversation is finished'} (${rule}).${lookUp}`,
  };
}

function idStep({ closes, ignored }: ReadResult, { connection }: Subject): Step {
  const [close] = closes;
  if (close) {
    const id = close.conversationId
      ? `Conversation ${close.conversationId}`
      : `Shared id ${close.sharedId}, to be looked up`;
    const more = closes.length > 1 ? `, and ${closes.length - 1} more` : '';
    return { step: 'id', ok: true, sentence: `${id}${more}.` };
  }
  const found = ignored.find(({ conversationId, sharedId }) => conversationId ?? sharedId);
  if (found)
    return { step: 'id', ok: true, sentence: `The id is ${found.conversationId ?? found.sharedId}.` };
  const where = connection.conversationId ?? `the preset’s field, see docs/crm/${connection.crm}.md`;
  const isUnusable = ignored.some(({ reason }) => reason === 'unusable_conversation_id');
  return {
    step: 'id',
    ok: isUnusable || ignored.length > 0 ? false : null,
    sentence: isUnusable ? `The value at ${where} is no usable id.` : `No id at ${where}.`,
  };
}

/** The selector of a value that looks like an id, where the connection reads none, or reads another kind of value. */
function propose(
  { connection }: Subject,
  content: Content,
  result: ReadResult,
  now: number,
): string | undefined {
  const crm = CRMS[connection.crm] as (typeof CRMS)[string];
  const current = [...result.closes, ...result.ignored].find(
    ({ conversationId }) => conversationId,
  )?.conversationId;
  if (connection.lookUp || !crm.takes.includes('conversationId')) return undefined;
  const event = crm.hasBatches ? crm.read(content, toConnection(connection))[0]?.event : undefined;
  const seen = crm.bus ? (content.body as Record<string, unknown>) : { body: event ?? content.body };
  const usable = candidates(seen).find(({ value, hasShape, selector }) => {
    if (current !== undefined && (!hasShape || looksLikeId(current))) return false;
    const tried = { ...toConnection(connection), conversationId: selector, finishedWhen: 'always' };
    const { closes } = readDelivery(crm, tried, content, now);
    return closes.some(
      ({ conversationId }) => conversationId !== undefined && value.includes(conversationId),
    );
  });
  return usable?.selector;
}
