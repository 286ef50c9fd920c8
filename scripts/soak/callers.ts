import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Connection } from '../../functions/connections.ts';
import { apiGatewayEvent, changeCharacter, prove, zendeskEvent } from '../../test/support/delivery.ts';
import type { PolyAIStandIn } from '../../test/support/polyai-stand-in.ts';
import type { Clock } from './clock.ts';
import type { Pool } from './lambda.ts';
import type { Ledger } from './ledger.ts';
import { REFUSAL_NAMES } from './polyai.ts';
import type { Random } from './random.ts';
import { HOUR, MINUTE, type Schedule, SECOND } from './schedule.ts';

/** What the CRMs send to, and how each of them proves its deliveries. */
export type Address = {
  connection: Connection;
  secret: { signingSecret: string };
};

type Delivery = {
  name: string;
  body: string;
  /** The chats that it asks to close. */
  chats: string[];
  /** Of the first try to be answered 200. */
  afterwards?: () => void;
};

export type CallersSettings = {
  closes: number;
  start: number;
  /** Over which the deliveries are spread. */
  spanMs: number;
  addresses: Record<string, Address>;
  /** By project. */
  standIns: Record<string, PolyAIStandIn>;
  receive: Pool<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>;
};

/** A CRM waits this long. */
const PATIENCE_MS = 5 * SECOND;
const RETRIES_MS = [30 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR];
const REFUSED_SHARE = 0.004;

/** The CRMs, and those who would like to be one. */
export function startCallers(
  clock: Clock,
  random: Random,
  schedule: Schedule,
  ledger: Ledger,
  { closes, start, spanMs, addresses, standIns, receive }: CallersSettings,
): void {
  const host = 'a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com';
  const decoys: string[] = [];
  let asked = 0;
  let requests = 0;
  let tickets = 0;

  function openChat(name: string, { shared = false, isDecoy = false } = {}) {
    const { project } = (addresses[name] as Address).connection;
    const standIn = standIns[project] as PolyAIStandIn;
    const id = standIn.openChat();
    // Which chats PolyAI refuses does not change from call to call.
    const refusedAs =
      !isDecoy && !shared && random.chance(REFUSED_SHARE) ? random.pick(REFUSAL_NAMES) : undefined;
    const sharedId = shared ? `${1_000_000 + tickets++}` : undefined;
    ledger.opened(id, project, { ...(sharedId && { sharedId }), ...(refusedAs && { refusedAs }) });
    if (isDecoy) {
      decoys.push(id);
      if (decoys.length > 50) decoys.shift();
    }
    return { id, sharedId: sharedId ?? '', standIn, project };
  }

  function compose(): Delivery {
    const kind = random.next();
    if (kind < 0.12) return composeTickets(1 + random.index(3));
    if (kind < 0.17) {
      const chats = Array.from({ length: 2 + random.index(24) }, () => openChat('batches').id);
      return {
        name: 'batches',
        chats,
        body: JSON.stringify({ status: 'closed', chats: chats.map((id) => ({ id })) }),
      };
    }
    const name = kind < 0.3 && isAdded() ? 'added' : 'support';
    const { id } = openChat(name);
    return { name, chats: [id], body: JSON.stringify(zendeskEvent({ externalId: id })) };
  }

  /** The connection that a deployment brings is used from when its receiver is there. */
  function isAdded(): boolean {
    const first = schedule.windows.find(({ trouble }) => trouble === 'receiver_ahead');
    return first !== undefined && clock.now() >= first.from;
  }

  /** Tickets share their ids with chats; some are opened again later, and then the id means another chat. */
  function composeTickets(count: number): Delivery {
    const opened = Array.from({ length: count }, () => openChat('tickets', { shared: true }));
    for (const { id, sharedId, standIn } of opened) {
      if (random.chance(0.9)) standIn.share(sharedId, id);
      // The agent stores it a little late.
      else clock.at(clock.now() + random.between(1, 90) * SECOND, () => standIn.share(sharedId, id));
    }
    const events = opened.map(({ sharedId }, index) => ({
      eventId: requests * 10 + index,
      subscriptionType: 'ticket.propertyChange',
      objectId: Number(sharedId),
      propertyName: 'hs_pipeline_stage',
      propertyValue: '4',
    }));
    return {
      name: 'tickets',
      chats: opened.map(({ id }) => id),
      body: JSON.stringify(events),
      afterwards: () => {
        for (const { sharedId, standIn, project } of opened) {
          if (!random.chance(0.3)) continue;
          clock.at(clock.now() + random.between(17 * MINUTE, 8 * HOUR), () => {
            const newer = standIn.openChat();
            ledger.opened(newer, project, { sharedId });
            standIn.share(sharedId, newer);
          });
        }
      },
    };
  }

  function event(name: string, body: string, change: (headers: Record<string, string>) => void = () => {}) {
    const { connection, secret } = addresses[name] as Address;
    const url = `https://${host}/webhooks/${name}`;
    const at = clock.now();
    const { headers } = prove(connection.verify, secret, { body, at, url, method: 'POST' });
    change(headers);
    return apiGatewayEvent({ connection: name, headers, body, requestId: `request-${requests++}` });
  }

  /** @returns the status, or nothing where none came in time */
  async function post(request: APIGatewayProxyEventV2): Promise<number | undefined> {
    const patience = clock.sleep(PATIENCE_MS).then(() => undefined);
    const kill = random.chance(0.0005) ? { killAfterMs: random.between(1, 200) } : {};
    const answered = receive.invoke(request, kill).then((outcome) =>
      // A function that ends without an answer is the gateway's 503.
      'result' in outcome ? outcome.result.statusCode : 503,
    );
    return Promise.race([answered, patience]);
  }

  async function deliver(delivery: Delivery): Promise<void> {
    for (const id of delivery.chats) ledger.asked(id);
    for (const waitMs of [...RETRIES_MS, undefined]) {
      const status = await post(event(delivery.name, delivery.body));
      if (status === 200) {
        for (const id of delivery.chats) ledger.acknowledged(id);
        delivery.afterwards?.();
        if (random.chance(0.03))
          clock.at(clock.now() + random.between(1, 600) * SECOND, () => void repeat(delivery));
        return;
      }
      if (waitMs === undefined) break;
      await clock.sleep(waitMs * random.between(0.9, 1.1));
    }
    ledger.gaveUp();
  }

  async function repeat({ name, body }: Delivery): Promise<void> {
    await post(event(name, body));
  }

  /** A chat that nobody asked to close, in a delivery that is not genuine, or that says that it goes on. */
  async function disturb(): Promise<void> {
    const target =
      decoys.length > 0 && random.chance(0.7)
        ? random.pick(decoys)
        : openChat('support', { isDecoy: true }).id;
    const body = JSON.stringify(zendeskEvent({ externalId: target }));
    const kind = random.index(6);
    if (kind === 0) {
      await post(event('support', JSON.stringify(zendeskEvent({ externalId: target, current: 'OPEN' }))));
      return;
    }
    const forged =
      kind === 1
        ? event('support', body, (headers) => {
            headers['x-zendesk-webhook-signature'] = changeCharacter(
              headers['x-zendesk-webhook-signature'] ?? '',
              3,
            );
          })
        : kind === 2
          ? event('support', body, (headers) => {
              delete headers['x-zendesk-webhook-signature'];
            })
          : kind === 3
            ? { ...event('support', JSON.stringify(zendeskEvent({ externalId: 'another' }))), body }
            : kind === 4
              ? stale(body)
              : apiGatewayEvent({ connection: 'nobody', body, requestId: `request-${requests++}` });
    ledger.forged((await post(forged)) === 200);
  }

  /** Overheard, and sent again ten minutes later. */
  function stale(body: string): APIGatewayProxyEventV2 {
    const { connection, secret } = addresses.support as Address;
    const at = clock.now() - 10 * MINUTE;
    const { headers } = prove(connection.verify, secret, { body, at });
    return apiGatewayEvent({ connection: 'support', headers, body, requestId: `request-${requests++}` });
  }

  function next(): void {
    if (asked >= closes) return;
    const burst = random.chance(0.002) ? Math.min(100, closes - asked) : 1;
    for (let index = 0; index < burst; index += 1) {
      const delivery = compose();
      asked += delivery.chats.length;
      void deliver(delivery);
    }
    if (random.chance(0.06)) void disturb();
    // The mean keeps the whole within its span, whatever the batches were.
    const left = Math.max(1, start + spanMs - clock.now());
    clock.at(clock.now() + random.gap((left / Math.max(1, closes - asked)) * 1.9), next);
  }

  clock.at(start, next);
}
