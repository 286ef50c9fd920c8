import { Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** The rule packs of cdk-nag whose rules share names. */
const PACKS = ['NIST.800.53.R5', 'PCI.DSS.321', 'HIPAA.Security'];

/** What such packs find in a stack that has every setting of docs/compliance.md, and why it stays. */
const REASONS = {
  SecretsManagerRotationEnabled:
    'The CRM and PolyAI issue these values; nobody but their administrators can rotate them.',
  IAMNoInlinePolicy: 'Each role has its own least-privilege policy, which no other role should have.',
  LambdaConcurrency:
    'The receiver has stack.reservedConcurrency, the worker and the event reader a maximum at their queues; the others run once per schedule.',
  LambdaDLQ:
    'Functions are called synchronously or from a queue with a dead-letter queue; a scheduled run that fails rings an alarm, and the next one does the same work.',
};

/** Acknowledges these findings for everything below a construct. */
export function acknowledgeFindings(scope: Construct): void {
  for (const pack of PACKS) {
    for (const [rule, reason] of Object.entries(REASONS)) {
      Validations.of(scope).acknowledge({ id: `${pack}::${pack}-${rule}`, reason });
    }
  }
}
