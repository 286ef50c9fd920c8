import type { CloseRequest } from '../../functions/close-request.ts';
import { createReceive } from '../../functions/receive.lambda.ts';
import { createSecretReader } from '../../functions/secrets.ts';
import { toConnection } from '../../infra/config/to-connection.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { apiGatewayEvent } from '../../samples/delivery.ts';
import { bindWebhook } from './bind.ts';
import { connectionOf } from './crm.ts';

type Request = Omit<NonNullable<Parameters<typeof apiGatewayEvent>[0]>, 'connection'>;

type Answer = {
  status: number;
  headers: Record<string, unknown>;
  body: string;
  /** The code of a refusal. */
  code?: string;
  /** The conversations that this request has queued. */
  closes: unknown[];
  /** Its `delivery` line. */
  line: LoggedLine | undefined;
};

export type Receiver = {
  /** Sends a request to the connection's address. */
  send(request: Request): Promise<Answer>;
  queued: CloseRequest[];
  lines: LoggedLine[];
};

/**
 * The receiver with one connection of a CRM as synth resolves it. Its queue and log are in memory.
 *
 * @param settings the settings of the connection besides `crm` and `polyai`
 * @param secret the value in Secrets Manager; absent if the scheme needs none
 * @param now Unix milliseconds
 */
export function startReceiver(
  crm: string,
  settings: Record<string, unknown>,
  secret: Record<string, unknown> | undefined,
  now: number,
): Receiver {
  const connection = toConnection(connectionOf(crm, settings), secret && 'secret');
  const queued: CloseRequest[] = [];
  const lines: LoggedLine[] = [];
  const receive = createReceive({
    connections: { [crm]: bindWebhook(connection) },
    secrets: createSecretReader(
      async () => ({ SecretString: JSON.stringify(secret) }),
      () => now,
    ),
    queue: async (requests) => {
      queued.push(...requests);
    },
    writeLine: (line) => lines.push(line),
    now: () => now,
  });
  return {
    queued,
    lines,
    async send(request) {
      const before = queued.length;
      const {
        statusCode = 0,
        headers = {},
        body = '',
      } = await receive(apiGatewayEvent({ ...request, connection: crm }));
      const isProblem = statusCode >= 400;
      return {
        status: statusCode,
        headers,
        body,
        ...(isProblem && { code: JSON.parse(body).code }),
        closes: queued.slice(before).map(({ conversationId }) => conversationId),
        line: lines.findLast(({ type }) => type === 'delivery'),
      };
    },
  };
}
