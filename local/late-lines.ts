import { InvokeCommand, LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';

/** By then MiniStack has collected what it collects automatically, and a worker that answered has written its line. */
const LATE_MS = 2000;
/** A call that has no line must not keep this busy for ever. */
const MAX_FLUSHES = 5;

export type LateLines = {
  /** PolyAI has answered a call, so a line of the worker must follow. */
  expect(): void;
  /** A line of the worker has arrived. */
  arrived(): void;
  stop(): void;
};

/**
 * Bridges a difference between MiniStack and AWS. After an invocation, MiniStack collects a Lambda's output only
 * until 5 ms pass without a line (50 ms before the first one). A line that is written later, on a busy machine or
 * after a warning from Node, reaches CloudWatch Logs only with the worker's next invocation. When an expected line
 * does not arrive within 2 s, this makes that invocation, and repeats it every 2 s, five times at most.
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
    const own = setTimeout(async () => {
      flushes += 1;
      // A failed flush is repeated like one that brought no line.
      await flush().catch(() => undefined);
      if (timer !== own) return;
      if (flushes < MAX_FLUSHES) return wait();
      expected = 0;
      settle();
    }, LATE_MS);
    own.unref();
    timer = own;
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

/** @returns a function that invokes a deployed stack's worker without a message, which the worker ignores */
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
