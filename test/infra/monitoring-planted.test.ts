import { describe, expect, it } from 'vitest';
import { lineText } from '../../functions/log.ts';
import { QUERIES, type QueryName } from '../../infra/monitoring/queries.ts';
import type { LoggedLine } from '../../local/stack-log.ts';
import { signZendesk, zendeskEvent } from '../../samples/delivery.ts';
import { compileQuery } from '../signals/insights.ts';
import { SMALLEST } from '../support/configuration.ts';
import { startReceiver } from '../support/receiver.ts';
import { HOUR, MINUTE, type Said, START, signalsOf } from '../support/signals.ts';
import { createStack } from '../support/stack.ts';

// One failure, planted in the real receiver, is seen in its lines, the metric, the alarm, and the query of the dashboard.

const signals = signalsOf(
  createStack({ ...SMALLEST, connections: { zendesk: { crm: 'zendesk', polyai: 'support' } } }),
);
const TICKET = { externalId: 'CONV-planted' };

/** The receiver's line for one delivery at a time after the start, signed with this secret. */
async function deliver(after: number, secret: string, ticket: object = TICKET): Promise<Said> {
  const at = START + after;
  const receiver = startReceiver('zendesk', {}, { signingSecret: 'the-right-one' }, at);
  const body = JSON.stringify(zendeskEvent(ticket));
  await receiver.send({ body, headers: signZendesk({ secret, body, at }) });
  const [line] = receiver.lines;
  if (!line) throw new Error('The receiver wrote no line.');
  return { after, log: 'ReceiveLog', line: line as LoggedLine & Said['line'] };
}

const times = (from: number, to: number) =>
  Array.from({ length: (to - from) / (5 * MINUTE) }, (_, n) => from + n * 5 * MINUTE);

function ask(name: QueryName, said: Said[], replace: [string, string] = ['', '']) {
  const lines = said.map(({ after, log, line }) => ({
    at: START + after,
    logGroup: log,
    text: lineText(line as Parameters<typeof lineText>[0], 'closer'),
  }));
  return compileQuery(QUERIES[name].query.replace(...replace)).run(lines);
}

describe('a wrong secret at the CRM', async () => {
  const [right, wrong] = ['the-right-one', 'another'];
  const said = await Promise.all([
    ...times(0, HOUR).map((after) => deliver(after, right)),
    ...times(HOUR, 3 * HOUR).map((after) => deliver(after, wrong)),
    ...times(3 * HOUR, 4 * HOUR).map((after) => deliver(after, right)),
  ]);

  it('is in the lines', () => {
    expect(said[0]?.line).toMatchObject({ result: 'accepted', connection: 'zendesk' });
    expect(said[12]?.line).toMatchObject({ result: 'refused', refused: 'signature_mismatch' });
  });

  it('rings the alarm of its connection within 20 minutes, and no other, until it is repaired', () => {
    const history = signals.run(said, [], 4 * HOUR);
    const id = signals.id('ConnectionRefusedAlarmzendesk');
    const rang = Object.entries(history).filter(([, all]) => all.some(({ to }) => to === 'ALARM'));
    expect(rang.map(([each]) => each)).toEqual([id]);
    const [, alarm, ok] = history[id] ?? [];
    expect(alarm?.to).toBe('ALARM');
    expect((alarm?.at ?? 0) - START).toBeGreaterThan(HOUR);
    expect((alarm?.at ?? 0) - START).toBeLessThanOrEqual(HOUR + 20 * MINUTE);
    expect(ok?.to).toBe('OK');
  });

  it('is in the query of the dashboard, with its reason', () => {
    expect(ask('Refused deliveries by reason and connection', said)).toEqual([
      expect.objectContaining({
        connection: 'zendesk',
        refused: 'signature_mismatch',
        answer: 401,
        deliveries: 24,
      }),
    ]);
  });
});

describe('a ticket that was not finished', () => {
  it('is found by its conversation’s id, and its reason is counted', async () => {
    const open = await deliver(0, 'the-right-one', { externalId: 'CONV-open', current: 'OPEN' });
    const others = await Promise.all([1, 2].map((n) => deliver(n * MINUTE, 'the-right-one')));
    const said = [open, ...others];
    expect(open.line).toMatchObject({ result: 'ignored' });
    const trace = ask('What happened to a conversation, ticket or delivery', said, [
      'CONV-1234567890',
      'CONV-open',
    ]);
    expect(trace).toEqual([expect.objectContaining({ result: 'ignored', answer: 200 })]);
    expect(ask('Ignored deliveries by reason and connection', said)).toEqual([
      expect.objectContaining({ connection: 'zendesk', 'ignored.0.reason': 'not_finished', deliveries: 1 }),
    ]);
  });
});
