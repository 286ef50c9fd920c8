import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ID, QUERIES, type QueryName } from '../../infra/monitoring/queries.ts';
import { type LocalStack, startLocalStack } from '../../local/local-stack.ts';
import { type PolyAIStandIn, startPolyAI } from '../../local/polyai-stand-in.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { signZendesk, zendeskEvent } from '../../samples/delivery.ts';
import { compileQuery } from '../signals/insights.ts';
import { SMALLEST, writeConnections } from '../support/configuration.ts';
import { whileReleasingLines } from '../support/release-lines.ts';
import { MINUTE, type Said, START, signalsOf } from '../support/signals.ts';
import { createStack } from '../support/stack.ts';

// Plants a wrong secret and an unfinished ticket on the deployed stack. The lines that CloudWatch Logs gives back go
// through the metric filters, the alarms and the saved queries of the template, which the emulator does not evaluate.

const CONNECTION = 'zendesk-support';
const STACK = 'closer-signals';
const WRONG = 3;
const OPEN = { ticket: '35437', externalId: 'CONV-still-open', previous: 'OPEN', current: 'PENDING' };

let polyai: PolyAIStandIn;
let local: LocalStack;
let lines: LoggedLine[];

beforeAll(async () => {
  polyai = await startPolyAI();
  local = await startLocalStack({
    configuration: writeConnections(SMALLEST),
    polyai: { url: polyai.url, keys: polyai.keys },
    stackName: STACK,
    onStep: () => {},
  });
  const { signingSecret = '' } = await local.readSecret(local.secretId('connections', CONNECTION));
  for (let sent = 0; sent < WRONG; sent += 1) expect(await deliver('another secret', {})).toBe(401);
  expect(await deliver(signingSecret, OPEN)).toBe(200);
  lines = await whileReleasingLines(local, () => deliveryLines(WRONG + 1));
}, 4 * MINUTE);

afterAll(async () => {
  await local?.stop();
  await polyai?.close();
}, MINUTE);

/** @returns the HTTP status */
async function deliver(secret: string, event: Parameters<typeof zendeskEvent>[0]): Promise<number> {
  const body = JSON.stringify(zendeskEvent(event));
  const headers = { 'content-type': 'application/json', ...signZendesk({ secret, body, at: Date.now() }) };
  const response = await fetch(local.webhookUrl(CONNECTION), { method: 'POST', headers, body });
  await response.text();
  return response.status;
}

async function deliveryLines(count: number): Promise<LoggedLine[]> {
  const found: LoggedLine[] = [];
  const deadline = Date.now() + MINUTE;
  while (found.length < count && Date.now() < deadline) {
    const news = await local.log.readNew();
    found.push(...news.filter(({ type, connection }) => type === 'delivery' && connection === CONNECTION));
    await sleep(200);
  }
  return found;
}

function ask(name: QueryName, id = ID) {
  const asked = lines.map((line) => ({ at: START, logGroup: 'ReceiveLog', text: JSON.stringify(line) }));
  return compileQuery(QUERIES[name].query.replace(ID, id)).run(asked);
}

describe('a failure that is planted on the deployed stack', () => {
  it('is in the lines, with the stack’s name', () => {
    const wrong = lines.filter(({ refused }) => refused === 'signature_mismatch');
    expect(wrong).toHaveLength(WRONG);
    expect(wrong[0]).toMatchObject({
      service: STACK,
      connection: CONNECTION,
      result: 'refused',
      answer: 401,
    });
    expect(lines.at(-1)).toMatchObject({
      result: 'ignored',
      ignored: [{ reason: 'not_finished', conversation_id: OPEN.externalId, crm_ref: OPEN.ticket }],
    });
  });

  it('rings the alarm of its connection and no other, through the template’s metric filters', () => {
    const signals = signalsOf(createStack(SMALLEST, { name: STACK }));
    const wrong = lines.filter(({ refused }) => refused === 'signature_mismatch');
    // The same deliveries, as a CRM sends them over a quarter of an hour.
    const said = wrong.map(
      (line, index): Said => ({ after: (3 + 5 * index) * MINUTE, log: 'ReceiveLog', line }),
    );
    const history = signals.run(said, [], 30 * MINUTE);
    const rang = Object.entries(history).filter(([, all]) => all.some(({ to }) => to === 'ALARM'));
    expect(rang.map(([id]) => id)).toEqual([signals.id('ConnectionRefusedAlarm')]);
  });

  it('is found by the saved queries', () => {
    expect(ask('Refused deliveries by reason and connection')).toEqual([
      expect.objectContaining({ deliveries: WRONG, connection: CONNECTION, refused: 'signature_mismatch' }),
    ]);
    expect(ask('Ignored deliveries by reason and connection')).toEqual([
      expect.objectContaining({ deliveries: 1, 'ignored.0.reason': 'not_finished' }),
    ]);
    expect(ask('What happened to a conversation, ticket or delivery', OPEN.externalId)).toHaveLength(1);
  });
});
