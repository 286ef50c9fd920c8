import { InvokeCommand, LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';

/** MiniStack has long collected what it collects by itself, and a worker that answered has written its line. */
const LATE_MS = 2000;
/** A call without a line of its own must not keep this busy for ever. */
const MOST_FLUSHES = 5;

export type LateLines = {
  /** PolyAI has answered a call, so that a line of the worker's must follow. */
  expect(): void;
  /** A line of the worker's has arrived. */
  arrived(): void;
  stop(): void;
};

/**
 * Bridges a difference between MiniStack and AWS: after an invocation MiniStack collects a Lambda's output only
 * until 5 ms pass without a line, 50 ms at most before the first one. What is written later (on a busy machine,
 * or after a warning of Node's) reaches CloudWatch Logs only with the worker's next invocation. Where a line is
 * expected and does not come within 2 s, this makes that invocation, again every 2 s, at most five times.
 *
 * @param flush invokes the worker without a message
 */
export function watchForLateLines(flush: () => Promise<unknown>): LateLines {
  let expected = 0;
  let flushes = 0;
  let timer: NodeJS.Timeout | undefined;

  function settle(): void {
    clearTimeout(timer);
    timer = undefined;
    flushes = 0;
  }

  function wait(): void {
    const mine = setTimeout(async () => {
      flushes += 1;
      // One that fails is repeated like one that was of no use.
      await flush().catch(() => undefined);
      if (timer !== mine) return;
      if (flushes < MOST_FLUSHES) return wait();
      expected = 0;
      settle();
    }, LATE_MS);
    mine.unref();
    timer = mine;
  }

  return {
    expect() {
      expected += 1;
      if (timer === undefined) wait();
    },
    arrived() {
      expected = Math.max(0, expected - 1);
      if (expected === 0) settle();
    },
    stop() {
      expected = 0;
      settle();
    },
  };
}

/** @returns what invokes a deployed stack's worker with no message, which it answers without doing anything */
export function createFlush(stackName: string): () => Promise<void> {
  const client = new LambdaClient({});
  let worker: Promise<string> | undefined;
  return async () => {
    worker ??= findWorker(client, stackName);
    const Payload = JSON.stringify({ Records: [] });
    await client.send(new InvokeCommand({ FunctionName: await worker, Payload }));
  };
}

async function findWorker(client: LambdaClient, stackName: string): Promise<string> {
  for await (const { Functions = [] } of paginateListFunctions({ client }, {})) {
    const found = Functions.find(({ FunctionName = '' }) => FunctionName.startsWith(`${stackName}-Close`));
    if (found?.FunctionName) return found.FunctionName;
  }
  throw new Error(`${stackName} has no worker`);
}
