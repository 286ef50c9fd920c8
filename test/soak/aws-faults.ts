import type { CloseParts } from '../../functions/close.lambda.ts';
import { createSecretReader, type SecretReader } from '../../functions/secrets.ts';
import type { Clock } from './clock.ts';
import type { Container } from './lambda.ts';
import type { Random } from './random.ts';
import { type Schedule, SECOND } from './schedule.ts';
import { answerCommand, type Queue } from './sqs-model.ts';

/** How often calls to AWS fail at random, as a share of `failing`. */
const SEND_FAILS = 0.1;
const READ_FAILS = 0.3;

/** An error as the SDK throws it after its own attempts. */
function awsError(name: string, status: number): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });
}

/** @returns a function that makes a container's SQS client, whose calls may fail */
export function createSqs(
  clock: Clock,
  random: Random,
  schedule: Schedule,
  queues: readonly Queue[],
  { deadLetterQueueUrl, failing }: { deadLetterQueueUrl: string; failing: number },
): (container: Container) => CloseParts['sqs'] {
  const during = (trouble: Parameters<Schedule['during']>[0]) => schedule.during(trouble, clock.now());

  function fate(command: { input: object }): 'fails' | 'fails_partly' | 'unanswered' | undefined {
    const name = command.constructor.name;
    const isDeadLetter = (command.input as { QueueUrl?: string }).QueueUrl === deadLetterQueueUrl;
    if (random.chance(failing * SEND_FAILS)) return 'fails';
    if (name === 'ChangeMessageVisibilityCommand') {
      return during('visibility_fails') && random.chance(0.5) ? 'fails' : undefined;
    }
    if (isDeadLetter) return during('dead_letter_fails') ? random.pick(['fails', 'unanswered']) : undefined;
    if (during('send_fails')) return 'fails';
    if (during('send_unanswered') && random.chance(0.5)) return 'unanswered';
    return during('send_fails_partly') ? 'fails_partly' : undefined;
  }

  const create = (container: Container) => ({
    async send(command: { input: object }) {
      const what = fate(command);
      if (what) container.hinderedAt = clock.now();
      // The SDK makes two attempts of two seconds each.
      if (what === 'unanswered') {
        return container.reach(4 * SECOND, () => {
          answerCommand(queues, command);
          throw awsError('TimeoutError', 0);
        });
      }
      return container.reach(random.between(5, 40), () => {
        if (what === 'fails') throw awsError('ServiceUnavailable', 503);
        return what === 'fails_partly' ? partly(command) : answerCommand(queues, command);
      });
    },
  });

  function partly(command: { input: object }): object {
    const { Entries = [] } = command.input as { Entries?: { Id: string }[] };
    const refused = Entries.filter(() => random.chance(0.3));
    const rest = Entries.filter((entry) => !refused.includes(entry));
    const Failed = refused.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false }));
    if (rest.length === 0) return { Failed };
    const taken = Object.assign(Object.create(Object.getPrototypeOf(command)), command, {
      input: { ...command.input, Entries: rest },
    });
    return { ...answerCommand(queues, taken), ...(Failed.length > 0 && { Failed }) };
  }

  return create as unknown as (container: Container) => CloseParts['sqs'];
}

/** Secrets Manager: texts by id. Reading them may fail. */
export function createVault(clock: Clock, random: Random, schedule: Schedule, failing: number) {
  const texts = new Map<string, string>();

  async function fetchSecret(container: Container, id: string): Promise<{ SecretString: string }> {
    const during = (trouble: Parameters<Schedule['during']>[0]) => schedule.during(trouble, clock.now());
    const failure = (name: string, status: number) => {
      container.hinderedAt = clock.now();
      return awsError(name, status);
    };
    const ms = during('secrets_slow') ? random.between(1, 6) * SECOND : random.between(8, 60);
    return container.reach(ms, () => {
      if (during('secrets_throttled') && random.chance(0.9)) throw failure('ThrottlingException', 400);
      if (during('secrets_fail')) throw failure('InternalServiceError', 500);
      if (during('secrets_denied')) throw failure('AccessDeniedException', 400);
      if (random.chance(failing * READ_FAILS)) throw failure('TimeoutError', 0);
      return { SecretString: texts.get(id) ?? '' };
    });
  }

  return {
    put: (id: string, value: object) => {
      texts.set(id, JSON.stringify(value));
    },
    /** Each container has its own reader, which starts with an empty cache. */
    readerFor: (container: Container): SecretReader =>
      createSecretReader((id) => fetchSecret(container, id), container.now),
  };
}
