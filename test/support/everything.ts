import { SMALLEST } from './configuration.ts';

const { support } = SMALLEST.polyai;
const cleanup = { schedule: 'rate(1 hour)', channels: ['CHAT'], oldestOpenAlarm: '2d' };

/** A connections.json that needs every part of the stack: webhooks, buses, cleanups, own secrets, alarms, a canary. */
export const EVERYTHING = {
  stack: {
    canary: { schedule: 'rate(5 minutes)', polyai: 'support' },
    alarms: { email: 'on-call@example.com', topicArn: 'arn:aws:sns:eu-west-1:111122223333:on-call' },
  },
  polyai: { support, cleaned: { ...support, projectId: 'PROJECT-2', cleanup } },
  connections: {
    ...SMALLEST.connections,
    gladly: { crm: 'gladly', polyai: 'support', lookUp: 'sharedId' },
    own: {
      crm: 'zendesk',
      polyai: 'support',
      existingSecret: 'crm/zendesk',
      existingSecretKey: 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555',
    },
    genesys: {
      crm: 'genesys-eventbridge',
      polyai: 'support',
      bus: 'aws.partner/genesys.com/cloud/1/2',
      lookUp: 'sharedId',
    },
  },
};
