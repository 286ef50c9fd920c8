import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  SQSBatchResponse,
  SQSEvent,
} from 'aws-lambda';
import { createCanary } from '../../functions/canary.lambda.ts';
import { createCleanup } from '../../functions/cleanup.lambda.ts';
import { type CloseParts, createClose } from '../../functions/close.lambda.ts';
import { queueCloses } from '../../functions/close-queue.ts';
import { createEvents } from '../../functions/event.lambda.ts';
import { createReceive } from '../../functions/receive.lambda.ts';
import { createSecretReader } from '../../functions/secrets.ts';
import type { Embedded } from '../../infra/bundle.ts';
import type { Clock } from '../soak/clock.ts';
import { type Container, createPool, type Pool } from '../soak/lambda.ts';
import type { Random } from '../soak/random.ts';
import { answerCommand, type Queue } from '../soak/sqs-model.ts';
import { bindAllEvents, bindWebhooks } from '../support/bind.ts';
import type { Account } from './account.ts';
import type { Faults } from './faults.ts';
import type { createPolyAI } from './polyai.ts';

const SECOND = 1000;
/** How long the calls to Secrets Manager and SQS take. */
const READ_MS = 20;
const SEND_MS = 15;

export type FunctionsParts = {
  clock: Clock;
  random: Random;
  account: Account;
  faults: Faults;
  embedded: Embedded;
  polyai: ReturnType<typeof createPolyAI>;
  /** The texts of the secrets by their ids. */
  vault: Map<string, string>;
  closes: Queue;
  deadLetters: Queue;
  /** The canary's way to the gateway. */
  fetchCanary: typeof fetch;
};

/** Makes the handler of a new execution environment. */
type Make<Event, Result> = Parameters<typeof createPool<Event, Result>>[3];

/** The stack's functions: the real handlers with the configuration as synth embeds it, in the model of Lambda. */
export function createFunctions(parts: FunctionsParts) {
  const { embedded, polyai, random, closes, deadLetters, fetchCanary } = parts;
  const deploy = createDeployment(parts);
  const basics = createBasics(parts);
  let runs = 0;
  const nextRun = (name: string) => `${name}-run-${runs++}`;

  const worker = (projects: Embedded['projects']) => (container: Container) =>
    createClose({
      ...basics(container, 'Close'),
      projects,
      sqs: sqsFor(container, [closes, deadLetters]),
      closeQueueUrl: closes.url,
      deadLetterQueueUrl: deadLetters.url,
      fetch: polyai.fetchFrom(container),
      random: random.next,
    });
  const close = deploy<SQSEvent, SQSBatchResponse>('Close', 30 * SECOND, worker(embedded.projects));

  return {
    close,
    /** Deploys a worker with these projects. */
    deployWorker: (projects: Embedded['projects']) => close.replace(worker(projects)),
    receive: deploy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>(
      'Receive',
      10 * SECOND,
      (container) => {
        const connections = bindWebhooks(embedded.connections);
        return createReceive({ ...basics(container, 'Receive'), connections });
      },
    ),
    event: deploy<SQSEvent, SQSBatchResponse>('Event', 10 * SECOND, (container) => {
      const connections = bindAllEvents(embedded.eventConnections);
      return createEvents({ ...basics(container, 'Event'), connections });
    }),
    cleanup: deploy<unknown, unknown>('Cleanup', 900 * SECOND, (container) => {
      const run = createCleanup({
        ...basics(container, 'Cleanup'),
        projects: embedded.listedProjects,
        fetch: polyai.fetchFrom(container),
        sleep: (ms) => container.reach(ms, () => undefined),
        random: random.next,
      });
      return (event, context) => run(event, { ...context, awsRequestId: nextRun('cleanup') });
    }),
    /** Only for a stack with a canary. */
    canary: () =>
      deploy<unknown, void>('Canary', 20 * SECOND, (container) => {
        const run = createCanary({
          ...basics(container, 'Canary'),
          url: 'https://api.example.com/webhooks/canary',
          secretId: embedded.connections.canary?.secretId ?? '',
          fetch: fetchCanary,
        });
        return () => run({}, { awsRequestId: nextRun('canary') });
      }),
  };
}

/** @returns a function that deploys one of the stack's functions, whose failures are counted */
function createDeployment({ clock, random, account, faults }: FunctionsParts) {
  return <Event, Result>(name: string, timeoutMs: number, make: Make<Event, Result>): Pool<Event, Result> => {
    const guard =
      (made: Make<Event, Result>): Make<Event, Result> =>
      (container) => {
        const handle = made(container);
        return async (event, context) => {
          if (faults.crashing.has(name)) throw new Error('out of memory');
          return handle(event, context);
        };
      };
    const pool = createPool(clock, random.fork(), { timeoutMs, skewMs: 0 }, guard(make));
    return { ...account.watch(name, pool), replace: (next) => pool.replace(guard(next)) };
  };
}

/** @returns a function that makes what every function has */
function createBasics({ account, faults, vault, closes }: FunctionsParts) {
  return (container: Container, name: string) => ({
    secrets: createSecretReader(
      (id) =>
        container.reach(READ_MS, () => {
          if (faults.deniedSecrets.has(id)) throw accessDenied();
          return { SecretString: vault.get(id) ?? '' };
        }),
      container.now,
    ),
    queue: (requests: Parameters<typeof queueCloses>[2]) =>
      queueCloses(sqsFor(container, [closes]), closes.url, requests),
    writeLine: account.logOf(name),
    now: container.now,
  });
}

function sqsFor(container: Container, queues: Queue[]): CloseParts['sqs'] {
  const send = (command: { input: object }) => container.reach(SEND_MS, () => answerCommand(queues, command));
  return { send } as unknown as CloseParts['sqs'];
}

function accessDenied(): Error {
  return Object.assign(new Error(), {
    name: 'AccessDeniedException',
    $metadata: { httpStatusCode: 400 },
  });
}
