import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Embedded } from './bundle.ts';
import type { Configuration } from './config/load.ts';
import type { StackSecrets } from './stack-secrets.ts';

/** What all parts of a ChatCloser are made with. */
export type Shared = {
  configuration: Configuration;
  secrets: StackSecrets;
  closes: IQueue;
  deadLetters: IQueue;
  embedded: Embedded;
  /** Deploys source maps beside the bundles. */
  sourceMaps: boolean;
};
