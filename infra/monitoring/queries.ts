import { type FieldOf, LINES, type LineType } from '../../functions/line.ts';
import type { LogName } from '../metrics.ts';

/** A question about the lines and its query in CloudWatch Logs Insights. */
export type SavedQuery = {
  /** The groups whose lines it reads. Those that a stack does not have are left out. */
  logs: readonly LogName[];
  query: string;
};

/** What the reader of the query replaces. */
export const ID = 'CONV-1234567890';

const DELIVERIES = ['receive', 'event'] as const;
const delivery = fieldsOf('delivery');
const close = fieldsOf('close');
const cleanup = fieldsOf('cleanup');
const fault = fieldsOf('fault');

/** The fields of a type by their own names, so that the compiler finds a query for a field that no line has. */
function fieldsOf<Type extends LineType>(type: Type): { [Name in FieldOf<Type>]: Name } {
  const names = Object.keys(LINES[type]).map((name) => [name, name]);
  return Object.fromEntries(names) as { [Name in FieldOf<Type>]: Name };
}

function pipe(...commands: string[]): string {
  return commands.join('\n| ');
}

const TRACE = [
  delivery.connection,
  delivery.result,
  delivery.answer,
  delivery.refused,
  close.outcome,
  close.reason,
  close.next_try_in_s,
  close.polyai_status,
  close.polyai_correlation_id,
  close.request_id,
];

/** The saved queries of a stack, by name. docs/operations.md names them. */
export const QUERIES = {
  'What happened to a conversation, ticket or delivery': {
    logs: [...DELIVERIES, 'close'],
    query: pipe(
      `fields @timestamp, type, ${TRACE.join(', ')}`,
      `filter @message like "${ID}"`,
      'sort @timestamp asc',
    ),
  },
  'Refused deliveries by reason and connection': {
    logs: DELIVERIES,
    query: pipe(
      `filter type = "delivery" and ispresent(${delivery.refused})`,
      `stats count(*) as deliveries, latest(${delivery.request_id}) as example by ${delivery.connection}, ${delivery.refused}, ${delivery.answer}`,
      'sort deliveries desc',
    ),
  },
  'Ignored deliveries by reason and connection': {
    logs: DELIVERIES,
    query: pipe(
      `filter type = "delivery" and ${delivery.result} = "ignored"`,
      `stats count(*) as deliveries, latest(${delivery.request_id}) as example by ${delivery.connection}, ${delivery.ignored}.0.reason`,
      'sort deliveries desc',
    ),
  },
  'What a rehearsal would have closed': {
    logs: DELIVERIES,
    query: pipe(
      `filter type = "delivery" and ${delivery.would_close} > 0`,
      `fields @timestamp, ${delivery.connection}, ${delivery.crm_ref}, ${delivery.conversation_ids}.0, ${delivery.shared_ids}.0, ${delivery.would_close}`,
      'sort @timestamp desc',
    ),
  },
  'Answer times by connection': {
    logs: ['receive'],
    query: pipe(
      `filter type = "delivery" and ispresent(${delivery.connection})`,
      `stats count(*) as deliveries, pct(${delivery.answer_ms}, 50) as median, pct(${delivery.answer_ms}, 99) as p99, max(${delivery.answer_ms}) as slowest by ${delivery.connection}`,
      'sort slowest desc',
    ),
  },
  'Closes that are tried again': {
    logs: ['close'],
    query: pipe(
      'filter type = "close"',
      `fields coalesce(${close.shared_id}, ${close.conversation_id}) as id`,
      `stats latest(${close.result}) as last, latest(${close.outcome}) as became, latest(${close.reason}) as why, count(*) as attempts, max(${close.age_ms}) / 3600000 as hours by id, ${close.project}`,
      'filter last = "waiting"',
      'sort hours desc',
    ),
  },
  'Closes that were given up': {
    logs: ['close'],
    query: pipe(
      `filter type = "close" and ${close.result} = "given_up"`,
      `fields @timestamp, ${close.outcome}, ${close.reason}, ${close.project}, ${close.conversation_id}, ${close.shared_id}, ${close.polyai_status}, ${close.polyai_error_code}, ${close.polyai_correlation_id}`,
      'sort @timestamp desc',
    ),
  },
  'Slowest closes': {
    logs: ['close'],
    query: pipe(
      `filter type = "close" and ${close.result} != "waiting" and ${close.outcome} != "resolved"`,
      `fields @timestamp, ${close.age_ms}, ${close.outcome}, ${close.project}, ${close.connection}, ${close.conversation_id}, ${close.request_id}`,
      `sort ${close.age_ms} desc`,
      'limit 50',
    ),
  },
  'Who is throttled': {
    logs: ['close'],
    query: pipe(
      `filter type = "close" and ${close.outcome} = "throttled"`,
      `stats count(*) as attempts, max(${close.next_try_in_s}) as longest_wait_s, latest(${close.polyai_correlation_id}) as example by ${close.project}, ${close.region}`,
      'sort attempts desc',
    ),
  },
  'What was closed': {
    logs: ['close'],
    query: pipe(
      `filter type = "close" and ${close.outcome} = "closed"`,
      `fields @timestamp, ${close.project}, ${close.connection}, ${close.source}, ${close.crm_ref}, ${close.conversation_id}`,
      'sort @timestamp desc',
    ),
  },
  'Answers of PolyAI by project': {
    logs: ['close'],
    query: pipe(
      'filter type = "close"',
      `stats count(*) as attempts, latest(${close.polyai_correlation_id}) as example by ${close.project}, ${close.outcome}, ${close.polyai_status}, ${close.polyai_error_code}`,
      'sort attempts desc',
    ),
  },
  'Cleanup runs': {
    logs: ['cleanup'],
    query: pipe(
      'filter type = "cleanup"',
      `fields @timestamp, ${cleanup.project}, ${cleanup.dry_run}, ${cleanup.complete}, ${cleanup.reason}, ${cleanup.open}, ${cleanup.stale}, ${cleanup.queued}, ${cleanup.oldest_open_at}`,
      'sort @timestamp desc',
    ),
  },
  'Faults by place': {
    logs: [...DELIVERIES, 'close', 'cleanup'],
    query: pipe(
      'filter type = "fault"',
      `stats count(*) as faults, latest(${fault.error}.message) as message, latest(${fault.request_id}) as example by ${fault.where}, ${fault.error}.name`,
      'sort faults desc',
    ),
  },
} as const satisfies Record<string, SavedQuery>;

export type QueryName = keyof typeof QUERIES;
