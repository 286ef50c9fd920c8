import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { getSecretValue } from '../../../functions/aws/get-secret-value.ts';
import { ATTEMPTS, TIME_LIMITS } from '../../../functions/aws/limits.ts';
import { sendMessageBatch } from '../../../functions/aws/send-message-batch.ts';

// Our own client against the SDK's, over the same answers: what one sends and throws, the other must too.

type Sent = {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
};
type Answer = (response: ServerResponse, attempt: number) => void;
/** What a call came to: its output, or what a caller can read of its error; and how often it was sent. */
type Outcome = { output?: unknown; error?: unknown; attempts: number };

/** Headers that differ on purpose, or by chance and time. */
const DIFFERENT = [
  'user-agent',
  'x-amz-user-agent',
  'amz-sdk-invocation-id',
  'x-amz-date',
  'authorization',
] as const;
const ID = 'polyai/chat-closer-ü';
const SETTINGS = { maxAttempts: ATTEMPTS, requestHandler: TIME_LIMITS };
const JSON_1_0 = { 'content-type': 'application/x-amz-json-1.0' };

let server: Server;
let url: string;
let sent: Sent[] = [];
let answer: Answer;

const batch = () => ({
  QueueUrl: `${url}/000000000000/closes`,
  Entries: [
    { Id: '0', MessageBody: '{"conversationId":"ü💬"}', MessageGroupId: 'support' },
    { Id: '1', MessageBody: '{}', MessageGroupId: 'support' },
  ],
});

/** Each operation by our client and by the SDK's. */
const OPERATIONS = {
  GetSecretValue: {
    ours: () => getSecretValue(ID),
    theirs: () => new SecretsManagerClient(SETTINGS).send(new GetSecretValueCommand({ SecretId: ID })),
  },
  SendMessageBatch: {
    ours: () => sendMessageBatch(batch()),
    theirs: () => new SQSClient(SETTINGS).send(new SendMessageBatchCommand(batch())),
  },
};
type Operation = keyof typeof OPERATIONS;
const NAMES = Object.keys(OPERATIONS) as Operation[];

type Client = 'ours' | 'theirs';
const clientOf = ({ headers }: Sent): Client =>
  headers['user-agent']?.startsWith('aws-sdk') ? 'theirs' : 'ours';
const sentBy = (client: Client) => sent.filter((each) => clientOf(each) === client);

async function observe(operation: Operation, client: Client): Promise<Outcome> {
  try {
    const { $metadata, ...output } = (await OPERATIONS[operation][client]()) as { $metadata?: unknown };
    return { output, attempts: sentBy(client).length };
  } catch (thrown) {
    const { name, $fault, $metadata } = thrown as {
      name: string;
      $fault?: string;
      $metadata?: { httpStatusCode?: number };
    };
    const error = { name, $fault, status: $metadata?.httpStatusCode };
    return { error, attempts: sentBy(client).length };
  }
}

/** Runs both clients, each as if it were alone, and returns what ours came to. */
async function compare(operation: Operation): Promise<Outcome> {
  const [expected, outcome] = await Promise.all([observe(operation, 'theirs'), observe(operation, 'ours')]);
  expect(outcome).toEqual(expected);
  return outcome;
}

const reply =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { ...JSON_1_0, ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const md5 = (body: string) => createHash('md5').update(body).digest('hex');
/** What an operation answers. */
const success = (operation: Operation) =>
  operation === 'GetSecretValue' ? { SecretString: 'value' } : { Successful: [] };
const successful = (hash = md5) =>
  batch().Entries.map(({ Id, MessageBody }) => ({
    Id,
    MessageId: `m-${Id}`,
    MD5OfMessageBody: hash(MessageBody),
  }));

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const { method, url: path, headers } = request;
    const each = { method, url: path, headers, body: await text(request) };
    sent.push(each);
    answer(response, sentBy(clientOf(each)).length);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.spyOn(console, 'warn').mockReturnValue();
});
beforeEach(() => {
  sent = [];
  for (const [name, value] of Object.entries({
    AWS_REGION: 'eu-west-2',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'made-up',
    AWS_SESSION_TOKEN: 'session',
    AWS_ENDPOINT_URL: url,
    AWS_LAMBDA_FUNCTION_NAME: 'receive',
    _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:1:0',
  })) {
    vi.stubEnv(name, value);
  }
});
afterAll(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
});

describe.each(NAMES)('%s', (operation) => {
  it('is sent as the SDK sends it', async () => {
    answer = reply(200, success(operation));
    await compare(operation);
    const [[expected], [request]] = [sentBy('theirs'), sentBy('ours')];
    const withoutDifferent = ({ headers, ...rest }: Sent) => ({
      ...rest,
      headers: Object.fromEntries(
        Object.entries(headers).filter(([name]) => !DIFFERENT.includes(name as never)),
      ),
    });
    expect(withoutDifferent(request as Sent)).toEqual(withoutDifferent(expected as Sent));
    // The SDK also signs its x-amz-user-agent.
    const scopeOf = (each?: Sent) => each?.headers.authorization?.replace(/Signature=\w+$/, '');
    expect(scopeOf(request)).toBe(scopeOf(expected)?.replace(';x-amz-user-agent', ''));
    expect(request?.headers['x-amzn-trace-id']).toBe(process.env._X_AMZN_TRACE_ID);
  });

  it('has no trace outside of Lambda', async () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', undefined);
    answer = reply(200, success(operation));
    await observe(operation, 'ours');
    expect(sent.map(({ headers }) => headers['x-amzn-trace-id'])).toEqual([undefined]);
  });

  it.each<[string, Answer, number]>([
    ['is throttled', reply(400, { __type: 'ThrottlingException', message: 'slow' }), 2],
    ['is throttled by the gateway', reply(429, {}), 2],
    ['fails', reply(500, { __type: 'InternalFailure' }), 2],
    ['is not available', reply(503, 'the server is busy'), 2],
    ['is not implemented', reply(501, {}), 1],
    ['is refused by name and address', reply(400, { __type: 'com.amazonaws.x#AccessDeniedException' }), 1],
    ['is refused with a colon', reply(400, { __type: 'AccessDeniedException:http://docs' }), 1],
    ['is refused by a header', reply(400, {}, { 'x-amzn-errortype': 'AccessDeniedException:' }), 1],
    ['is refused by a code', reply(400, { code: 'AccessDeniedException' }), 1],
    ['is refused without a name', reply(403, {}), 1],
    ['is refused by HTML', reply(403, '<html></html>'), 1],
    ['is refused by nothing', reply(403, ''), 1],
    ['is answered by HTML', reply(200, '<html></html>'), 1],
    ['is answered by nothing', reply(200, ''), 1],
    ['breaks off before the answer', (response) => response.socket?.destroy(), 2],
    ['stalls within the answer', (response) => void response.writeHead(200, JSON_1_0).write('{"Sec'), 2],
    ['is not answered', () => {}, 2],
  ])(
    'comes to the same as the SDK’s call when it %s',
    async (_what, given, attempts) => {
      answer = given;
      expect((await compare(operation)).attempts).toBe(attempts);
    },
    30_000,
  );

  it('succeeds on the second attempt, which is numbered', async () => {
    answer = (response, attempt) => {
      reply(attempt === 1 ? 500 : 200, attempt === 1 ? {} : success(operation))(response, attempt);
    };
    expect((await compare(operation)).output).toBeDefined();
    const own = sentBy('ours');
    expect(own.map(({ headers }) => headers['amz-sdk-request'])).toEqual([
      'attempt=1; max=2',
      'attempt=2; max=2',
    ]);
    expect(new Set(own.map(({ headers }) => headers['amz-sdk-invocation-id'])).size).toBe(1);
  });

  it('corrects a wrong clock with the second attempt, and keeps it', async () => {
    const signedAt = () => sentBy('ours').map(({ headers }) => headers['x-amz-date']);
    const inFuture = new Date(Date.now() + 3_600_000).toUTCString();
    const day = new Date(Date.now() + 3_600_000).toISOString().slice(0, 10).replaceAll('-', '');
    answer = (response, attempt) =>
      attempt === 1
        ? reply(403, { __type: 'InvalidSignatureException' }, { date: inFuture })(response, attempt)
        : reply(200, success(operation), { date: inFuture })(response, attempt);
    expect((await compare(operation)).attempts).toBe(2);
    const [first, second] = signedAt();
    expect(first).not.toBe(second);
    expect(second?.slice(0, 8)).toBe(day);
    sent = [];
    answer = reply(200, success(operation));
    await observe(operation, 'ours');
    expect(Number(signedAt()[0]?.slice(9, 11))).toBe(Number(second?.slice(9, 11)));
  });

  it('fails as the SDK’s call does without credentials', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    const { error, attempts } = await observe(operation, 'ours');
    expect({ error, attempts }).toMatchObject({ error: { name: 'CredentialsProviderError' }, attempts: 0 });
  });
});

describe('GetSecretValue', () => {
  it('goes to the path of the endpoint, as the SDK’s does', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', `${url}/proxy`);
    answer = reply(200, success('GetSecretValue'));
    await compare('GetSecretValue');
    expect(sent.map(({ url }) => url)).toEqual(['/proxy/', '/proxy/']);
  });
});

describe('SendMessageBatch', () => {
  it.each<[string, string, string]>([
    ['AWS.SimpleQueueService.NonExistentQueue;Sender', 'QueueDoesNotExist', 'QueueDoesNotExist'],
    ['RequestThrottled;Sender', 'RequestThrottled', 'RequestThrottled'],
    ['AccessDenied;Sender', 'AccessDeniedException', 'AccessDenied'],
    ['AWS.SimpleQueueService.BatchRequestTooLong;Sender', 'BatchRequestTooLong', 'BatchRequestTooLong'],
    ['KMS.AccessDeniedException;Sender', 'KmsAccessDenied', 'KmsAccessDenied'],
  ])('gives the SDK’s name to %s', async (code, type, name) => {
    answer = reply(400, { __type: `com.amazonaws.sqs#${type}` }, { 'x-amzn-query-error': code });
    expect((await compare('SendMessageBatch')).error).toMatchObject({ name });
  });

  it('accepts an answer whose hashes are those of the bodies', async () => {
    answer = reply(200, { Successful: successful() });
    expect((await compare('SendMessageBatch')).output).toEqual({ Successful: successful() });
  });

  it('refuses an answer whose hash is that of another body, as the SDK does', async () => {
    answer = reply(200, { Successful: successful((body) => md5(`${body} `)) });
    const [ours, theirs] = [
      await observe('SendMessageBatch', 'ours'),
      await observe('SendMessageBatch', 'theirs'),
    ];
    expect(theirs).toMatchObject({ error: { name: 'Error' }, attempts: 1 });
    expect(ours).toMatchObject({ error: { name: 'WrongChecksum' }, attempts: 1 });
  });

  it('goes to the host of the queue’s URL, whatever endpoint is configured, as the SDK’s does', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
    answer = reply(200, { Successful: successful() });
    expect((await compare('SendMessageBatch')).attempts).toBe(1);
  });
});
