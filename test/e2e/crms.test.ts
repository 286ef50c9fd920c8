import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CRMS } from '../../functions/crm/index.ts';
import type { VerifySettings } from '../../functions/schemes/scheme.ts';
import { isOnBus } from '../../infra/config/bus.ts';
import { type Jwks, startJwks } from '../../local/jwks.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { openAws } from '../../operate/aws.ts';
import { readDeployment } from '../../operate/deployment.ts';
import { OperatorError } from '../../operate/error.ts';
import { type SendOptions, send as sendDelivery } from '../../operate/send.ts';
import { changeCharacter, type Headers, prove } from '../../samples/delivery.ts';
import { CONVERSATION, type Fixture, readFixture, textOf } from '../../samples/fixture.ts';
import { withTimeInBody } from '../../samples/time-in-body.ts';
import { SMALLEST, writeConnections } from '../support/configuration.ts';
import { settingsOf } from '../support/crm.ts';
import { readNewLines, whileReleasingLines } from '../support/release-lines.ts';

// Sends a delivery of every webhook preset through the deployed stack. The valid one closes the right chat, the forged
// one closes none. The deliveries are samples/fixtures/<crm>/finished.json.

const MINUTE = 60_000;
const names = Object.keys(CRMS).filter((name) => !isOnBus(name));

let polyai: PolyAIStandIn;
let jwks: Jwks;
let local: LocalStack;
const lines: LoggedLine[] = [];

beforeAll(async () => {
  polyai = await startPolyAI();
  jwks = await startJwks();
  const connections = Object.fromEntries(
    names.map((name) => {
      const own = CRMS[name]?.takes.includes('jwksUrl') ? { jwksUrl: jwks.url } : {};
      return [name, { ...settingsOf(name, readFixture(name, 'finished.json').connection), ...own }];
    }),
  );
  const looksUp = { crm: 'hubspot', polyai: 'support', finishedValues: ['4'], lookUp: 'sharedId' };
  local = await startLocalStack({
    configuration: writeConnections({ ...SMALLEST, connections: { ...connections, 'looks-up': looksUp } }),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: 'closer-crms',
    onStep: () => {},
  });
}, 4 * MINUTE);

afterAll(async () => {
  await local?.stop();
  await jwks?.close();
  await polyai?.close();
}, MINUTE);

type Request = { headers: Headers; query: string; body: string };

function verifyOf(name: string): VerifySettings {
  return local.configuration.connections[name]?.verify as VerifySettings;
}

/** The fixture's delivery about another conversation, signed with the connection's secret. */
async function validRequest(name: string, fixture: Fixture, conversationId: string): Promise<Request> {
  const given = (fixture.query ?? '').replaceAll(CONVERSATION, conversationId);
  const { sender, audience } = (fixture.connection ?? {}) as { sender?: string; audience?: string };
  const verify = verifyOf(name);
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: `orgId:${sender}`, aud: `webhookId:${audience}`, iat: now, exp: now + 300 };
  const secret =
    verify.scheme === 'jwt'
      ? { token: await jwks.sign(claims) }
      : await local.readSecret(local.secretId('connections', name));
  const at = Date.now();
  const text = textOf(fixture).replaceAll(CONVERSATION, conversationId);
  const body = withTimeInBody(verify, text, at) ?? text;
  const url = `${local.signedUrl(name)}${given && `?${given}`}`;
  const proof = prove(verify, secret, { body, at, url, method: 'POST' });
  const query = [given, proof.query].filter(Boolean).join('&');
  return {
    headers: { 'content-type': 'application/json', ...fixture.headers, ...proof.headers },
    query,
    body,
  };
}

/** The same delivery with one fault: in the body if that is signed, otherwise in the credential. */
function forge(verify: VerifySettings, { headers, query, body }: Request): Request {
  const change = (header: string) => ({ ...headers, [header]: changeCharacter(headers[header] ?? '', 12) });
  switch (verify.scheme) {
    case 'bearer':
    case 'basic':
      return { headers: change('authorization'), query, body };
    case 'header':
    case 'jwt':
      return { headers: change(verify.header), query, body };
    case 'query':
      return { headers, query: changeCharacter(query, query.length - 2), body };
    default:
      return { headers, query, body: `${body} ` };
  }
}

async function send(name: string, { headers, query, body }: Request) {
  const url = `${local.webhookUrl(name)}${query && `?${query}`}`;
  const response = await fetch(url, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
}

async function finalLine(conversationId: string): Promise<LoggedLine> {
  for (const deadline = Date.now() + MINUTE; Date.now() < deadline; await sleep(200)) {
    lines.push(...(await readNewLines(local)));
    const found = lines.find(
      ({ type, final, outcome, conversation_id }) =>
        type === 'close' && final && outcome !== 'resolved' && conversation_id === conversationId,
    );
    if (found) return found;
  }
  throw new Error('no final line');
}

/** What the command `send` gets from every connection: `true` for what it expects, `vendor` where only the vendor can sign. */
async function sendToAll(options: SendOptions): Promise<Record<string, true | string>> {
  const deployment = await readDeployment(openAws(), 'closer-crms');
  const { signal } = new AbortController();
  const aws = openAws();
  const parts = { ...aws, now: Date.now, progress: () => {}, signal, sleep: (ms: number) => sleep(ms) };
  const results: [string, true | string][] = [];
  await whileReleasingLines(local, async () => {
    // One at a time: more of them would wait for the emulator for longer than the receiver waits for a secret.
    for (const name of names) results.push([name, await resultOf(name)]);
  });
  return Object.fromEntries(results);

  async function resultOf(name: string): Promise<true | string> {
    try {
      const { isExpected, status, answer, delivery } = await sendDelivery(name, options, deployment, parts);
      return isExpected || JSON.stringify({ status, answer, delivery });
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      expect(error.message).toContain('Only the vendor can sign');
      return 'vendor';
    }
  }
}

/** Only the vendor has the key. Locally the secret of a connection with RSA has the private key too. */
const isVendors = (name: string) => verifyOf(name).scheme === 'jwt';

describe('the command send', () => {
  it(
    'gets what it expects from every preset whose secret we hold, and says of the others that only the vendor can sign',
    async () => {
      const expected = Object.fromEntries(names.map((name) => [name, isVendors(name) ? 'vendor' : true]));
      expect(await sendToAll({})).toEqual(expected);
      const all = Object.fromEntries(names.map((name) => [name, true]));
      expect(await sendToAll({ forge: true })).toEqual(all);
      expect(await sendToAll({ notFinished: true })).toEqual(expected);
    },
    4 * MINUTE,
  );
});

describe('a preset', () => {
  it.each(names)(
    'closes the right chat for a valid delivery, and none for a forged one: %s',
    async (name) => {
      const fixture = readFixture(name, 'finished.json');
      const id = polyai.openChat();
      const request = await validRequest(name, fixture, id);
      const { status, text } = await send(name, forge(verifyOf(name), request));
      expect({ status, code: JSON.parse(text).code }).toEqual({
        status: 401,
        code: expect.stringMatching(/_mismatch$|^token_invalid$/),
      });
      expect(polyai.isOpen(id)).toBe(true);
      const answer = await send(name, request);
      expect(answer).toMatchObject({ status: 200 });
      const { acknowledgement } = CRMS[name] ?? {};
      if (typeof acknowledgement === 'object') expect(answer.text).toBe(acknowledgement.body);
      else expect(JSON.parse(answer.text)).toMatchObject({ accepted: 1, ignored: [] });
      expect(await finalLine(id)).toMatchObject({ outcome: 'closed', crm: name, connection: name });
      expect(polyai.isOpen(id)).toBe(false);
    },
    2 * MINUTE,
  );

  it(
    'answers a task of Flex as Twilio asks for, and closes its chat',
    async () => {
      const id = polyai.openChat();
      const request = await validRequest('twilio', readFixture('twilio', 'finished-task.json'), id);
      expect(await send('twilio', request)).toMatchObject({ status: 204, text: '' });
      expect(await finalLine(id)).toMatchObject({ outcome: 'closed', crm: 'twilio' });
    },
    2 * MINUTE,
  );

  it('answers Zoom’s challenge with the secret, and only if it is signed', async () => {
    const body = { event: 'endpoint.url_validation', payload: { plainToken: 'qgg8vlvZRS6UYooatFL8Aw' } };
    const fixture = { source: 'here', body, expected: { refused: '' } };
    const request = await validRequest('zoom-contact-center', fixture, 'none');
    const forged = await send('zoom-contact-center', forge(verifyOf('zoom-contact-center'), request));
    expect(forged.status).toBe(401);
    const { status, text } = await send('zoom-contact-center', request);
    const { signingSecret } = await local.readSecret(local.secretId('connections', 'zoom-contact-center'));
    const hash = createHmac('sha256', signingSecret ?? '')
      .update(body.payload.plainToken)
      .digest('hex');
    expect({ status, answer: JSON.parse(text) }).toEqual({
      status: 200,
      answer: { plainToken: body.payload.plainToken, encryptedToken: hash },
    });
  });

  it('answers the check of RingCX’s address by GET, if both values are the secret', async () => {
    const { token = '' } = await local.readSecret(local.secretId('connections', 'ringcx'));
    const check = async (verifyToken: string) => {
      const query = new URLSearchParams({
        'hub.mode': 'subscribe',
        'hub.challenge': '1158201444',
        'hub.verify_token': verifyToken,
      });
      const response = await fetch(`${local.webhookUrl('ringcx')}?${query}`, {
        headers: { 'x-dimelo-secret': token },
      });
      return { status: response.status, text: await response.text() };
    };
    expect(await check(token)).toEqual({ status: 200, text: '1158201444' });
    expect(await check('another')).toMatchObject({ status: 401 });
  });

  it(
    'can look its conversation up by the ticket, and closes it',
    async () => {
      const id = polyai.openChat();
      polyai.share('1145814089', id);
      const event = {
        eventId: 1,
        subscriptionType: 'ticket.propertyChange',
        objectId: 1145814089,
        propertyName: 'hs_pipeline_stage',
        propertyValue: '4',
      };
      const request = await validRequest(
        'looks-up',
        { source: 'here', body: [event], expected: { refused: '' } },
        id,
      );
      expect(await send('looks-up', request)).toMatchObject({ status: 200 });
      expect(await finalLine(id)).toMatchObject({ outcome: 'closed', crm: 'hubspot' });
      const resolved = lines.find(
        ({ outcome, conversation_id }) => outcome === 'resolved' && conversation_id === id,
      );
      expect(resolved).toMatchObject({ final: true, shared_id: '1145814089', project: 'support' });
    },
    2 * MINUTE,
  );
});
