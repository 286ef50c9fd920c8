import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { ChatCloser } from '../../infra/chat-closer.ts';
import { configurationOf, SMALLEST } from '../support/configuration.ts';
import { EVERYTHING } from '../support/everything.ts';
import { createApp, createStack } from '../support/stack.ts';

const everything = configurationOf(EVERYTHING);

/** A user's own stack with a ChatCloser in it. */
function userStack(configuration = everything): { stack: Stack; closer: ChatCloser; template: Template } {
  const stack = new Stack(createApp(), 'Desk');
  const closer = new ChatCloser(stack, 'Closer', { configuration });
  return { stack, closer, template: Template.fromStack(stack) };
}

describe('a ChatCloser in a user’s own stack', () => {
  const { stack, closer, template } = userStack();

  it('has the outputs under the same names as the ChatCloserStack', () => {
    const own = Object.keys(Template.fromStack(createStack(EVERYTHING)).findOutputs('*'));
    expect(Object.keys(template.findOutputs('*')).sort()).toEqual(own.sort());
    expect(own).toContain('WebhooksUrl');
  });

  it('names its secrets after the stack', () => {
    const names = Object.values(template.findResources('AWS::SecretsManager::Secret')).map(
      ({ Properties }) => Properties.Name,
    );
    expect(names.sort()).toEqual([
      'Desk/connections/canary/secret',
      'Desk/connections/gladly/secret',
      'Desk/connections/zendesk-support/secret',
      'Desk/polyai/cleaned/secret',
      'Desk/polyai/support/secret',
    ]);
  });

  it('has every resource that a ChatCloserStack has', () => {
    const types = (from: Template) =>
      Object.values(from.toJSON().Resources as Record<string, { Type: string }>).map(({ Type }) => Type);
    expect(types(template).sort()).toEqual(types(Template.fromStack(createStack(EVERYTHING))).sort());
  });

  it('exposes its queues, functions, API and alarm topics', () => {
    const { closes, deadLetters, events, eventsDeadLetters } = closer.queues;
    const outputOf = (name: string) => template.findOutputs(name)[name]?.Value;
    expect(stack.resolve(closes.queueUrl)).toEqual(outputOf('CloseQueueUrl'));
    expect(stack.resolve(deadLetters.queueUrl)).toEqual(outputOf('DeadLetterQueueUrl'));
    expect(stack.resolve(eventsDeadLetters?.queueUrl)).toEqual(outputOf('EventsDeadLetterQueueUrl'));
    expect(stack.resolve(events?.queueArn)).toEqual({ 'Fn::GetAtt': [expect.any(String), 'Arn'] });
    expect(Object.keys(closer.functions).sort()).toEqual(['canary', 'cleanup', 'close', 'event', 'receive']);
    expect(stack.resolve(`${closer.api?.apiEndpoint}/webhooks`)).toEqual(outputOf('WebhooksUrl'));
    expect(closer.alarmTopics).toHaveLength(2);
  });

  it('refuses a second one in the same stack', () => {
    expect(() => new ChatCloser(stack, 'Second', { configuration: everything })).toThrow(
      /already has the ChatCloser "Desk\/Closer"\. Put "Desk\/Second" into a stack of its own/,
    );
  });
});

describe('a ChatCloser with webhooks alone', () => {
  it('exposes neither queues nor functions that it does not have', () => {
    const { closer } = userStack(configurationOf(SMALLEST));
    expect(Object.keys(closer.queues)).toEqual(['closes', 'deadLetters']);
    expect(Object.keys(closer.functions)).toEqual(['receive', 'close']);
    expect(closer.alarmTopics).toEqual([]);
  });
});
