import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CRMS } from '../../functions/crm/index.ts';
import type { Delivery } from '../../functions/delivery.ts';
import { type VerifySettings, verifyDelivery } from '../../functions/schemes/scheme.ts';
import {
  chooseExample,
  describeConnection,
  httpConnections,
  requireHttpConnection,
} from '../../local/examples.ts';
import { makeRsaSecret } from '../../samples/delivery.ts';
import { bindWebhook } from '../support/bind.ts';
import { configurationOf, SMALLEST } from '../support/configuration.ts';

// What `npm start` prints for a connection is pasted into a real shell, and what arrives is verified.

const SECRET = `it's "$HOME" !and \`all\` \\ that`;
const SECRETS: Record<string, string> = {
  signingSecret: SECRET,
  token: SECRET,
  username: 'webhook',
  password: SECRET,
};
const SIGNED = 'https://hooks.example.com/webhooks/own';

let server: Server;
let arrived: Delivery[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const query = (request.url ?? '').split('?')[1] ?? '';
    arrived.push({
      method: request.method ?? '',
      headers: textsOf(request.headers),
      url: query ? `${SIGNED}?${query}` : SIGNED,
      rawQuery: query,
      body: Buffer.concat(chunks),
      sourceIp: '127.0.0.1',
    });
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(async () => {
  server.close();
});

beforeEach(() => {
  arrived = [];
});

function textsOf(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** The parts of a deployed stack that an example needs. */
function stackOf(connections: Record<string, unknown>, secret = SECRETS) {
  return {
    configuration: configurationOf({ ...SMALLEST, connections }),
    readSecret: async () => secret,
    secretId: (_: unknown, name: string) => name,
    webhookUrl: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/own`,
    signedUrl: () => SIGNED,
  };
}

const openChat = (project: string) => `CONV-of-${project}`;

async function paste(line: string | undefined): Promise<void> {
  const child = spawn('sh', ['-c', line ?? 'false'], { stdio: 'ignore' });
  await once(child, 'close');
}

/** The verdict on the one delivery that arrived; `undefined` means valid. */
function verdict(verify: VerifySettings, secret: Record<string, string>) {
  const [only, ...more] = arrived;
  if (!only || more.length > 0) throw new Error(`${arrived.length} deliveries arrived`);
  return verifyDelivery(bindWebhook({ crm: 'custom', project: 'support', verify }), secret, only, Date.now());
}

const custom = (verify: unknown) => ({
  crm: 'custom',
  polyai: 'support',
  verify,
  finishedWhen: "body.status == 'closed'",
  conversationId: 'body.chat.id',
});
const hmac = (settings: object) => custom({ scheme: 'hmac', header: 'x-signature', ...settings });
const timed = { signed: 'v0:{timestamp}x{body}', timestampHeader: 'x-time' };

const LISTED = {
  signatureParameter: 'v1',
  timestampParameter: 't',
  timestampUnit: 'ms',
  signed: '{timestamp}.{body}',
};

const CASES: [string, Record<string, unknown>, Record<string, string>?][] = [
  ['hmac', hmac({})],
  ['hmac in base64 of sha512', hmac({ algorithm: 'sha512', encoding: 'base64' })],
  ['hmac of sha1 with a prefix', hmac({ algorithm: 'sha1', prefix: 'sha1=' })],
  ['hmac with a time in seconds', hmac(timed)],
  ['hmac with a time in milliseconds', hmac({ ...timed, timestampUnit: 'ms' })],
  ['hmac with an ISO time', hmac({ ...timed, timestampUnit: 'iso' })],
  ['hmac with an id', hmac({ signed: '{id}.{body}', idHeader: 'x-id' })],
  ['hmac with a time and a signature in one header', hmac(LISTED)],
  [
    'hmac with a key in hexadecimal',
    hmac({ keyEncoding: 'hex' }),
    { signingSecret: '00ff27206d6164652d757020' },
  ],
  [
    'hmac with a key in base64, and the signature too',
    hmac({ keyEncoding: 'base64', encoding: 'base64' }),
    { signingSecret: 'AP8nIG1hZGUtdXAg' },
  ],
  ['rsa', custom({ scheme: 'rsa', header: 'x-signature' }), makeRsaSecret()],
  ['rsa in hexadecimal', custom({ scheme: 'rsa', header: 'x-signature', encoding: 'hex' }), makeRsaSecret()],
  [
    'standard-webhooks',
    custom({ scheme: 'standard-webhooks' }),
    { signingSecret: `whsec_${Buffer.from('a key of twenty-four byte').toString('base64')}` },
  ],
  ['bearer', custom({ scheme: 'bearer' }), { token: 'it$is!`a`token' }],
  ['header', custom({ scheme: 'header', header: 'x-token' })],
  ['query', custom({ scheme: 'query', parameter: 'token' })],
  ['basic', custom({ scheme: 'basic' })],
  [
    'hubspot',
    { crm: 'hubspot', polyai: 'support', finishedValues: ['4'], lookUp: 'sharedId', repeatedFinish: 'allow' },
  ],
  ['twilio', { crm: 'twilio', polyai: 'support', conversationId: 'body.own.id' }],
];

const SCHEME_CASES = CASES.map(([name, connection, secret = SECRETS]) => [name, connection, secret] as const);

describe('the line for a connection', () => {
  it.each(SCHEME_CASES)('is verified when it is pasted: %s', async (_, connection, secret) => {
    const stack = stackOf({ own: connection }, secret);
    const lines = await describeConnection(stack, 'own', openChat);
    await paste(lines.at(-1));
    const { verify } = stack.configuration.connections.own as { verify: VerifySettings };
    expect(await verdict(verify, await stack.readSecret())).toBeUndefined();
  });

  it.each(SCHEME_CASES)('is verified when no example can be made: %s', async (_, connection, secret) => {
    const odd = { ...connection, finishedWhen: 'length(body.all) > `3`' };
    delete (odd as { finishedValues?: unknown }).finishedValues;
    const stack = stackOf({ own: odd }, secret);
    const lines = await describeConnection(stack, 'own', openChat);
    expect(lines.join('\n')).toContain('Cannot make an example for these settings.');
    await paste(lines.at(-1));
    const { verify } = stack.configuration.connections.own as { verify: VerifySettings };
    expect(await verdict(verify, await stack.readSecret())).toBeUndefined();
    expect(arrived[0]?.body.toString()).toBe('{}');
  });

  it.each(['s', 'ms', 'iso'])(
    'writes the time into the body where the connection reads it there, in the unit %s',
    async (timestampUnit) => {
      const times = { timestampSelector: 'body.sent.at', timestampHeader: 'x-time', timestampUnit };
      const stack = stackOf({ own: hmac(times) });
      const { verify } = stack.configuration.connections.own as { verify: VerifySettings };
      const example = await chooseExample(stack, 'own', openChat);
      expect(JSON.parse(example?.body ?? '')).toMatchObject({
        status: 'closed',
        sent: { at: expect.anything() },
      });
      const lines = await describeConnection(stack, 'own', openChat);
      await paste(lines.at(-1));
      expect(await verdict(verify, await stack.readSecret())).toBeUndefined();
    },
  );

  it('cannot be signed where only the sender has the private key', async () => {
    const { publicKey } = makeRsaSecret();
    const stack = stackOf({ own: custom({ scheme: 'rsa', header: 'x-signature' }) }, { publicKey } as never);
    expect((await describeConnection(stack, 'own', openChat)).at(-1)).toContain('Cannot sign a line');
  });

  it('comes with the address and the local secret', async () => {
    const [address, secret] = await describeConnection(stackOf({ own: hmac({}) }), 'own', openChat);
    expect(address).toMatch(/^http:.*\/webhooks\/own$/);
    expect(JSON.parse(secret?.replace('secret: ', '') ?? '')).toMatchObject({ signingSecret: SECRET });
  });

  it('names an open chat of the connection’s project, and its shared id when that is looked up', async () => {
    const stack = stackOf({
      own: { crm: 'hubspot', polyai: 'support', finishedValues: ['4'], lookUp: 'sharedId' },
    });
    const lines = await describeConnection(stack, 'own', openChat, (id) => `ticket of ${id}`);
    expect(lines.join('\n')).toContain(
      'CONV-of-support is open and has the shared id ticket of CONV-of-support',
    );
  });

  it('says what to do when only the vendor can sign', async () => {
    const stack = stackOf({
      own: { crm: 'zoho-desk', polyai: 'support', dataCentre: 'com', audience: 'w-1', sender: '12345' },
    });
    const lines = await describeConnection(stack, 'own', openChat);
    expect(lines.join('\n')).toContain('Set jwksUrl to a key set of yours on this machine.');
    expect(lines.join('\n')).not.toContain('secret:');
  });
});

describe('the connection whose example is sent', () => {
  const two = { 'in-house': hmac({}), zendesk: { crm: 'zendesk', polyai: 'support' } };

  it('is Zendesk’s if there is one, unless another one is named', async () => {
    expect(await chooseExample(stackOf(two), undefined, openChat)).toMatchObject({ name: 'zendesk' });
    expect(await chooseExample(stackOf(two), 'in-house', openChat)).toMatchObject({
      name: 'in-house',
      conversationId: 'CONV-of-support',
    });
  });

  it('is never another one than the named one, even if that has no example', async () => {
    const odd = { ...two, 'in-house': { ...hmac({}), finishedWhen: 'length(body.all) > `3`' } };
    expect(await chooseExample(stackOf(odd), 'in-house', openChat)).toBeUndefined();
  });

  it('may be any with an address, and any other name is refused with a list of these', () => {
    const configuration = configurationOf({
      ...SMALLEST,
      connections: {
        ...two,
        bus: {
          crm: 'eventbridge',
          polyai: 'support',
          bus: 'default',
          eventPattern: { source: ['a'], account: ['111122223333'] },
          conversationId: 'detail.id',
        },
      },
    });
    expect(() => requireHttpConnection(configuration, 'in-house')).not.toThrow();
    expect(() => requireHttpConnection(configuration, 'inhouse')).toThrow(
      '--connection inhouse: that connection is not in this configuration. Connections with an address: zendesk, in-house.',
    );
    expect(() => requireHttpConnection(configuration, 'bus')).toThrow('is on an event bus');
    expect(httpConnections(configuration).map(([name]) => name)).toEqual(['zendesk', 'in-house']);
  });

  it('is for a connection that closes something, unless all are in rehearsal', async () => {
    const rehearsing = { ...two, zendesk: { ...two.zendesk, rehearse: true } };
    expect(await chooseExample(stackOf(rehearsing), undefined, openChat)).toMatchObject({ name: 'in-house' });
    const { zendesk } = rehearsing;
    expect(await chooseExample(stackOf({ zendesk }), undefined, openChat)).toMatchObject({ name: 'zendesk' });
  });
});

it('covers the scheme of every preset that comes by HTTP', () => {
  const covered = SCHEME_CASES.map(([name]) => name.split(' ')[0]);
  const schemes = Object.values(CRMS)
    .filter((crm) => !crm.bus && crm.verify && typeof crm.verify !== 'function')
    .map(({ verify }) => (verify as VerifySettings).scheme);
  expect(schemes.filter((scheme) => !covered.includes(scheme) && scheme !== 'jwt')).toEqual([]);
});
