import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { CRMS } from '../../functions/crm/index.ts';
import { isOnBus } from '../../infra/config/bus.ts';
import { ROOT } from '../../infra/root.ts';
import { apiGatewayEvent } from '../../samples/delivery.ts';
import { readFixture } from '../../samples/fixture.ts';
import { SMALLEST, temporaryFolder } from '../support/configuration.ts';
import { settingsOf } from '../support/crm.ts';
import { createStack } from '../support/stack.ts';

const budget = JSON.parse(readFileSync(join(ROOT, 'test/bundle/budget.json'), 'utf8'));
const every = JSON.parse(readFileSync(join(ROOT, 'connections.json'), 'utf8'));

/** Builds a stack's bundles as a deployment would. @returns the folder of each function */
function build(
  content: unknown,
  sourceMaps = false,
): { receive: string; close: string; event: string; cleanup: string; canary: string } {
  const { node } = createStack(content, { sourceMaps, bundles: true });
  const { directory } = (node.root as App).synth();
  const folders = readdirSync(directory, { withFileTypes: true }).filter((entry) =>
    entry.name.startsWith('asset.'),
  );
  const find = (mark: string) => {
    const found = folders.find(({ name }) =>
      readFileSync(join(directory, name, 'index.mjs'), 'utf8').includes(mark),
    );
    return join(directory, found?.name ?? `no bundle has ${mark}`);
  };
  // The third is there only with a connection on a bus, the fourth only with a cleanup, the last only with a canary.
  return {
    receive: find('unknown_connection'),
    close: find('chat/close'),
    event: find('UnreadableEvent'),
    cleanup: find('in_progress'),
    canary: find('the connection to the stack'),
  };
}

/** Loads a bundle on Node 24 in an empty folder, with nothing to reach, and calls its handler once. */
function invoke(
  bundle: string,
  event: unknown,
): { answer: unknown; lines: { type: string; outcome?: string }[]; node: string } {
  const folder = temporaryFolder();
  copyFileSync(join(bundle, 'index.mjs'), join(folder, 'index.mjs'));
  writeFileSync(
    join(folder, 'invoke.mjs'),
    `const { handler } = await import('./index.mjs');
     const answer = await handler(${JSON.stringify(event)}, { getRemainingTimeInMillis: () => 30000, awsRequestId: 'r-1' });
     console.log('ANSWER ' + JSON.stringify({ answer, node: process.version }));`,
  );
  const env = {
    PATH: '',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'none',
    AWS_SECRET_ACCESS_KEY: 'none',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    CLOSE_QUEUE_URL: 'http://127.0.0.1:9/closes',
    DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/dead',
    STACK_NAME: 'closer',
  };
  const { stdout, stderr } = spawnSync(process.execPath, ['invoke.mjs'], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  const output = stdout.trim().split('\n');
  const last = output.pop() ?? '';
  if (!last.startsWith('ANSWER ')) throw new Error(`the bundle did not answer: ${stdout}${stderr}`);
  return { ...JSON.parse(last.slice('ANSWER '.length)), lines: output.map((line) => JSON.parse(line)) };
}

const bundles = build(every);

describe('the receiver’s bundle', () => {
  it('runs from an empty folder on Node 24 and answers', () => {
    const { answer, lines, node } = invoke(bundles.receive, apiGatewayEvent({ connection: 'nobody' }));
    expect(node).toMatch(/^v24\./);
    expect(answer).toMatchObject({ statusCode: 404 });
    expect(lines).toEqual([expect.objectContaining({ type: 'delivery', refused: 'unknown_connection' })]);
  });

  it('knows the connections of the configuration, and answers 503 where their secrets cannot be read', () => {
    const { answer } = invoke(bundles.receive, apiGatewayEvent({ connection: 'zendesk-support' }));
    expect(answer).toMatchObject({ statusCode: 503, headers: { 'retry-after': '30' } });
  });

  it('carries only the CRMs and schemes that the configuration names', () => {
    const zendesk = readFileSync(join(build(SMALLEST).receive, 'index.mjs'), 'utf8');
    expect(zendesk).toContain('zen:event-type:');
    expect(zendesk).not.toContain('whpk_');
    const standard = {
      crm: 'custom',
      polyai: 'support',
      verify: { scheme: 'standard-webhooks' },
      finishedWhen: 'always',
      conversationId: 'body.id',
    };
    const custom = readFileSync(
      join(build({ ...SMALLEST, connections: { own: standard } }).receive, 'index.mjs'),
      'utf8',
    );
    expect(custom).toContain('whpk_');
    expect(custom).not.toContain('zen:event-type:');
  });

  it('carries JMESPath only where a connection has a selector, and the SDK’s clients never', () => {
    const text = ({ receive }: { receive: string }) => readFileSync(join(receive, 'index.mjs'), 'utf8');
    const [withSelectors, without] = [text(bundles), text(build(SMALLEST))];
    expect(withSelectors).toContain('max_by');
    expect(without).not.toContain('max_by');
    const always = { ...SMALLEST.connections['zendesk-support'], finishedWhen: 'always' };
    expect(text(build({ ...SMALLEST, connections: { always } }))).not.toContain('max_by');
    for (const each of [withSelectors, without]) expect(each).not.toContain('ResourceNotFoundException$');
  });

  it('keeps within its budget', () => {
    expect(statSync(join(bundles.receive, 'index.mjs')).size).toBeLessThanOrEqual(budget.receive.example);
    const zendesk = statSync(join(build(SMALLEST).receive, 'index.mjs')).size;
    expect(zendesk).toBeLessThanOrEqual(budget.receive.zendesk);
    const connections = Object.fromEntries(
      Object.keys(CRMS)
        .filter((name) => !isOnBus(name))
        .map((name) => [name, settingsOf(name, readFixture(name, 'finished.json').connection)]),
    );
    const withAll = build({ ...SMALLEST, connections });
    expect(statSync(join(withAll.receive, 'index.mjs')).size - zendesk).toBeLessThanOrEqual(
      budget.receive.everyCrm,
    );
    expect(statSync(join(withAll.close, 'index.mjs')).size).toBeLessThanOrEqual(budget.close.example);
    const { 'salesforce-outbound-message': outbound } = connections;
    const withXml = build({ ...SMALLEST, connections: { outbound } });
    expect(statSync(join(withXml.receive, 'index.mjs')).size).toBeLessThanOrEqual(
      budget.receive.outboundMessage,
    );
  });
});

describe('the worker’s bundle', () => {
  const record = (body: string) => ({
    messageId: 'm-1',
    receiptHandle: 'r-1',
    body,
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: `${Date.now()}` },
    messageAttributes: {},
  });

  it('runs from an empty folder on Node 24 and answers', () => {
    const { answer, node } = invoke(bundles.close, { Records: [] });
    expect({ answer, major: node.slice(0, 4) }).toEqual({ answer: { batchItemFailures: [] }, major: 'v24.' });
  });

  it('keeps a message whose project it does not know', () => {
    const request = {
      v: 1,
      requestId: 'r',
      source: 'webhook',
      project: 'nobody',
      conversationId: 'c',
      receivedAt: '2026-01-01T00:00:00Z',
    };
    const { answer, lines } = invoke(bundles.close, { Records: [record(JSON.stringify(request))] });
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }] });
    expect(lines[0]).toMatchObject({ type: 'close', outcome: 'unknown_target', final: false });
  });

  it('carries no CRM and no scheme', () => {
    const text = readFileSync(join(bundles.close, 'index.mjs'), 'utf8');
    expect(text).not.toContain('zen:event-type:');
    expect(text).not.toContain('signature_mismatch');
  });

  it('keeps within its budget', () => {
    expect(statSync(join(bundles.close, 'index.mjs')).size).toBeLessThanOrEqual(budget.close.example);
  });
});

describe('the event reader’s bundle', () => {
  const genesys = {
    crm: 'genesys-eventbridge',
    polyai: 'support',
    bus: 'aws.partner/genesys.com/cloud/1/2',
    lookUp: 'sharedId',
  };
  const onBus = build({ ...SMALLEST, connections: { ...SMALLEST.connections, genesys } });
  const text = (bundle: string) => readFileSync(join(bundle, 'index.mjs'), 'utf8');
  const message = (mediaType: string) => ({
    messageId: 'm-1',
    attributes: { SentTimestamp: `${Date.now()}` },
    body: JSON.stringify({
      connection: 'genesys',
      event: {
        id: 'e-1',
        'detail-type': 'v2.detail.events.conversation.{id}.customer.end',
        detail: { eventBody: { conversationId: 'g-1', mediaType } },
      },
    }),
  });

  it('runs from an empty folder on Node 24, and knows the connections of the configuration', () => {
    const { answer, lines, node } = invoke(onBus.event, { Records: [message('VOICE')] });
    expect({ answer, major: node.slice(0, 4) }).toEqual({ answer: { batchItemFailures: [] }, major: 'v24.' });
    expect(lines).toEqual([
      expect.objectContaining({
        connection: 'genesys',
        ignored: [expect.objectContaining({ reason: 'not_finished' })],
      }),
    ]);
  });

  it('keeps an event whose close cannot be queued', () => {
    const { answer, lines } = invoke(onBus.event, { Records: [message('CHAT')] });
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }] });
    expect(lines.at(-1)).toMatchObject({ refused: 'queue_unavailable', shared_ids: ['g-1'] });
  });

  it('carries only its own CRMs, and no scheme; and the receiver’s does not carry those', () => {
    expect(text(onBus.event)).toContain('customer.end');
    expect(text(onBus.event)).not.toContain('zen:event-type:');
    expect(text(onBus.event)).not.toContain('signature_mismatch');
    expect(text(onBus.receive)).toContain('zen:event-type:');
    expect(text(onBus.receive)).not.toContain('customer.end');
    expect(text(onBus.receive)).not.toContain('genesys');
  });

  it('keeps within its budget', () => {
    expect(statSync(join(onBus.event, 'index.mjs')).size).toBeLessThanOrEqual(budget.event.example);
  });
});

describe('the cleanup’s bundle', () => {
  const cleanup = { schedule: 'rate(1 hour)', channels: ['CHAT'] };
  const other = { ...SMALLEST.polyai.support, projectId: 'PROJECT-other' };
  const built = build({
    ...SMALLEST,
    polyai: { support: { ...SMALLEST.polyai.support, cleanup }, other },
  });
  const text = (bundle: string) => readFileSync(join(bundle, 'index.mjs'), 'utf8');

  it('runs from an empty folder on Node 24, and says why its run is not complete', () => {
    const { answer, lines, node } = invoke(built.cleanup, { project: 'support' });
    expect(node).toMatch(/^v24\./);
    expect(answer).toMatchObject({ project: 'support', dry_run: true, complete: false, queued: 0 });
    expect(lines).toEqual([
      expect.objectContaining({ type: 'fault', where: 'cleanup: secret' }),
      expect.objectContaining({ type: 'cleanup', request_id: 'r-1', complete: false, service: 'closer' }),
    ]);
  });

  it('knows only the projects that have a cleanup, and cannot close', () => {
    expect(text(built.cleanup)).toContain('PROJECT-191bfa2a');
    expect(text(built.cleanup)).not.toContain('PROJECT-other');
    expect(text(built.cleanup)).not.toContain('chat/close');
    expect(text(built.cleanup)).not.toContain('zen:event-type:');
    expect(text(built.close)).not.toContain('in_progress');
    expect(text(built.close)).not.toContain('lookbackMs');
  });

  it('keeps within its budget', () => {
    expect(statSync(join(built.cleanup, 'index.mjs')).size).toBeLessThanOrEqual(budget.cleanup.example);
  });
});

it('no bundle carries the texts of the schema of the lines', () => {
  for (const bundle of [bundles.receive, bundles.close]) {
    expect(readFileSync(join(bundle, 'index.mjs'), 'utf8')).not.toContain('first dimension of every metric');
  }
});

describe('the canary’s bundle', () => {
  const canary = { schedule: 'rate(5 minutes)', polyai: 'support' };
  const built = build({ ...SMALLEST, stack: { canary } });
  const text = (bundle: string) => readFileSync(join(bundle, 'index.mjs'), 'utf8');

  it('runs from an empty folder on Node 24, and says why it has sent nothing', () => {
    const { lines, node } = invoke(built.canary, {});
    expect(node).toMatch(/^v24\./);
    expect(lines).toEqual([
      expect.objectContaining({
        type: 'canary',
        request_id: 'r-1',
        reason: expect.stringMatching(/^secret /),
      }),
    ]);
  });

  it('carries no CRM, no scheme and no configuration, and cannot close', () => {
    expect(text(built.canary)).not.toContain('zen:event-type:');
    expect(text(built.canary)).not.toContain('signature_mismatch');
    expect(text(built.canary)).not.toContain('PROJECT-191bfa2a');
    expect(text(built.canary)).not.toContain('chat/close');
  });

  it('is not needed for the receiver to know the canary’s connection', () => {
    const { answer } = invoke(built.receive, apiGatewayEvent({ connection: 'canary' }));
    expect(answer).toMatchObject({ statusCode: 503 });
    const without = invoke(build(SMALLEST).receive, apiGatewayEvent({ connection: 'canary' }));
    expect(without.answer).toMatchObject({ statusCode: 404 });
  });

  it('keeps within its budget', () => {
    expect(statSync(join(built.canary, 'index.mjs')).size).toBeLessThanOrEqual(budget.canary.example);
  });
});

describe('source maps', () => {
  it('are deployed only where they are asked for', () => {
    const files = ({ receive, close }: { receive: string; close: string }) =>
      [receive, close].flatMap((folder) => readdirSync(folder));
    expect(files(bundles)).toEqual(['index.mjs', 'index.mjs']);
    expect(files(build(every, true))).toEqual(['index.mjs', 'index.mjs.map', 'index.mjs', 'index.mjs.map']);
  });
});
