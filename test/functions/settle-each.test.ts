import type { SQSRecord } from 'aws-lambda';
import { expect, it } from 'vitest';
import { settleEach } from '../../functions/settle-each.ts';

const records = ['m-1', 'm-2', 'm-3'].map((messageId) => ({ messageId }) as SQSRecord);

it('reports exactly the records that are not settled, in their order', async () => {
  const answer = await settleEach(records, async ({ messageId }) => messageId === 'm-2');
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }, { itemIdentifier: 'm-3' }] });
});

it('reports nothing when every record is settled, or when there is none', async () => {
  expect(await settleEach(records, async () => true)).toEqual({ batchItemFailures: [] });
  expect(await settleEach([], async () => false)).toEqual({ batchItemFailures: [] });
});

it('handles the records side by side', async () => {
  const all = Promise.withResolvers<void>();
  let waiting = 0;
  const answer = settleEach(records, async () => {
    waiting += 1;
    if (waiting === records.length) all.resolve();
    await all.promise;
    return true;
  });
  expect(await answer).toEqual({ batchItemFailures: [] });
});
