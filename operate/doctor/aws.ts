import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SNSClient } from '@aws-sdk/client-sns';
import { RETRYING } from '../retrying.ts';

/** The clients that only the doctor needs. */
export type DoctorAws = {
  eventBridge: Pick<EventBridgeClient, 'send'>;
  serviceQuotas: Pick<ServiceQuotasClient, 'send'>;
  sns: Pick<SNSClient, 'send'>;
};

export function openDoctorAws(): DoctorAws {
  return {
    eventBridge: new EventBridgeClient(RETRYING),
    // An emulator may not have this service. The answer is no reason to wait.
    serviceQuotas: new ServiceQuotasClient({ maxAttempts: 2 }),
    sns: new SNSClient(RETRYING),
  };
}
