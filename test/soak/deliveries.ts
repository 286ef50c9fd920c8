import type { PolyAIStandIn } from '../../local/polyai-stand-in.ts';
import { zendeskEvent } from '../../samples/delivery.ts';
import type { Clock } from './clock.ts';
import type { Address } from './connections.ts';
import type { Ledger } from './ledger.ts';
import { REFUSAL_NAMES } from './polyai-network.ts';
import type { Random } from './random.ts';
import { HOUR, MINUTE, type Schedule, SECOND } from './schedule.ts';

/** A delivery that asks for closes, before it is signed. */
export type Delivery = {
  /** The name of its connection. */
  name: string;
  body: string;
  /** The ids of the chats that it asks to close. */
  chats: string[];
  /** Runs when it has been answered 200. */
  afterwards?: () => void;
  /** The maximum time after that until it may be repeated. */
  repeatedWithinS: number;
};

export type Chat = { id: string; sharedId: string; standIn: PolyAIStandIn; isNeverStored: boolean };

export type ComposerParts = {
  clock: Clock;
  random: Random;
  schedule: Schedule;
  ledger: Ledger;
  addresses: Record<string, Address>;
  /** By project. */
  standIns: Record<string, PolyAIStandIn>;
};

const REFUSED_SHARE = 0.004;
const NEVER_STORED_SHARE = 0.03;
const REOPENED_SHARE = 0.3;
/** Longer than a look-up may take, even when its delivery is repeated. */
const REOPENED_AFTER_MS: [number, number] = [17 * MINUTE, 8 * HOUR];

export type Composer = ReturnType<typeof createComposer>;

/**
 * Opens chats and composes the deliveries that finish them.
 *
 * @param deliver sends the delivery of a ticket that was reopened and is finished again
 */
export function createComposer(parts: ComposerParts, deliver: (delivery: Delivery) => void) {
  const { clock, random, schedule } = parts;
  const bodies = createBodies(clock);
  const openChat = createOpening(parts);

  function compose(): Delivery {
    const kind = random.next();
    if (kind < 0.12) return composeTickets(1 + random.index(3));
    if (kind < 0.17) {
      const chats = Array.from({ length: 2 + random.index(24) }, () => openChat('batches').id);
      return { name: 'batches', chats, body: bodies.batch(chats), repeatedWithinS: 600 };
    }
    const name = kind < 0.3 && isAdded() ? 'added' : 'support';
    const { id } = openChat(name);
    return { name, chats: [id], body: bodies.ticket(id), repeatedWithinS: 600 };
  }

  /** A deployment adds a connection. It is used as soon as the receiver knows it. */
  function isAdded(): boolean {
    const first = schedule.windows.find(({ trouble }) => trouble === 'receiver_ahead');
    return first !== undefined && clock.now() >= first.from;
  }

  /** Tickets share their ids with chats. Some are reopened later, and then the id belongs to another chat. */
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

  function finish(tickets: readonly Chat[], more: Partial<Delivery> = {}): Delivery {
    const chats = tickets.map(({ id }) => id);
    const body = bodies.stages(tickets.map(({ sharedId }) => sharedId));
    return { name: 'tickets', chats, body, repeatedWithinS: 60, ...more };
  }

  /** Gives the ticket a newer chat. Half of these tickets are finished again. */
  function reopen(sharedId: string): void {
    const newer = openChat('tickets', { shared: true, sharedId });
    newer.standIn.share(sharedId, newer.id);
    if (random.chance(0.5))
      clock.at(clock.now() + random.between(10 * MINUTE, 4 * HOUR), () => deliver(finish([newer])));
  }

  /** The body of a delivery of this connection about one chat. */
  function bodyFor(name: string, { id, sharedId }: { id: string; sharedId: string }): string {
    if (name === 'tickets') return bodies.stages([sharedId]);
    return name === 'batches' ? bodies.batch([id]) : bodies.ticket(id);
  }

  return { compose, openChat, isAdded, bodyFor };
}

/** @returns a function that opens a chat of a connection's project, and tells the ledger */
function createOpening({ random, ledger, addresses, standIns }: ComposerParts) {
  let tickets = 0;
  /** @param sharedId of a ticket that has been reopened */
  return (name: string, { shared = false, isDecoy = false, sharedId = '' } = {}): Chat => {
    const { project } = (addresses[name] as Address).connection;
    const standIn = standIns[project] as PolyAIStandIn;
    const id = standIn.openChat();
    // PolyAI refuses the same chats at every call.
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
  };
}

/** The bodies that the CRMs of the connections send. */
function createBodies(clock: Clock) {
  let events = 0;
  return {
    batch: (chats: readonly string[]) =>
      JSON.stringify({ status: 'closed', chats: chats.map((id) => ({ id })) }),
    ticket: (externalId: string) => JSON.stringify(zendeskEvent({ externalId })),
    /** A batch of HubSpot: each of these tickets enters a closed stage. */
    stages: (sharedIds: readonly string[]) =>
      JSON.stringify(
        sharedIds.map((sharedId) => ({
          eventId: events++,
          subscriptionType: 'ticket.propertyChange',
          occurredAt: clock.now(),
          objectId: Number(sharedId),
          propertyName: 'hs_pipeline_stage',
          propertyValue: '4',
        })),
      ),
  };
}
