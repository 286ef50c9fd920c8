import { isOnBus } from '../../infra/config/bus.ts';
import type { Configuration } from '../../infra/config/load.ts';
import { signZendesk, zendeskEvent } from '../../samples/delivery.ts';
import type { Clock } from '../soak/clock.ts';
import type { Queue } from '../soak/sqs-model.ts';
import type { Faults } from './faults.ts';
import type { Gateway } from './gateway.ts';
import type { SimulatedProject } from './polyai.ts';

/** The topic of Genesys's event, with a literal `{id}`. */
const CUSTOMER_END = 'v2.detail.events.conversation.{id}.customer.end';

type CrmsParts = {
  clock: Clock;
  configuration: Configuration;
  faults: Faults;
  gateway: Gateway;
  events: Queue;
  /** The secret that each CRM signs with. */
  signingSecrets: Record<string, string>;
  projectOf: (name: string) => SimulatedProject;
};

/** The customers' chats, and the CRMs that say when one is finished: Zendesk over webhooks, Genesys over a bus. */
export function createCrms(parts: CrmsParts) {
  const { clock, configuration, faults, gateway, events, signingSecrets, projectOf } = parts;
  let chats = 0;

  /** Sends a body that is signed as Zendesk does. */
  function deliver(connection: string, body: string, secret: string) {
    return gateway.request(connection, signZendesk({ secret, body, at: clock.now() }), body);
  }

  /** Does what a rule of the bus does. */
  function putEvent(connection: string, event: unknown): void {
    events.send({ body: JSON.stringify({ connection, event }) });
  }

  function putCustomerEnd(connection: string, project: string, conversationId: string): void {
    const time = new Date(clock.now()).toISOString();
    const sharedId = `shared-${conversationId}`;
    projectOf(project).api.share(sharedId, conversationId);
    const eventBody = { conversationId: sharedId, mediaType: 'CHAT', eventTime: time };
    const detail = { eventBody };
    putEvent(connection, { id: `event-${conversationId}`, 'detail-type': CUSTOMER_END, time, detail });
  }

  return {
    deliver,
    putEvent,
    /** Opens a chat. @returns its conversation id */
    openChat(project: string, listed: object = {}): string {
      const chat = { conversationId: `CHAT_${chats++}`, startedAt: clock.now(), ...listed };
      return projectOf(project).api.openChat(undefined, chat);
    },
    /** A chat is finished, and its CRM says so unless it is silent. */
    async finishChat(name: string, conversationId: string): Promise<void> {
      const connection = configuration.connections[name];
      if (!connection) throw new Error(`No connection is called ${name}.`);
      if (faults.silent.has(name)) return;
      if (isOnBus(connection.crm)) {
        putCustomerEnd(name, connection.polyai, conversationId);
      } else {
        const event = zendeskEvent({ externalId: conversationId, id: `delivery-${conversationId}` });
        await deliver(name, JSON.stringify(event), signingSecrets[name] ?? '');
      }
    },
  };
}
