import { LOCAL_REGION, LocalRunError } from './isolation.ts';

/** The little of EventBridge that the local run needs, by its JSON protocol; the adapter itself never calls it. */
export type EventBus = {
  /** @returns whether it was not there yet */
  create(name: string): Promise<boolean>;
  delete(name: string): Promise<void>;
  /** @param detail JSON */
  put(event: { bus: string; source: string; detailType: string; detail: unknown }): Promise<void>;
};

/** Emulators do not check the signature; they read region and service out of it. */
const AUTHORIZATION = `AWS4-HMAC-SHA256 Credential=local/20260101/${LOCAL_REGION}/events/aws4_request, SignedHeaders=host, Signature=none`;

/** @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html */
export function openEventBus(endpoint: string): EventBus {
  async function call(action: string, input: unknown): Promise<{ status: number; answer: Answer }> {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AWSEvents.${action}`,
        authorization: AUTHORIZATION,
      },
      body: JSON.stringify(input),
    });
    const text = await response.text();
    return { status: response.status, answer: text ? JSON.parse(text) : {} };
  }

  return {
    async create(Name) {
      if (Name === 'default') return false;
      const { status, answer } = await call('CreateEventBus', { Name });
      if (status === 200) return true;
      if (String(answer.__type).includes('ResourceAlreadyExists')) return false;
      throw new LocalRunError(`The bus ${Name} could not be made: the local AWS answered ${status}.`);
    },
    async delete(Name) {
      await call('DeleteEventBus', { Name });
    },
    async put({ bus, source, detailType, detail }) {
      const entry = {
        EventBusName: bus,
        Source: source,
        DetailType: detailType,
        Detail: JSON.stringify(detail),
      };
      const { status, answer } = await call('PutEvents', { Entries: [entry] });
      if (status !== 200 || answer.FailedEntryCount) {
        throw new LocalRunError(
          `The event could not be put: ${status} ${answer.Entries?.[0]?.ErrorCode ?? ''}`,
        );
      }
    },
  };
}

type Answer = { __type?: string; FailedEntryCount?: number; Entries?: { ErrorCode?: string }[] };
