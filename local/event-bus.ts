import {
  CreateEventBusCommand,
  DeleteEventBusCommand,
  EventBridgeClient,
  PutEventsCommand,
  ResourceAlreadyExistsException,
} from '@aws-sdk/client-eventbridge';
import { LOCAL_REGION, LocalRunError } from './isolation.ts';

/** The few calls of EventBridge that the local run needs. The adapter itself makes none. */
export type EventBus = {
  /** @returns whether it was created; `false` if it existed */
  create(name: string): Promise<boolean>;
  delete(name: string): Promise<void>;
  /** @param detail JSON */
  put(event: {
    bus: string;
    source: string;
    detailType: string;
    detail: unknown;
    resources?: string[];
  }): Promise<void>;
};

export function openEventBus(endpoint: string): EventBus {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new EventBridgeClient({ endpoint, region: LOCAL_REGION, credentials });
  return {
    async create(Name) {
      if (Name === 'default') return false;
      try {
        await client.send(new CreateEventBusCommand({ Name }));
        return true;
      } catch (error) {
        if (error instanceof ResourceAlreadyExistsException) return false;
        throw new LocalRunError(`Cannot create the bus ${Name}: ${(error as Error).message}`);
      }
    },
    async delete(Name) {
      await client.send(new DeleteEventBusCommand({ Name }));
    },
    async put({ bus, source, detailType, detail, resources = [] }) {
      const entry = {
        EventBusName: bus,
        Source: source,
        DetailType: detailType,
        Detail: JSON.stringify(detail),
        Resources: resources,
      };
      const { FailedEntryCount, Entries } = await client.send(new PutEventsCommand({ Entries: [entry] }));
      if (FailedEntryCount)
        throw new LocalRunError(`EventBridge did not accept the event: ${Entries?.[0]?.ErrorCode}`);
    },
  };
}
