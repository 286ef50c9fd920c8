import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Waiting = { event: unknown; answered: (answer: unknown) => void; failed: (error: Error) => void };

/** Lambda gives a function this long; nothing in the bench takes so long. */
const DEADLINE_MS = 60_000;

/**
 * Plays the API by which a runtime client gets its events and returns its answers, for one function.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export async function startRuntimeApi() {
  const waiting: Waiting[] = [];
  const underWay = new Map<string, Waiting>();
  let idle: ServerResponse | undefined;
  let count = 0;

  const server = createServer(async (request, response) => {
    const [, , , , id = '', end = ''] = (request.url ?? '').split('/');
    if (id === 'next') {
      idle = response;
      handOut();
      return;
    }
    const body = await text(request);
    const invocation = underWay.get(id) ?? [...underWay.values(), ...waiting][0];
    underWay.delete(id);
    if (end === 'response') invocation?.answered(JSON.parse(body || 'null'));
    else invocation?.failed(new Error(`the function failed: ${body}`));
    response.writeHead(202).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  function handOut(): void {
    const next = idle && waiting.shift();
    if (!next || !idle) return;
    count += 1;
    const id = `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`;
    underWay.set(id, next);
    idle.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': String(Date.now() + DEADLINE_MS),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-west-2:123456789012:function:bench',
      'lambda-runtime-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0',
    });
    idle.end(JSON.stringify(next.event));
    idle = undefined;
  }

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves with the function's answer as soon as it has arrived. @throws {Error} with the function's own error */
    invoke: (event: unknown) =>
      new Promise<unknown>((answered, failed) => {
        waiting.push({ event, answered, failed });
        handOut();
      }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
