import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createPolyAIApi } from '../../local/polyai-api.ts';
import type { Certificate } from './certificate.ts';

type Answer = { status: number; body: unknown };
type Batch = { Entries: { Id: string; MessageBody?: string }[] };

const KEEP_ALIVE_MS = 600_000;

/** Every secret of the bench: it serves all schemes, and the project. */
export const SECRET = {
  signingSecret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  token: 'made-up-token',
  username: 'crm',
  password: 'made-up-password',
  apiKey: 'made-up-key',
};

/** Plays the operations of Secrets Manager and SQS that the functions call, at once and without checking anything. */
const OPERATIONS: Record<string, (input: never) => unknown> = {
  GetSecretValue: () => ({ SecretString: JSON.stringify(SECRET) }),
  SendMessageBatch: ({ Entries }: Batch) => ({
    Successful: Entries.map(({ Id, MessageBody = '' }) => ({
      Id,
      MessageId: Id,
      MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
    })),
  }),
};

/**
 * Starts what stands in for Secrets Manager, SQS and PolyAI, over TLS. SQS has its own address, as in AWS, so that a
 * function makes its own connection to it.
 *
 * @param jwks the keys at `/jwks`
 */
export async function startStandIn(certificate: Certificate, jwks: object) {
  const polyai = createPolyAIApi(() => SECRET);
  const [main, queue] = [await listen(certificate, answer), await listen(certificate, answer)];

  async function answer(request: IncomingMessage): Promise<Answer> {
    const body = await text(request);
    const [, operation] = String(request.headers['x-amz-target'] ?? '').split('.');
    if (operation) return { status: 200, body: OPERATIONS[operation]?.(JSON.parse(body) as never) ?? {} };
    if (request.url === '/jwks') return { status: 200, body: jwks };
    const headers = request.headers as Record<string, string>;
    return polyai.answer(request.method ?? '', request.url ?? '', headers, body);
  }

  return {
    url: main.url,
    queueUrl: `${queue.url}/000000000000/closes`,
    openChat: () => polyai.openChat(undefined),
    close: () => {
      main.close();
      queue.close();
    },
  };
}

export type StandIn = Awaited<ReturnType<typeof startStandIn>>;

async function listen({ key, cert }: Certificate, answer: (request: IncomingMessage) => Promise<Answer>) {
  const server = createServer({ key, cert }, async (request, response) => {
    const { status, body } = await answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  // Longer than a round of the bench, so that no function has to connect again.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
