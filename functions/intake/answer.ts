import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { OwnAnswer } from '../crm/crm.ts';
import { REFUSALS, type Refusal } from '../refusal.ts';
import type { ReadResult } from './read-delivery.ts';

// An import would evaluate every export of node:http, and one of them loads Node's whole fetch: 15 ms of a cold start.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** Some CRMs retry only after a short wait: Zendesk's limit is one minute. */
const RETRY_AFTER_SECONDS = 30;

/** The answer to a CRM that expects a certain form. */
export function ownAnswer({ status, headers, body }: OwnAnswer): APIGatewayProxyStructuredResultV2 {
  return { statusCode: status, ...(headers && { headers }), body: body ?? '' };
}

/** Answers 200. Send it only after every close is queued. */
export function successAnswer(
  { closes, ignored }: Pick<ReadResult, 'closes' | 'ignored'>,
  requestId: string,
): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      accepted: closes.length,
      ignored: ignored.map(({ reason }) => ({ reason })),
      requestId,
    }),
  };
}

/**
 * Answers why a delivery is refused. With a status of 500 or more, the sender only learns that it should retry;
 * the log has the reason.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export function refusalAnswer(
  { code, detail }: Refusal,
  requestId: string,
): APIGatewayProxyStructuredResultV2 {
  const status = REFUSALS[code];
  const problem = {
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    detail: status < 500 ? detail : 'The delivery cannot be accepted at the moment. Send it again.',
    code,
    requestId,
  };
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json',
      ...(status === 405 && { allow: 'POST' }),
      ...(status === 503 && { 'retry-after': String(RETRY_AFTER_SECONDS) }),
    },
    body: JSON.stringify(problem),
  };
}
