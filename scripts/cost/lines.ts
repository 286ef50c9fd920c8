import type { SQSEvent } from 'aws-lambda';
import { createCleanup } from '../../functions/cleanup.lambda.ts';
import { createClose } from '../../functions/close.lambda.ts';
import type { CloseRequest } from '../../functions/close-request.ts';
import eventbridge from '../../functions/crm/eventbridge.ts';
import zendesk from '../../functions/crm/zendesk.ts';
import { createEvents } from '../../functions/event.lambda.ts';
import { type Line, lineText } from '../../functions/log.ts';
import { createReceive } from '../../functions/receive.lambda.ts';
import hmac from '../../functions/schemes/hmac.ts';
import type { HmacSettings } from '../../functions/schemes/scheme.ts';
import { createSecretReader } from '../../functions/secrets.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../functions/time.ts';
import { DEFAULT_STACK } from '../../infra/config/load.ts';
import { apiGatewayEvent, signZendesk } from '../../samples/delivery.ts';
import { readFixture, textOf } from '../../samples/fixture.ts';

// Runs the handlers in this process on vendors' payloads, and keeps the lines that they write.

/** What a line is about. A month consists of these. */
export type LineKind =
  | 'accepted'
  | 'ignored'
  | 'refused'
  | 'acceptedEvent'
  | 'ignoredEvent'
  | 'closed'
  | 'alreadyEnded'
  | 'waiting'
  | 'canaryClose'
  | 'run';

/** The text of a line of each kind, as it is in the log. */
export type SampleLines = Record<LineKind, string>;

const NOW = Date.parse('2026-08-01T12:00:00.000Z');
/** How long everything takes. It only makes the numbers in the lines as long as they usually are. */
const STEP_MS = 47;
const SECRET = JSON.stringify({ signingSecret: 'signing-secret', apiKey: 'key', token: 'token' });
/** API Gateway's request ids and PolyAI's conversation ids have this form. */
const REQUEST_ID = 'JKJaXmPLvHcESHA=';
const CONVERSATION = 'CONV-1234567890';

const PROJECT = {
  region: 'uk-1',
  baseUrl: 'https://api.uk-1.platform.polyai.app',
  version: 'v1',
  accountId: 'acme-uk',
  projectId: 'PROJECT-191bfa2a',
  secretId: 'project',
} as const;

/** Measures one line of each kind. The result is the same at every call. */
export async function sampleLines(): Promise<SampleLines> {
  const { lines: deliveries, queued } = await receive();
  const { lines: events } = await receiveEvents();
  const request = first(queued);
  return {
    accepted: text(deliveries, 0),
    ignored: text(deliveries, 1),
    refused: text(deliveries, 2),
    acceptedEvent: text(events, 0),
    ignoredEvent: text(events, 1),
    closed: await close(request, 200, { success: true }),
    alreadyEnded: await close(request, 410, { error_code: 'CONVERSATION_ENDED' }),
    waiting: await close(request, 503, { message: 'Service Unavailable' }),
    canaryClose: await close({ ...request, canary: true } as CloseRequest, 404, {
      error_code: 'CONVERSATIONS_NOT_FOUND',
    }),
    run: await cleanUp(),
  };
}

function text(lines: readonly Line[], index: number): string {
  const line = lines[index];
  if (!line || line.type === 'fault') {
    throw new Error(`A handler did not write the line that the cost needs, but ${JSON.stringify(line)}.`);
  }
  return lineText(line, DEFAULT_STACK);
}

function first(requests: readonly CloseRequest[]): CloseRequest {
  if (!requests[0]) throw new Error('The delivery that the cost needs was not accepted.');
  return requests[0];
}

/** A clock that moves on at every look, so that durations are not 0. */
function clock(): () => number {
  let at = NOW;
  return () => {
    at += STEP_MS;
    return at;
  };
}

/** What every handler is given: a log, a queue and secrets in memory. */
function inMemory() {
  const lines: Line[] = [];
  const queued: CloseRequest[] = [];
  const now = clock();
  return {
    lines,
    queued,
    parts: {
      now,
      secrets: createSecretReader(async () => ({ SecretString: SECRET }), now),
      queue: async (requests: CloseRequest[]) => {
        queued.push(...requests);
      },
      writeLine: (line: Line) => {
        lines.push(line);
      },
    },
  };
}

/** A finished ticket, another change of a ticket, and a forged delivery. */
async function receive() {
  const { lines, queued, parts } = inMemory();
  const verify = zendesk.verify as HmacSettings;
  const connection = {
    crm: 'zendesk',
    project: 'support',
    verify,
    secretId: 'connection',
    preset: zendesk,
    scheme: hmac,
  };
  const handle = createReceive({ ...parts, connections: { 'zendesk-1': connection } });
  for (const [fixture, secret] of [
    ['finished.json', 'signing-secret'],
    ['not-finished.json', 'signing-secret'],
    ['finished.json', 'a forged secret'],
  ] as const) {
    const body = textOf(readFixture('zendesk', fixture)).replace('KpQx-polyai-0001', CONVERSATION);
    const event = apiGatewayEvent({
      connection: 'zendesk-1',
      headers: signZendesk({ secret, body, at: NOW }),
      body,
      requestId: REQUEST_ID,
    });
    event.requestContext.timeEpoch = NOW;
    await handle(event);
  }
  return { lines, queued };
}

async function receiveEvents() {
  const { lines, queued, parts } = inMemory();
  const connection = {
    crm: 'eventbridge',
    project: 'support',
    verify: { scheme: 'event-bus' },
    finishedWhen: "detail.status == 'closed'",
    conversationId: 'detail.chat',
    preset: eventbridge,
  } as const;
  const handle = createEvents({ ...parts, connections: { desk: connection } });
  const records = ['closed', 'open'].map((status) => ({
    messageId: '059f36b4-87a3-44ab-83d2-661975830a7d',
    attributes: { SentTimestamp: `${NOW - SECOND_MS}` },
    body: JSON.stringify({
      connection: 'desk',
      event: {
        id: '17793124-05d4-b198-2fde-7ededc63b103',
        time: new Date(NOW - 2 * SECOND_MS).toISOString(),
        detail: { status, chat: CONVERSATION },
      },
    }),
  }));
  await handle({ Records: records } as unknown as SQSEvent);
  return { lines, queued };
}

/** The line of an attempt to which PolyAI answers so. */
async function close(request: CloseRequest, status: number, answer: object): Promise<string> {
  const { lines, parts } = inMemory();
  const handle = createClose({
    ...parts,
    projects: { support: PROJECT },
    sqs: { send: async () => ({}) },
    closeQueueUrl: 'close',
    deadLetterQueueUrl: 'dead-letter',
    fetch: answering(status, answer),
    random: () => 0.5,
  });
  const record = {
    messageId: '059f36b4-87a3-44ab-83d2-661975830a7d',
    receiptHandle: 'receipt',
    body: JSON.stringify(request),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: `${NOW - SECOND_MS}`,
      ApproximateFirstReceiveTimestamp: `${NOW}`,
    },
  };
  await handle({ Records: [record] } as unknown as SQSEvent, { getRemainingTimeInMillis: () => 29_000 });
  return text(lines, 0);
}

/** A complete run that finds no open chat. */
async function cleanUp(): Promise<string> {
  const { lines, parts } = inMemory();
  const handle = createCleanup({
    ...parts,
    projects: {
      support: {
        ...PROJECT,
        clientEnv: 'live',
        cleanup: {
          idleForMs: 12 * HOUR_MS,
          lookbackMs: 14 * DAY_MS,
          channels: ['CHAT'],
          maxCloses: 200,
          dryRun: false,
          periodMs: HOUR_MS,
        },
      },
    },
    fetch: answering(200, { conversations: [] }),
    sleep: async () => {},
    random: () => 0.5,
  });
  const context = {
    awsRequestId: 'e7a6ad1c-1e3c-4a7e-9d5b-0f1f2f3f4f5f',
    getRemainingTimeInMillis: () => 15 * MINUTE_MS,
  };
  await handle({ project: 'support' }, context);
  return text(lines, 0);
}

function answering(status: number, body: object): typeof globalThis.fetch {
  const headers = { 'x-polyai-correlation-id': REQUEST_ID };
  return async () => new Response(JSON.stringify(body), { status, headers });
}
