import { STATUS_CODES } from 'node:http';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { OwnAnswer } from '../crm/crm.ts';
import { REFUSALS } from '../refusal.ts';
import type { Refusal } from '../schemes/scheme.ts';
import type { Demand } from './read-delivery.ts';

/** Short enough for every CRM that tries again only when it is: Zendesk's limit is a minute. */
const RETRY_AFTER_SECONDS = 30;

/** What a vendor must be answered in its own form. */
export function ownAnswer({ status, headers, body }: OwnAnswer): APIGatewayProxyStructuredResultV2 {
  return { statusCode: status, ...(headers && { headers }), body: body ?? '' };
}

/** 200, once every close is queued. */
export function successAnswer(
  { findings, ignored }: Demand,
  requestId: string,
): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      accepted: findings.length,
      ignored: ignored.map((reason) => ({ reason })),
      requestId,
    }),
  };
}

/**
 * Why a delivery is refused. From 500 on the sender is told to come back and nothing else; the log says why.
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
    detail: status < 500 ? detail : 'The delivery cannot be taken at the moment. Send it again.',
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
