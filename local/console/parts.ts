import type { Aws } from '../../operate/aws.ts';
import type { Deployment } from '../../operate/deployment.ts';
import type { LocalStack } from '../local-stack.ts';
import type { PolyAIStandIn } from '../polyai-stand-in.ts';

/** What the console looks at and works on: the deployed local stack, and the stand-in if it plays PolyAI. */
export type ConsoleParts = {
  local: Pick<LocalStack, 'signedUrl' | 'webhookUrl' | 'flush'>;
  deployment: Deployment;
  aws: Aws;
  standIn: PolyAIStandIn | undefined;
  signal: AbortSignal;
};
