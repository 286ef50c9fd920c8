import { z } from 'zod';
import { checked, formed, keys, oneOf, refuse, text, whole } from './values.ts';

// What an account with rules asks for. Everything here is off by default.

const WRITE_KEY = 'Write the ARN of a key: arn:aws:kms:<region>:<account>:key/<id>';
const WRITE_VPC = 'Write ids as the VPC console shows them';

const vpc = keys('The functions run in this VPC. Its subnets need a way to AWS and to PolyAI.', {
  vpcId: formed(
    { description: 'Id of the VPC.', fix: WRITE_VPC },
    /^vpc-[0-9a-f]{8,17}$/,
    'is not the id of a VPC',
  ),
  subnetIds: listOf(
    'Private subnets, best in two availability zones.',
    /^subnet-[0-9a-f]{8,17}$/,
    'subnets',
    WRITE_VPC,
  ),
  securityGroupIds: listOf(
    'Security groups of the functions. They need no inbound rule.',
    /^sg-[0-9a-f]{8,17}$/,
    'security groups',
    WRITE_VPC,
  ),
});

const domain = keys('A domain name of your own. The API’s own address is then switched off.', {
  name: formed(
    {
      description: 'The domain name, such as chats.example.com.',
      fix: 'Write a host name in lower case, without https://',
    },
    /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    'is not a host name',
  ),
  certificateArn: formed(
    {
      description: 'ARN of its certificate in ACM, in the region of the stack.',
      fix: 'Write the ARN of a certificate: arn:aws:acm:<region>:<account>:certificate/<id>',
    },
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]{36}$/,
    'is not the ARN of a certificate',
  ),
  truststore: formed(
    {
      description: 'Mutual TLS: where the certificates of the clients’ authorities are, as s3://bucket/key.',
      fix: 'Write s3://bucket/key.pem',
    },
    /^s3:\/\/[a-z0-9.-]{3,63}\/\S{1,1024}$/,
    'is not an address of a file in S3',
  ).exactOptional(),
});

/** The settings that banks and other regulated companies ask for. */
export const account = {
  encryptionKey: formed(
    {
      description:
        'ARN of your own KMS key. It encrypts the queues, log groups, secrets, alarm topic and environment of the stack.',
      fix: WRITE_KEY,
    },
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{1,64}$/,
    'is not the ARN of a KMS key',
  ).exactOptional(),
  vpc: vpc.exactOptional(),
  domain: domain.exactOptional(),
  reservedConcurrency: whole(
    'Concurrent executions of the account that are reserved for the receiver, and its limit.',
    1,
    10_000,
  ).exactOptional(),
  queueSenders: listOf(
    'ARNs of roles or users that may send to the close queue besides the stack’s own functions. Without this key, IAM alone decides.',
    /^arn:aws[a-z-]*:iam::\d{12}:(role|user)\/[\w+=,.@/-]{1,512}$/,
    'ARNs of roles or users',
    'Write ARNs of IAM roles or users, such as that of your operators, who redrive',
  ).exactOptional(),
  tags: z
    .record(z.string(), text({ description: 'The value of a tag.', fix: 'Write a text' }), {
      error: 'Write an object of tags',
    })
    .meta({ description: 'Tags of every resource.' })
    .exactOptional(),
  systemLogLevel: oneOf(
    'Lambda’s own lines from this level on. INFO adds start, duration and memory of each call.',
    ['WARN', 'INFO', 'DEBUG'],
  ).default('WARN'),
  terminationProtection: z
    .boolean({ error: 'Write true or false' })
    .meta({ description: 'CloudFormation refuses to delete the stack until this is off again.' })
    .exactOptional(),
};

function listOf(description: string, form: RegExp, what: string, fix: string) {
  const check = refuse<string[]>(fix, {
    'is empty': (values) => values.length === 0,
    [`has something else than ${what}`]: (values) => values.some((value) => !form.test(value)),
  });
  return checked(z.array(z.string({ error: fix }), { error: fix }), check).meta({ description });
}
