import { describe, expect, it } from 'vitest';
import { createReceive } from '../../functions/receive.lambda.ts';
import { createSecretReader } from '../../functions/secrets.ts';
import { apiGatewayEvent } from '../../samples/delivery.ts';
import { bindWebhooks } from '../support/bind.ts';
import { CONNECTIONS } from './connections.ts';
import { FORGERIES } from './forgeries.ts';
import { createRandom } from './random.ts';
import { signDelivery } from './sign.ts';

const NOW = Date.parse('2026-08-01T12:00:00Z');
const HOST = 'a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com';
const NAMES = ['support', 'batches', 'tickets'];
const secretOf = (name: string) => ({ signingSecret: `signing-${name}` });

function createWorld() {
  let queued = 0;
  const fetchSecret = async (id: string) => ({
    SecretString: JSON.stringify(secretOf(id.split('/')[2] ?? '')),
  });
  const receive = createReceive({
    connections: bindWebhooks(CONNECTIONS),
    secrets: createSecretReader(fetchSecret, () => NOW),
    queue: async (requests) => {
      queued += requests.length;
    },
    writeLine: () => {},
    now: () => NOW,
  });
  return { receive, queued: () => queued };
}

function targetOf(name: string) {
  const connection = CONNECTIONS[name];
  const other = NAMES[(NAMES.indexOf(name) + 1) % NAMES.length] ?? '';
  if (!connection) throw new Error(`there is no connection ${name}`);
  return {
    name,
    address: { connection, secret: secretOf(name) },
    other: { connection, secret: secretOf(other) },
    host: HOST,
    body: '{"names":"a chat"}',
    valid: '{"names":"another"}',
    now: NOW,
    requestId: 'request-1',
  };
}

describe.each(NAMES)('for the connection %s', (name) => {
  it('a valid delivery is answered 200, so the forgeries are refused for what is forged', async () => {
    const { address, body } = targetOf(name);
    const url = `https://${HOST}/webhooks/${name}`;
    const signing = { secret: address.secret.signingSecret, body, at: NOW, url };
    const headers = signDelivery(address.connection, signing);
    const { receive } = createWorld();
    expect(await receive(apiGatewayEvent({ connection: name, headers, body }))).toMatchObject({
      statusCode: 200,
    });
  });

  it.each(Object.keys(FORGERIES))('%s is refused', async (kind) => {
    const { receive, queued } = createWorld();
    const event = FORGERIES[kind]?.(targetOf(name), createRandom(1));
    if (!event) throw new Error(`there is no forgery ${kind}`);
    const { statusCode = 0 } = await receive(event);
    expect(statusCode).toBeGreaterThanOrEqual(400);
    expect(statusCode).toBeLessThan(500);
    expect(queued()).toBe(0);
  });
});
