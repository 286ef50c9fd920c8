import { OUTCOMES } from '../../functions/close/outcome.ts';
import type { Configuration } from '../../infra/config/load.ts';
import type { LoggedLine } from '../lines.ts';
import type { Cause, Verdict } from './causes.ts';
import type { Chat } from './chats.ts';
import { partsOf } from './ids.ts';

const CLI = 'npx --no chat-closer';

/** A try that is this much late did not happen. */
const OVERDUE_MS = 15 * 60_000;

/** What a verdict may use besides the chat's own lines. */
export type Facts = {
  configuration: Pick<Configuration, 'connections'>;
  /** Unix milliseconds. */
  now: number;
};

/**
 * Judges a chat by its lines. A close that PolyAI confirmed outweighs everything else. After that the newest attempt
 * counts, unless the chat was queued again since; a delivery that asked for no close changes nothing.
 */
export function judge(chat: Chat, facts: Facts): Verdict {
  const closes = chat.lines.filter(({ type }) => type === 'close');
  const closed = closes.find(({ outcome }) => outcome === 'closed');
  if (closed) return closedVerdict(closed);
  const attempt = closes.at(-1);
  // The worker may be faster than the line of the delivery that queued the close, so their times do not tell.
  const isTried = ({ request_id }: LoggedLine) => closes.some((each) => each.request_id === request_id);
  const queued = chat.lines.findLast((line) => isAccepted(line, chat) && !isTried(line));
  if (attempt && !(queued && queued.at > attempt.at)) return attemptVerdict(attempt, chat, facts);
  if (queued) return queuedVerdict(queued, facts);
  const delivery = chat.lines.findLast(({ would_close }) => Number(would_close) > 0) ?? chat.lines.at(-1);
  return delivery ? deliveryVerdict(delivery, chat, facts) : NOTHING;
}

const NOTHING: Verdict = { cause: 'not_arrived', final: true, sentence: 'Nothing arrived about it.' };

function isAccepted({ type, accepted, conversation_ids, shared_ids }: LoggedLine, chat: Chat): boolean {
  if (type !== 'delivery' || !(Number(accepted) > 0)) return false;
  const ids = [conversation_ids, shared_ids].flat();
  return ids.includes(chat.conversationId) || ids.includes(chat.sharedId);
}

function closedVerdict({ at, source, project }: LoggedLine): Verdict {
  if (source === 'cleanup') {
    return {
      cause: 'closed_by_cleanup',
      final: true,
      sentence: `The cleanup closed it at ${at}: no webhook did.`,
      next: `${CLI} status`,
    };
  }
  const who = source === 'operator' ? 'An operator’s command' : 'The CRM’s delivery';
  return {
    cause: 'closed',
    final: true,
    sentence: `${who} closed it at ${at}. PolyAI’s project ${project} confirmed it.`,
  };
}

const OVER_CAUSES: Record<string, [cause: Cause, sentence: string]> = {
  already_ended: ['already_ended', 'PolyAI says that it had already ended'],
  not_found: ['not_found', 'PolyAI does not know it'],
  no_conversation: ['no_conversation', 'PolyAI knows no conversation with this shared id'],
  look_up_expired: ['look_up_expired', 'Its shared id was not resolved within 15 minutes'],
};

function attemptVerdict(line: LoggedLine, chat: Chat, facts: Facts): Verdict {
  const { at, outcome, final, source, project, reason, result } = line;
  if (!final || outcome === 'resolved') return waitingVerdict(line, facts);
  const [cause, sentence] = OVER_CAUSES[String(outcome)] ?? [];
  if (cause && sentence) {
    const next = nextAfter(cause, chat, line);
    return {
      cause,
      final: true,
      sentence: `${sentence} (${at}, project ${project}).`,
      ...(next && { next }),
    };
  }
  const why = reason ? `: ${reason}` : '';
  if (source === 'cleanup' && result === 'given_up') {
    return {
      cause: 'cleanup_gave_up',
      final: false,
      sentence: `The cleanup’s close failed at ${at} with ${outcome}${why}. The next run decides again.`,
      next: `${CLI} cleanup ${project} --dry-run`,
    };
  }
  return {
    cause: 'dead_lettered',
    final: true,
    sentence: `It was given up at ${at} with ${outcome}${why}. It waits in the dead-letter queue.`,
    next: `${fixOf(line)}Then: ${CLI} redrive --conversation ${idOf(chat)}`,
  };
}

function waitingVerdict(line: LoggedLine, { now }: Facts): Verdict {
  const { at, outcome, reason, next_try_in_s } = line;
  const dueAt = Date.parse(at) + Number(next_try_in_s ?? 0) * 1000;
  const isOverdue = now - dueAt > OVERDUE_MS;
  const due = new Date(dueAt).toISOString();
  const needsAction = OUTCOMES[outcome as keyof typeof OUTCOMES]?.needsAction ?? false;
  const why = reason ? `: ${reason}` : '';
  return {
    cause: 'waiting',
    final: false,
    sentence: isOverdue
      ? `It waits since ${at} with ${outcome}${why}. The next try was due at ${due} and has left no line: the worker may have stopped.`
      : `It waits since ${at} with ${outcome}${why}. The next try is at ${due}.`,
    nextTryAt: due,
    ...(isOverdue && { next: `${CLI} doctor` }),
    ...(needsAction && !isOverdue && { next: fixOf(line).trim() }),
  };
}

function queuedVerdict({ at, connection }: LoggedLine, { now }: Facts): Verdict {
  const isOverdue = now - Date.parse(at) > OVERDUE_MS;
  return {
    cause: 'waiting',
    final: false,
    sentence: isOverdue
      ? `${connection} asked for the close at ${at}, and the worker has not tried it since: it may have stopped.`
      : `${connection} asked for the close at ${at}. The worker has not tried it yet.`,
    nextTryAt: at,
    ...(isOverdue && { next: `${CLI} doctor` }),
  };
}

/** What to do about an outcome that does not heal by itself, with a space at its end; empty if nothing can be done. */
function fixOf({ outcome, project }: LoggedLine): string {
  if (outcome === 'unauthorized') return `Store keys that PolyAI accepts: ${CLI} secret set ${project}. `;
  if (outcome === 'misdirected') return `Correct region, account or project of ${project}: ${CLI} doctor. `;
  if (outcome === 'unknown_target')
    return 'Deploy the project that the close names, or redrive it with the right one. ';
  if (outcome === 'rejected') return `Find out why PolyAI rejects it: ${CLI} doctor. `;
  return '';
}

function nextAfter(cause: Cause, chat: Chat, { project, outcome }: LoggedLine): string | undefined {
  if (cause === 'not_found') {
    return `Check region, account and project of ${project} with ${CLI} doctor. Then: ${CLI} replay --outcome ${outcome} --conversation ${idOf(chat)} --since 7d`;
  }
  if (cause === 'no_conversation') {
    return 'Let the agent store the ticket’s id as shared id: docs/conversation-id.md#look-up-by-a-shared-id';
  }
  if (cause === 'look_up_expired') return `${CLI} redrive --late-look-up --conversation ${idOf(chat)}`;
  return undefined;
}

function idOf({ conversationId, sharedId }: Chat): string {
  return conversationId ?? sharedId ?? '';
}

function deliveryVerdict(line: LoggedLine, chat: Chat, facts: Facts): Verdict {
  const { at, connection, refused, answer, would_close } = line;
  if (refused) {
    const next = nextAfterRefusal(String(refused), String(connection));
    return {
      cause: 'refused',
      final: true,
      sentence: `${connection ?? 'An unknown connection'} sent a delivery at ${at}, which was refused with ${answer ?? 'no answer'} ${refused}.`,
      next,
    };
  }
  if (Number(would_close) > 0) {
    return {
      cause: 'rehearsed',
      final: true,
      sentence: `${connection} asked for the close at ${at}. It rehearses, so nothing was closed.`,
      next: `Remove "rehearse" of ${connection} from the configuration, and deploy.`,
    };
  }
  return ignoredVerdict(line, chat, facts);
}

/** What to do about a refusal. */
export function nextAfterRefusal(code: string, connection: string): string {
  if (code === 'unknown_connection') return `Correct the address in the CRM: ${CLI} connection`;
  if (/^(signature|credential)_mismatch$|^secret_not_ready$/.test(code)) {
    return `Store the secret that the CRM uses: ${CLI} secret set ${connection}`;
  }
  if (/^(secrets_unavailable|queue_unavailable|fault)$/.test(code)) return `${CLI} status`;
  return `${CLI} connection ${connection}`;
}

function ignoredVerdict(line: LoggedLine, chat: Chat, { configuration }: Facts): Verdict {
  const { at, connection } = line;
  const name = String(connection);
  const parts = partsOf(line);
  const own = parts.find((part) => isOf(part, chat)) ?? parts[0];
  const reason = own?.reason ?? 'not_finished';
  const explain = `${CLI} explain ${name}`;
  if (reason === 'no_conversation_id' || reason === 'message_trimmed') {
    const left =
      reason === 'message_trimmed' ? ': the CRM left the payload out' : ': the field is empty or missing';
    return {
      cause: 'no_conversation_id',
      final: true,
      sentence: `${name} said at ${at} that the ticket is finished, without a conversation id${left}.`,
      next: `Find the field in a captured delivery: ${explain} FILE`,
    };
  }
  if (reason === 'unusable_conversation_id') {
    return {
      cause: 'unusable_conversation_id',
      final: true,
      sentence: `${name} said at ${at} that the ticket is finished, but the field holds no usable conversation id.`,
      next: `Find the field in a captured delivery: ${explain} FILE`,
    };
  }
  const finished = configuration.connections[name]?.finishedValues?.join(', ');
  const counts = finished ? ` It counts as finished: ${finished}.` : '';
  const why =
    reason === 'finished_not_boolean'
      ? 'its finishedWhen gave neither true nor false'
      : reason === 'test_event'
        ? 'it was a test event of the CRM'
        : 'the ticket was not finished';
  return {
    cause: 'not_finished',
    final: false,
    sentence: `${name} delivered at ${at}, but ${why}.${counts}`,
    next: `See what counts as finished: ${CLI} connection ${name}`,
  };
}

function isOf(part: { conversation_id?: string; shared_id?: string; crm_ref?: string }, chat: Chat): boolean {
  return (
    (part.conversation_id !== undefined && part.conversation_id === chat.conversationId) ||
    (part.shared_id !== undefined && part.shared_id === chat.sharedId) ||
    (part.crm_ref !== undefined && part.crm_ref === chat.crmRef)
  );
}
