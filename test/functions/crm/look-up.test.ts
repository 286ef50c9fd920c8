import type { SendMessageBatchCommandInput } from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CloseParts, createClose } from '../../../functions/close.lambda.ts';
import type { CloseRequest } from '../../../functions/close-request.ts';
import type { Crm } from '../../../functions/crm/crm.ts';
import { CRMS } from '../../../functions/crm/index.ts';
import { createEvents } from '../../../functions/event.lambda.ts';
import { isOnBus } from '../../../infra/config/bus.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { type Jwks, startJwks } from '../../../local/jwks.ts';
import { type PolyAIStandIn, startPolyAI } from '../../../local/polyai-stand-in.ts';
import { makeRsaSecret, prove } from '../../../samples/delivery.ts';
import { bindEvents } from '../../support/bind.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { type Change, type Sent, type State, WAYS, type Way } from '../../support/look-up-stories.ts';
import { startReceiver } from '../../support/receiver.ts';

// A shared id names a conversation only for a while. A look-up must find the chat that the event finished, so a second
// finish without a reopening in between, or a late repeat, closes nothing.

const START = Date.parse('2026-08-01T12:00:00Z');
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const SECRET = {
  // Serves as text and as hexadecimal.
  signingSecret: '5ec2e700',
  token: 'token',
  username: 'webhook',
  password: 'word',
  ...makeRsaSecret(),
};

let polyai: PolyAIStandIn;
let jwks: Jwks;

beforeAll(async () => {
  polyai = await startPolyAI();
  jwks = await startJwks();
});

afterAll(async () => {
  await polyai.close();
  await jwks.close();
});

function settingsOf({ crm, settings }: Way): Record<string, unknown> {
  const ownKeys = CRMS[crm]?.takes.includes('jwksUrl') ? { jwksUrl: jwks.url } : {};
  return { ...settings, ...ownKeys, lookUp: 'sharedId' };
}

/** Sends a CRM's deliveries and works off what they ask for. @returns how many closes they asked for */
async function deliver(way: Way, sent: Sent[], at: number): Promise<number> {
  let asked = 0;
  for (const each of sent) {
    const requests = await (isOnBus(way.crm) ? overBus(way, each, at) : byWebhook(way, each, at));
    for (const request of requests) await work(request, at);
    asked += requests.length;
  }
  return asked;
}

async function byWebhook(way: Way, { body, headers = {} }: Sent, at: number): Promise<CloseRequest[]> {
  const settings = settingsOf(way);
  const { verify } = connectionOf(way.crm, settings);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const url = `https://a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com/webhooks/${way.crm}`;
  const claims = { iss: 'orgId:54983163', aud: 'webhookId:3113', exp: at / 1000 + 60 };
  const token = verify.scheme === 'jwt' ? await jwks.sign(claims) : SECRET.token;
  const proof = prove(verify, { ...SECRET, token }, { body: text, at, url });
  const receiver = startReceiver(way.crm, settings, verify.scheme === 'jwt' ? undefined : SECRET, at);
  const { status } = await receiver.send({
    body: text,
    headers: { ...headers, ...proof.headers },
    query: proof.query,
  });
  // A late repeat of a body with a signed time is refused.
  const isDated = verify.scheme === 'hmac' && verify.timestampSelector !== undefined;
  expect(isDated ? [200, 204, 401] : [200, 204]).toContain(status);
  return receiver.queued;
}

async function overBus(way: Way, { body }: Sent, at: number): Promise<CloseRequest[]> {
  const queued: CloseRequest[] = [];
  const connection = toConnection(connectionOf(way.crm, settingsOf(way)));
  const read = createEvents({
    connections: { [way.crm]: bindEvents(connection) },
    queue: async (requests) => void queued.push(...requests),
    writeLine: () => {},
    now: () => at,
  });
  const record = {
    messageId: 'm-1',
    body: JSON.stringify({ connection: way.crm, event: body }),
    attributes: { SentTimestamp: `${at}` },
  };
  const { batchItemFailures } = await read({ Records: [record as unknown as SQSRecord] } as SQSEvent);
  expect(batchItemFailures).toEqual([]);
  return queued;
}

async function work(request: CloseRequest, at: number): Promise<void> {
  const next: CloseRequest[] = [];
  const secret = JSON.stringify(polyai.keys);
  const close = createClose({
    projects: {
      support: {
        region: 'uk-1',
        baseUrl: polyai.url,
        version: 'v1',
        accountId: 'acme-uk',
        projectId: 'PROJECT-191bfa2a',
        secretId: 'secret',
      },
    },
    secrets: { read: async () => secret, readAgain: async () => secret, readAhead: async () => {} },
    sqs: {
      send: async ({ input }: { input: SendMessageBatchCommandInput }) => {
        next.push(...(input.Entries ?? []).map(({ MessageBody = '' }) => JSON.parse(MessageBody)));
        return { Successful: input.Entries };
      },
    } as unknown as CloseParts['sqs'],
    closeQueueUrl: 'https://sqs.example.com/closes',
    deadLetterQueueUrl: 'https://sqs.example.com/dead-letters',
    fetch,
    writeLine: () => {},
    now: () => at,
    random: () => 0,
  });
  const attributes = { ApproximateReceiveCount: '1', SentTimestamp: `${at}`, MessageGroupId: 'support' };
  const record = { messageId: 'm-1', receiptHandle: 'r-1', body: JSON.stringify(request), attributes };
  await close({ Records: [record as unknown as SQSRecord] }, { getRemainingTimeInMillis: () => 29_000 });
  for (const each of next) await work(each, at);
}

function openChat(way: Way): string {
  const id = polyai.openChat();
  polyai.share(way.ticket, id);
  return id;
}

/** What may happen to a finished ticket, and how long after the previous event. */
type Later = { what: 'closed' | 'edited' | 'repeated'; afterMs: number };

const later = fc.array(
  fc.record({
    what: fc.constantFrom<Later['what']>('closed', 'edited', 'repeated'),
    afterMs: fc.integer({ min: 6 * MINUTE_MS, max: 10 * DAY_MS }),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Sends the later events of a ticket. @returns when the last one happened, and the ticket's state then */
async function happen(way: Way, first: Change, events: Later[]): Promise<{ at: number; state: State }> {
  let { at, to: state } = first;
  for (const { what, afterMs } of events) {
    // A repeat is late if it comes after the 15 minutes of a look-up.
    at += what === 'repeated' ? afterMs + 10 * MINUTE_MS : afterMs;
    const to = what === 'closed' ? 'closed' : state;
    const change = what === 'repeated' ? first : { ...first, at, from: state, to };
    const asked = await deliver(way, way.tell(change), at);
    if (what !== 'repeated') expect(asked).toBe(0);
    if (what !== 'repeated') state = to;
  }
  return { at, state };
}

const looksUp = Object.keys(CRMS).filter((name) => CRMS[name]?.takes.includes('lookUp'));

describe('every preset that looks ids up', () => {
  it.each(looksUp)(
    'has a story here if its events can prove a change, and is refused otherwise: %s',
    (name) => {
      const canProve = Boolean((CRMS[name] as Crm).provesChange);
      expect(Object.values(WAYS).some(({ crm }) => crm === name)).toBe(canProve);
      const needed = CRMS[name]?.requires.includes('bus') ? { bus: 'orders' } : {};
      const faults = faultsOf(name, { ...needed, lookUp: 'sharedId' }).map(({ path }) => path);
      expect(faults.includes('connections.c.lookUp')).toBe(!canProve);
    },
  );

  it.each(looksUp)('accepts repeatedFinish only with lookUp: %s', (name) => {
    expect(CRMS[name]?.takes).toContain('repeatedFinish');
    const alone = faultsOf(name, { repeatedFinish: 'allow' }).map(({ path }) => path);
    expect(alone).toContain('connections.c.repeatedFinish');
  });

  it.each(looksUp)('is refused with a finishedWhen, unless the connection has repeatedFinish: %s', (name) => {
    const paths = (more: object) =>
      faultsOf(name, { lookUp: 'sharedId', finishedWhen: "detail.a == 'b'", ...more }).map(
        ({ path }) => path,
      );
    expect(paths({})).toContain('connections.c.lookUp');
    expect(paths({ repeatedFinish: 'allow' })).not.toContain('connections.c.lookUp');
  });
});

describe.each(Object.entries(WAYS))('%s', (_name, way) => {
  const finish = (at: number): Change => ({ at, from: 'open', to: 'resolved', finishedAt: at });

  it('closes the chat of each finish, and no newer chat in between', async () => {
    await fc.assert(
      fc.asyncProperty(later, async (events) => {
        const older = openChat(way);
        await deliver(way, way.tell(finish(START)), START);
        expect(polyai.isOpen(older)).toBe(false);

        const newer = openChat(way);
        const { at, state } = await happen(way, finish(START), events);
        expect(polyai.isOpen(newer)).toBe(true);

        const reopened = { at: at + DAY_MS, from: state, to: 'open' as const, finishedAt: START };
        await deliver(way, way.tell(reopened), reopened.at);
        expect(polyai.isOpen(newer)).toBe(true);

        const again = finish(reopened.at + DAY_MS);
        await deliver(way, way.tell(again), again.at);
        expect(polyai.isOpen(newer)).toBe(false);
      }),
      { numRuns: 6 },
    );
  });
});
