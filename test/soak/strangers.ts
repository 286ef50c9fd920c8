import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { zendeskEvent } from '../../samples/delivery.ts';
import { type Address, FIRST_CONNECTIONS } from './connections.ts';
import type { Chat, Composer, ComposerParts } from './deliveries.ts';
import { forge } from './forgeries.ts';

type Sending = {
  host: string;
  createRequestId: () => string;
  /** Signs as the CRM does now. */
  sign: (name: string, body: string, requestId: string) => APIGatewayProxyEventV2;
  post: (request: APIGatewayProxyEventV2) => Promise<{ statusCode?: number | undefined } | undefined>;
};

const MAX_DECOYS = 50;

/** @returns a function that sends a forged delivery, or a valid one of a chat that is not finished */
export function createStrangers(
  { clock, random, ledger, addresses }: ComposerParts,
  { isAdded, openChat, bodyFor }: Composer,
  { host, createRequestId, sign, post }: Sending,
): () => Promise<void> {
  const decoys: Record<string, Chat[]> = {};

  /** One of a few open chats that no valid delivery ever asks to close. */
  function decoyOf(name: string): Chat {
    const known = decoys[name] ?? [];
    decoys[name] = known;
    if (known.length > 0 && random.chance(0.7)) return random.pick(known);
    const decoy = openChat(name, { shared: name === 'tickets', isDecoy: true });
    if (decoy.sharedId) decoy.standIn.share(decoy.sharedId, decoy.id);
    if (known.push(decoy) > MAX_DECOYS) known.shift();
    return decoy;
  }

  return async () => {
    const name = random.pick(isAdded() ? [...FIRST_CONNECTIONS, 'added'] : FIRST_CONNECTIONS);
    const decoy = decoyOf(name);
    const requestId = createRequestId();
    if (random.chance(0.15)) {
      const open = JSON.stringify(zendeskEvent({ externalId: decoyOf('support').id, current: 'OPEN' }));
      await post(sign('support', open, requestId));
      return;
    }
    const other = addresses[random.pick(FIRST_CONNECTIONS.filter((each) => each !== name))] as Address;
    const target = {
      name,
      address: addresses[name] as Address,
      other,
      host,
      now: clock.now(),
      requestId,
      body: bodyFor(name, decoy),
      valid: bodyFor(name, { id: 'another', sharedId: '999' }),
    };
    ledger.forged((await post(forge(target, random)))?.statusCode === 200);
  };
}
