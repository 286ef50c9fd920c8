import { EVERYTHING } from './everything.ts';

export const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555';
export const OPERATORS = 'arn:aws:iam::111122223333:role/operators';

/** Every setting that an account with rules asks for, on a stack that has every part. */
export const REGULATED = {
  ...EVERYTHING,
  stack: {
    ...EVERYTHING.stack,
    encryptionKey: KEY,
    vpc: {
      vpcId: 'vpc-0a1b2c3d4e5f60718',
      subnetIds: ['subnet-0a1b2c3d4e5f60718', 'subnet-1a1b2c3d4e5f60718'],
      securityGroupIds: ['sg-0a1b2c3d4e5f60718'],
    },
    domain: {
      name: 'chats.example.com',
      certificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/11111111-2222-3333-4444-555555555555',
      truststore: 's3://example-trust/crm-clients.pem',
    },
    reservedConcurrency: 50,
    queueSenders: [OPERATORS],
    tags: { 'cost-centre': '4711' },
    systemLogLevel: 'INFO',
    terminationProtection: true,
  },
};
