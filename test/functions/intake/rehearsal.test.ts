import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lineText } from '../../../functions/log.ts';
import { QUERIES } from '../../../infra/monitoring/queries.ts';
import { ROOT } from '../../../infra/root.ts';
import type { LoggedLine } from '../../../local/stack-log.ts';
import { compileQuery } from '../../signals/insights.ts';
import { startReceiver } from '../../support/receiver.ts';

// Runs the queries that the pages show over real lines of a rehearsal.

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SETTINGS = {
  verify: { scheme: 'bearer' },
  finishedWhen: 'body.done',
  conversationId: 'body.id',
  rehearse: true,
};

/** The query that follows a sentence of a page. */
function queryAfter(file: string, sentence: string): string {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const [, query = ''] = /^ *```\n([\s\S]*?)^ *```$/m.exec(text.slice(text.indexOf(sentence))) ?? [];
  return query;
}

async function rehearse(): Promise<LoggedLine[]> {
  const receiver = startReceiver('custom', SETTINGS, { token: 'right' }, NOW);
  for (const [token, body] of [
    ['right', { done: true, id: 'closed' }],
    ['right', { done: false, id: 'open' }],
    ['wrong', { done: true, id: 'forged' }],
  ] as const) {
    await receiver.send({ headers: { authorization: `Bearer ${token}` }, body: JSON.stringify(body) });
  }
  expect(receiver.queued).toEqual([]);
  return receiver.lines;
}

async function ask(query: string) {
  const lines = (await rehearse()) as never[];
  return compileQuery(query).run(
    lines.map((line) => ({ at: NOW, logGroup: 'ReceiveLog', text: lineText(line, 'closer') })),
  );
}

describe('the queries of a rehearsal', () => {
  it.each([
    ['README.md', 'ask CloudWatch Logs Insights what would have been closed'],
    ['docs/operations.md', 'What would have been closed?'],
  ])('in %s find what would have been closed', async (file, sentence) => {
    expect(await ask(queryAfter(file, sentence))).toEqual([
      { '@timestamp': NOW, connection: 'custom', 'conversation_ids.0': 'closed', would_close: 1 },
    ]);
  });

  it('find what would have been ignored', async () => {
    expect(await ask(queryAfter('docs/operations.md', 'What would have been ignored, and why?'))).toEqual([
      {
        '@timestamp': NOW,
        connection: 'custom',
        'ignored.0.reason': 'not_finished',
        'ignored.0.conversation_id': 'open',
      },
    ]);
  });
});

describe('the saved query for what was ignored', () => {
  it('counts by connection and reason', async () => {
    const { query } = QUERIES['Ignored deliveries by reason and connection'];
    expect(await ask(query)).toEqual([
      {
        deliveries: 1,
        example: expect.any(String),
        connection: 'custom',
        'ignored.0.reason': 'not_finished',
      },
    ]);
  });
});
