import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SNSClient } from '@aws-sdk/client-sns';
import { RETRYING } from '../outputs.ts';

/** The clients that only the doctor needs. */
export type DoctorAws = {
  eventBridge: Pick<EventBridgeClient, 'send'>;
  sns: Pick<SNSClient, 'send'>;
};

export function openDoctorAws(): DoctorAws {
  return { eventBridge: new EventBridgeClient(RETRYING), sns: new SNSClient(RETRYING) };
}
