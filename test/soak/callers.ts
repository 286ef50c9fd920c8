import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { apiGatewayEvent } from '../../samples/delivery.ts';
import type { Address } from './connections.ts';
import { type ComposerParts, createComposer, type Delivery } from './deliveries.ts';
import type { Pool } from './lambda.ts';
import { HOUR, MINUTE, SECOND } from './schedule.ts';
import { signDelivery } from './sign.ts';
import { createStrangers } from './strangers.ts';

export type CallersSettings = ComposerParts & {
  closes: number;
  start: number;
  /** The time over which the deliveries are spread. */
  spanMs: number;
  receive: Pool<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>;
};

/** A CRM waits this long for an answer. */
const ANSWER_WITHIN_MS = 5 * SECOND;
const RETRIES_MS = [30 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR];
const HOST = 'a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com';

type Answer = Pick<APIGatewayProxyStructuredResultV2, 'statusCode' | 'body'>;

/** The request id of the answer. For a repeated delivery it is the id of the first one. */
function requestIdOf({ body = '{}' }: Answer): string {
  return JSON.parse(body).requestId;
}

/** Starts the CRMs, and strangers who forge deliveries of theirs. */
export function startCallers(settings: CallersSettings): void {
  const { clock, random, ledger, closes, start, spanMs } = settings;
  const line = openLine(settings);
  const composer = createComposer(settings, (delivery) => void deliver(delivery));
  const disturb = createStrangers(settings, composer, line);
  let asked = 0;

  /** Sends a valid delivery once. @returns whether it was acknowledged */
  async function attempt({ name, body, chats }: Delivery): Promise<boolean> {
    const requestId = line.createRequestId();
    ledger.requested(requestId, chats);
    const answer = await line.post(line.sign(name, body, requestId));
    if (answer?.statusCode !== 200) return false;
    ledger.acknowledged(requestIdOf(answer), chats);
    return true;
  }

  async function deliver(delivery: Delivery): Promise<void> {
    for (const id of delivery.chats) ledger.asked(id);
    for (const waitMs of [...RETRIES_MS, undefined]) {
      if (await attempt(delivery)) {
        delivery.afterwards?.();
        const laterMs = random.between(1, delivery.repeatedWithinS) * SECOND;
        if (random.chance(0.03)) clock.at(clock.now() + laterMs, () => void attempt(delivery));
        return;
      }
      if (waitMs === undefined) break;
      await clock.sleep(waitMs * random.between(0.9, 1.1));
    }
    ledger.gaveUp();
  }

  function next(): void {
    if (asked >= closes) return;
    const burst = random.chance(0.002) ? Math.min(100, closes - asked) : 1;
    for (let index = 0; index < burst; index += 1) {
      const delivery = composer.compose();
      asked += delivery.chats.length;
      void deliver(delivery);
    }
    if (random.chance(0.15)) void disturb();
    // The mean gap follows from what is left, so the run keeps to its span whatever the sizes of the batches are.
    const left = Math.max(1, start + spanMs - clock.now());
    clock.at(clock.now() + random.gap((left / Math.max(1, closes - asked)) * 1.9), next);
  }

  clock.at(start, next);
}

/** The way of a request to the receiver. */
function openLine({ clock, random, addresses, receive }: CallersSettings) {
  let requests = 0;
  return {
    host: HOST,
    createRequestId: () => `request-${requests++}`,
    /** Signs as the CRM does now. */
    sign(name: string, body: string, requestId: string): APIGatewayProxyEventV2 {
      const { connection, secret } = addresses[name] as Address;
      const url = `https://${HOST}/webhooks/${name}`;
      const headers = signDelivery(connection, {
        secret: secret.signingSecret,
        body,
        at: clock.now(),
        url,
      });
      return apiGatewayEvent({ connection: name, headers, body, requestId });
    },
    /** @returns the answer that the CRM sees; `undefined` when none came in time */
    async post(request: APIGatewayProxyEventV2): Promise<Answer | undefined> {
      const timeout = clock.sleep(ANSWER_WITHIN_MS).then(() => undefined);
      const kill = random.chance(0.0005) ? { killAfterMs: random.between(1, 200) } : {};
      const answered = receive
        .invoke(request, kill)
        // API Gateway answers 503 when a function ends without an answer.
        .then((outcome) => ('result' in outcome ? outcome.result : { statusCode: 503 }));
      return Promise.race([answered, timeout]);
    },
  };
}
