import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { apiGatewayEvent, zendeskEvent } from '../../local/delivery.ts';
import type { PolyAIStandIn } from '../../local/polyai-stand-in.ts';
import type { Clock } from './clock.ts';
import type { Address } from './connections.ts';
import { forge } from './forgeries.ts';
import type { Pool } from './lambda.ts';
import type { Ledger } from './ledger.ts';
import { REFUSAL_NAMES } from './polyai-network.ts';
import type { Random } from './random.ts';
import { HOUR, MINUTE, type Schedule, SECOND } from './schedule.ts';
import { signDelivery } from './sign.ts';

type Delivery = {
  name: string;
  body: string;
  /** The chats that it asks to close. */
  chats: string[];
  /** When it has been answered 200. */
  afterwards?: () => void;
  /** How long after that it may come once more. */
  repeatedWithinS: number;
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
const NEVER_STORED_SHARE = 0.03;
const REOPENED_SHARE = 0.3;
/** Longer than a look-up may take, with a delivery that is repeated. */
const REOPENED_AFTER_MS: [number, number] = [17 * MINUTE, 8 * HOUR];

type Answer = Pick<APIGatewayProxyStructuredResultV2, 'statusCode' | 'body'>;

/** The connections that are there from the start. */
const BEFORE = ['support', 'batches', 'tickets'];

/** The id that the answer gives: the delivery's own, or that of the delivery which it repeats. */
function requestIdOf({ body = '{}' }: Answer): string {
  return JSON.parse(body).requestId;
}

/** The CRMs, and those who would like to be one. */
export function startCallers(
  clock: Clock,
  random: Random,
  schedule: Schedule,
  ledger: Ledger,
  { closes, start, spanMs, addresses, standIns, receive }: CallersSettings,
): void {
  const host = 'a1b2c3d4e5.execute-api.eu-west-2.amazonaws.com';
  const decoys: Record<string, { id: string; sharedId: string }[]> = {};
  let asked = 0;
  let requests = 0;
  let tickets = 0;
  let stages = 0;

  /** @param sharedId of a ticket that has been opened again */
  function openChat(name: string, { shared = false, isDecoy = false, sharedId = '' } = {}) {
    const { project } = (addresses[name] as Address).connection;
    const standIn = standIns[project] as PolyAIStandIn;
    const id = standIn.openChat();
    // Which chats PolyAI refuses does not change from call to call.
    const refusedAs =
      !isDecoy && !shared && random.chance(REFUSED_SHARE) ? random.pick(REFUSAL_NAMES) : undefined;
    const ticket = shared ? sharedId || `${1_000_000 + tickets++}` : '';
    const isNeverStored = shared && !isDecoy && !sharedId && random.chance(NEVER_STORED_SHARE);
    ledger.opened(id, project, {
      ...(ticket && { sharedId: ticket }),
      ...(refusedAs && { refusedAs }),
      ...(isNeverStored && { isNeverStored }),
    });
    return { id, sharedId: ticket, standIn, isNeverStored };
  }

  function compose(): Delivery {
    const kind = random.next();
    if (kind < 0.12) return composeTickets(1 + random.index(3));
    if (kind < 0.17) {
      const chats = Array.from({ length: 2 + random.index(24) }, () => openChat('batches').id);
      return {
        name: 'batches',
        chats,
        body: batch(chats),
        repeatedWithinS: 600,
      };
    }
    const name = kind < 0.3 && isAdded() ? 'added' : 'support';
    const { id } = openChat(name);
    return { name, chats: [id], body: ticketEvent(id), repeatedWithinS: 600 };
  }

  function batch(chats: readonly string[]): string {
    return JSON.stringify({ status: 'closed', chats: chats.map((id) => ({ id })) });
  }

  function ticketEvent(externalId: string): string {
    return JSON.stringify(zendeskEvent({ externalId }));
  }

  /** One batch of HubSpot's, of tickets whose stage is now a closed one. */
  function stageEvents(sharedIds: readonly string[]): string {
    const events = sharedIds.map((sharedId) => ({
      eventId: stages++,
      subscriptionType: 'ticket.propertyChange',
      occurredAt: clock.now(),
      objectId: Number(sharedId),
      propertyName: 'hs_pipeline_stage',
      propertyValue: '4',
    }));
    return JSON.stringify(events);
  }

  /** The connection that a deployment brings is used from when its receiver is there. */
  function isAdded(): boolean {
    const first = schedule.windows.find(({ trouble }) => trouble === 'receiver_ahead');
    return first !== undefined && clock.now() >= first.from;
  }

  /** Tickets share their ids with chats; some are opened again later, and then the id means another chat. */
  function composeTickets(count: number): Delivery {
    const opened = Array.from({ length: count }, () => openChat('tickets', { shared: true }));
    for (const { id, sharedId, standIn, isNeverStored } of opened) {
      if (isNeverStored) continue;
      if (random.chance(0.9)) standIn.share(sharedId, id);
      // The agent stores it a little late.
      else clock.at(clock.now() + random.between(1, 90) * SECOND, () => standIn.share(sharedId, id));
    }
    const afterwards = () => {
      for (const { sharedId } of opened) {
        if (random.chance(REOPENED_SHARE))
          clock.at(clock.now() + random.between(...REOPENED_AFTER_MS), () => reopen(sharedId));
      }
    };
    return finish(opened, { afterwards });
  }

  function finish(
    tickets: readonly { id: string; sharedId: string }[],
    more: Partial<Delivery> = {},
  ): Delivery {
    const chats = tickets.map(({ id }) => id);
    const body = stageEvents(tickets.map(({ sharedId }) => sharedId));
    return { name: 'tickets', chats, body, repeatedWithinS: 60, ...more };
  }

  /** The ticket has a newer chat now, which half of the tickets are finished with. */
  function reopen(sharedId: string): void {
    const newer = openChat('tickets', { shared: true, sharedId });
    newer.standIn.share(sharedId, newer.id);
    if (random.chance(0.5))
      clock.at(clock.now() + random.between(10 * MINUTE, 4 * HOUR), () => void deliver(finish([newer])));
  }

  /** Signed as the CRM does it now. */
  function event(name: string, body: string, requestId: string) {
    const { connection, secret } = addresses[name] as Address;
    const url = `https://${host}/webhooks/${name}`;
    const signing = { secret: secret.signingSecret, body, at: clock.now(), url };
    const headers = signDelivery(connection, signing);
    return apiGatewayEvent({ connection: name, headers, body, requestId });
  }

  /** @returns what the CRM sees, or nothing where no answer came in time */
  async function post(request: APIGatewayProxyEventV2): Promise<Answer | undefined> {
    const patience = clock.sleep(PATIENCE_MS).then(() => undefined);
    const kill = random.chance(0.0005) ? { killAfterMs: random.between(1, 200) } : {};
    const answered = receive
      .invoke(request, kill)
      // A function that ends without an answer is the gateway's 503.
      .then((outcome) => ('result' in outcome ? outcome.result : { statusCode: 503 }));
    return Promise.race([answered, patience]);
  }

  /** Sends a genuine delivery once. @returns whether it was acknowledged */
  async function attempt({ name, body, chats }: Delivery): Promise<boolean> {
    const requestId = `request-${requests++}`;
    ledger.requested(requestId, chats);
    const answer = await post(event(name, body, requestId));
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

  /** A chat that nobody asked to close, in a delivery that is not genuine, or that says that it goes on. */
  async function disturb(): Promise<void> {
    const name = random.pick(isAdded() ? ['support', 'batches', 'tickets', 'added'] : BEFORE);
    const decoy = decoyOf(name);
    const requestId = `request-${requests++}`;
    if (random.chance(0.15)) {
      const open = JSON.stringify(zendeskEvent({ externalId: decoyOf('support').id, current: 'OPEN' }));
      await post(event('support', open, requestId));
      return;
    }
    const other = addresses[random.pick(BEFORE.filter((each) => each !== name))] as Address;
    const address = addresses[name] as Address;
    const bodies = { body: bodyFor(name, decoy), genuine: bodyFor(name, { id: 'another', sharedId: '999' }) };
    const target = { name, address, other, host, now: clock.now(), requestId, ...bodies };
    ledger.forged((await post(forge(target, random)))?.statusCode === 200);
  }

  /** One of some open chats that no genuine delivery ever names. */
  function decoyOf(name: string): { id: string; sharedId: string } {
    const known = decoys[name] ?? [];
    decoys[name] = known;
    if (known.length > 0 && random.chance(0.7)) return random.pick(known);
    const decoy = openChat(name, { shared: name === 'tickets', isDecoy: true });
    if (decoy.sharedId) decoy.standIn.share(decoy.sharedId, decoy.id);
    if (known.push(decoy) > 50) known.shift();
    return decoy;
  }

  function bodyFor(name: string, { id, sharedId }: { id: string; sharedId: string }): string {
    if (name === 'tickets') return stageEvents([sharedId]);
    return name === 'batches' ? batch([id]) : ticketEvent(id);
  }

  function next(): void {
    if (asked >= closes) return;
    const burst = random.chance(0.002) ? Math.min(100, closes - asked) : 1;
    for (let index = 0; index < burst; index += 1) {
      const delivery = compose();
      asked += delivery.chats.length;
      void deliver(delivery);
    }
    if (random.chance(0.15)) void disturb();
    // The mean keeps the whole within its span, whatever the batches were.
    const left = Math.max(1, start + spanMs - clock.now());
    clock.at(clock.now() + random.gap((left / Math.max(1, closes - asked)) * 1.9), next);
  }

  clock.at(start, next);
}
