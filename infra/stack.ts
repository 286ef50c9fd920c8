import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ChatCloser, type ChatCloserProps } from './chat-closer.ts';

export type ChatCloserStackProps = StackProps & ChatCloserProps;

/** A stack that has one ChatCloser and nothing else. */
export class ChatCloserStack extends Stack {
  readonly closer: ChatCloser;

  /** @throws {ConfigurationError} for what only the account, the region or CloudFormation can refuse */
  constructor(
    scope: Construct,
    id: string,
    { configuration, sourceMaps = false, ...props }: ChatCloserStackProps,
  ) {
    super(scope, id, {
      description: 'Closes PolyAI chats when a CRM says that they are finished',
      // CloudFormation takes a template of 1 MB. Indentation would fill a third of it.
      suppressTemplateIndentation: true,
      ...props,
    });
    // The CDK leaves `Default` out of logical ids: they begin with the name of the part, as in `Closes…`.
    this.closer = new ChatCloser(this, 'Default', { configuration, sourceMaps });
  }
}
