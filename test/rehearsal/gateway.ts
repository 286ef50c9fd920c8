import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { apiGatewayEvent } from '../../samples/delivery.ts';
import type { Clock } from '../soak/clock.ts';
import type { Pool } from '../soak/lambda.ts';
import type { Account } from './account.ts';
import type { Faults } from './faults.ts';

export type Gateway = ReturnType<typeof createGateway>;

type Receive = Pick<Pool<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>, 'invoke'>;

/**
 * API Gateway before the receiver: it counts every request and writes its access log in the stage's format.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
 */
export function createGateway(
  clock: Clock,
  account: Account,
  faults: Faults,
  apiId: string,
  receive: () => Receive,
) {
  let requests = 0;

  return {
    async request(connection: string, headers: Record<string, string>, body: string) {
      const at = clock.now();
      account.measure('AWS/ApiGateway', 'Count', { ApiId: apiId }, 1);
      const event = apiGatewayEvent({ connection, headers, body, requestId: `request-${requests++}` });
      event.requestContext.timeEpoch = at;
      const outcome = faults.gateway === undefined ? await receive().invoke(event) : undefined;
      const answer = outcome && 'result' in outcome ? outcome.result : undefined;
      // A function that fails has no answer of its own.
      const status = faults.gateway ?? answer?.statusCode ?? 500;
      account.writeAccess({
        requestId: event.requestContext.requestId,
        requestTimeEpoch: `${at}`,
        httpMethod: 'POST',
        routeKey: event.routeKey,
        status: `${status}`,
        'integration.status': `${answer?.statusCode ?? '-'}`,
        'integration.integrationStatus': outcome ? '200' : '-',
        responseLatency: `${clock.now() - at}`,
        'error.responseType': '-',
        'error.messageString': '"-"',
      });
      return { status, body: answer?.body ?? '' };
    },
  };
}
