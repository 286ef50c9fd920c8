import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NotQueued } from '../../functions/close-batches.ts';
import { queueCloses } from '../../functions/close-queue.ts';
import { type CloseRequest, parseCloseRequest } from '../../functions/close-request.ts';

type Entry = { Id: string; MessageBody: string; MessageGroupId?: string };
type Batch = { QueueUrl: string; Entries: Entry[] };
/** How the queue answers an entry. The default is to accept it. */
type Fate = 'queued' | 'failed' | 'forgotten';

const PATIENCE_MS = 15_000;
let server: Server;
let url: string;
let sqs: Parameters<typeof queueCloses>[0];
let batches: Batch[];
let targets: unknown[];
let fate: (entry: Entry) => Fate;
let refuse: ((response: ServerResponse, batch: Batch) => void) | undefined;

/** Plays `SendMessageBatch`. @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const batch: Batch = JSON.parse(await text(request));
  batches.push(batch);
  targets.push(request.headers['x-amz-target']);
  if (refuse) {
    refuse(response, batch);
    return;
  }
  const withFate = (wanted: Fate) => batch.Entries.filter((entry) => fate(entry) === wanted);
  const Successful = withFate('queued').map(({ Id, MessageBody }) => ({
    Id,
    MessageId: `m-${Id}`,
    MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
  }));
  const Failed = withFate('failed').map(({ Id }) => ({ Id, SenderFault: false, Code: 'InternalError' }));
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify({ Successful, ...(Failed.length > 0 && { Failed }) }));
}

function requests(count: number, changes: Partial<CloseRequest> = {}): CloseRequest[] {
  return Array.from({ length: count }, (_, index) => ({
    v: 1,
    requestId: 'JKJaXmPLvHcESHA=',
    source: 'webhook',
    project: 'support-uk',
    connection: 'zendesk-support',
    crm: 'zendesk',
    conversationId: `KpQx-polyai-${index}-ü💬`,
    receivedAt: '2026-07-01T12:00:00.000Z',
    ...changes,
  }));
}

const idOf = ({ MessageBody }: Entry) => parseCloseRequest(MessageBody).conversationId ?? '';
const queue = (closes: CloseRequest[]) => queueCloses(sqs, `${url}/000000000000/close`, closes);

beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.AWS_ENDPOINT_URL = url;
  process.env.AWS_REGION = 'eu-west-2';
  process.env.AWS_ACCESS_KEY_ID = 'test';
  process.env.AWS_SECRET_ACCESS_KEY = 'test';
  ({ sqs } = await import('../../functions/aws.ts'));
});
beforeEach(() => {
  batches = [];
  targets = [];
  fate = () => 'queued';
  refuse = undefined;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('queueCloses', () => {
  it.each([
    [0, []],
    [1, [1]],
    [10, [10]],
    [11, [1, 10]],
    [100, [10, 10, 10, 10, 10, 10, 10, 10, 10, 10]],
  ])('sends %d closes in batches of at most ten, each close once', async (count, sizes) => {
    const closes = requests(count);
    await queue(closes);
    expect(batches.map(({ Entries }) => Entries.length).sort((a, b) => a - b)).toEqual(sizes);
    const sent = batches.flatMap(({ Entries }) => Entries.map(idOf));
    expect(sent.sort()).toEqual(closes.map(({ conversationId }) => conversationId).sort());
    expect(new Set(targets)).toEqual(new Set(count > 0 ? ['AmazonSQS.SendMessageBatch'] : []));
  });

  it('sends the message unchanged, with its project as the message group', async () => {
    const [uk] = requests(1);
    const [us] = requests(1, { project: 'support-us', crmRef: '5158' });
    await queue([uk, us] as CloseRequest[]);
    const [{ QueueUrl, Entries } = { QueueUrl: '', Entries: [] }] = batches;
    expect(QueueUrl).toBe(`${url}/000000000000/close`);
    expect(Entries.map(({ MessageBody }) => JSON.parse(MessageBody))).toEqual([uk, us]);
    expect(Entries.map(({ MessageGroupId }) => MessageGroupId)).toEqual(['support-uk', 'support-us']);
    expect(new Set(Entries.map(({ Id }) => Id)).size).toBe(2);
  });

  it.each<[string, Fate]>([
    ['failed', 'failed'],
    ['was not mentioned', 'forgotten'],
  ])('rejects when one close of a hundred %s', async (_what, wanted) => {
    fate = (entry) => (idOf(entry).startsWith('KpQx-polyai-57-') ? wanted : 'queued');
    await expect(queue(requests(100))).rejects.toThrow(NotQueued);
    expect(batches).toHaveLength(10);
  });

  it.each([
    ['access denied', 400, 'AccessDeniedException'],
    ['no such queue', 400, 'QueueDoesNotExist'],
    ['a failure', 500, 'InternalFailure'],
  ])('rejects on %s, with a message that names no conversation', async (_what, status, __type) => {
    refuse = (response) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type, message: 'said by AWS' }));
    };
    const error = await queue(requests(1)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NotQueued);
    expect(String(error)).toContain('1 of 1 batches were not queued');
    expect(String(error)).not.toContain('KpQx');
  });

  it('rejects when SQS received something else than was sent', async () => {
    refuse = (response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      const Successful = [{ Id: '0', MessageId: 'm', MD5OfMessageBody: '0'.repeat(32) }];
      response.end(JSON.stringify({ Successful }));
    };
    await expect(queue(requests(1))).rejects.toThrow(NotQueued);
  });

  it(
    'rejects when SQS does not answer, or stalls in the middle of its answer',
    async () => {
      refuse = (response, { Entries }) => {
        if (Entries[0] && idOf(Entries[0]) === 'silent') return;
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).write('{"Succ');
      };
      const outcomes = ['silent', 'stalled'].map((conversationId) => {
        const queued = queue(requests(1, { conversationId })).catch((error: unknown) => error);
        return Promise.race([queued, wait(PATIENCE_MS, 'still waiting', { ref: false })]);
      });
      expect(await Promise.all(outcomes)).toEqual([expect.any(NotQueued), expect.any(NotQueued)]);
    },
    2 * PATIENCE_MS,
  );
});
