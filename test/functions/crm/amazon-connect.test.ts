import { describe, expect, it } from 'vitest';
import connect from '../../../functions/crm/amazon-connect.ts';
import { patternOf } from '../../../infra/config/bus.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';

const INSTANCE = '12345678-1234-1234-1234-123456789012';
const ARN = `arn:aws:connect:eu-west-2:123456789012:instance/${INSTANCE}`;
const AT = '2021-08-04T17:18:37.000Z';

function read(detail: unknown, finishedValues?: string[]) {
  const connection = {
    crm: 'amazon-connect',
    project: 'support',
    verify: { scheme: 'event-bus' as const },
    ...(finishedValues && { finishedValues }),
  };
  return connect.read({ body: { detail }, headers: {}, query: {} }, connection)[0];
}

const chat = (more: object = {}) => ({
  eventType: 'DISCONNECTED',
  channel: 'CHAT',
  contactId: 'leg-2',
  initialContactId: 'leg-1',
  disconnectTimestamp: AT,
  tags: { polyai_conversation_id: 'KpQx-polyai-0001' },
  ...more,
});

describe('a contact', () => {
  it('is finished when a chat is disconnected', () => {
    expect(read(chat())).toEqual({
      finished: true,
      provesChange: true,
      happenedAt: AT,
      conversationId: 'KpQx-polyai-0001',
      crmRef: 'leg-2',
      sharedId: 'leg-1',
    });
  });

  it.each<[string, (key: string) => string]>([
    ['capital first letters', (key) => `${key[0]?.toUpperCase()}${key.slice(1)}`],
    ['capitals', (key) => key.toUpperCase()],
    ['small letters', (key) => key.toLowerCase()],
  ])('is read with keys in %s', (_what, write) => {
    const written = Object.fromEntries(Object.entries(chat()).map(([key, value]) => [write(key), value]));
    expect(read(written)).toEqual(read(chat()));
  });

  it.each(['CHAT', 'Chat', 'chat'])('is finished on the channel %s', (channel) => {
    expect(read(chat({ channel }))).toMatchObject({ finished: true });
  });

  it.each(['VOICE', 'Voice', 'TASK', 'EMAIL', '', null, undefined, ['CHAT'], 'CHAT '])(
    'is not finished on the channel %j',
    (channel) => {
      expect(read(chat({ channel }))).toMatchObject({ finished: false });
      expect(read(chat({ channel }), ['COMPLETED', 'DISCONNECTED'])).toMatchObject({ finished: false });
    },
  );

  it.each([
    'INITIATED',
    'CONNECTED_TO_SYSTEM',
    'CONTACT_DATA_UPDATED',
    'QUEUED',
    'CONNECTED_TO_AGENT',
    'COMPLETED',
    'PAUSED',
    'RESUMED',
    'A_NEW_TYPE',
    '',
    null,
  ])('is not finished by an event of the type %j', (eventType) => {
    expect(read(chat({ eventType }))).toMatchObject({ finished: false });
  });

  it.each([undefined, null, 7, 'DISCONNECTED', [], {}])('is not finished by the detail %j', (detail) => {
    expect(read(detail)).toMatchObject({ finished: false });
  });

  it('is finished by COMPLETED where the connection says so, and then counts from the event’s own time', () => {
    expect(read(chat({ eventType: 'COMPLETED' }), ['COMPLETED'])).toMatchObject({
      finished: true,
      provesChange: true,
      happenedAt: undefined,
    });
    expect(read(chat(), ['COMPLETED'])).toMatchObject({ finished: false });
  });

  it('proves a change only by the first of two types that count', () => {
    const both = ['disconnected', 'completed'];
    expect(read(chat(), both)).toMatchObject({ finished: true, provesChange: true });
    expect(read(chat({ eventType: 'COMPLETED' }), both)).toMatchObject({
      finished: true,
      provesChange: false,
    });
  });

  it('has its own id as the shared one if no contact was before it', () => {
    for (const initialContactId of [undefined, '', null]) {
      expect(read(chat({ initialContactId }))).toMatchObject({ sharedId: 'leg-2' });
    }
  });

  it('has no id in user-defined attributes, which an event does not carry', () => {
    const attributes = { polyai_conversation_id: 'KpQx-polyai-0001' };
    const detail = chat({ tags: { Dept: 'Finance' }, attributes, segmentAttributes: attributes });
    expect(read(detail)).toMatchObject({ finished: true, conversationId: undefined });
  });
});

describe('the rule', () => {
  const rule = { source: ['aws.connect'], 'detail-type': ['Amazon Connect Contact Event'] };

  it('lets only finished contacts of its own instance through, with both spellings of the keys', () => {
    const type = [{ 'equals-ignore-case': 'DISCONNECTED' }];
    const instance = [{ suffix: `:instance/${INSTANCE}` }];
    for (const sender of [ARN, INSTANCE]) {
      expect(patternOf('amazon-connect', { sender })).toEqual({
        ...rule,
        $or: [
          { detail: { instanceArn: instance, eventType: type } },
          { detail: { InstanceArn: instance, EventType: type } },
        ],
      });
    }
  });

  it('lets the types through that the connection lists', () => {
    const type = ['COMPLETED', 'DISCONNECTED'].map((each) => ({ 'equals-ignore-case': each }));
    expect(patternOf('amazon-connect', { finishedValues: ['COMPLETED', 'DISCONNECTED'] })).toEqual({
      ...rule,
      $or: [{ detail: { eventType: type } }, { detail: { EventType: type } }],
    });
  });

  it('lets everything through if the connection decides by itself', () => {
    expect(patternOf('amazon-connect', { finishedWhen: 'always' })).toEqual(rule);
  });
});

describe('the configuration', () => {
  it.each([
    ['no setting', {}],
    ['the ARN of an instance', { sender: ARN }],
    ['the id of an instance', { sender: INSTANCE }],
    ['the look-up', { lookUp: 'sharedId' }],
    ['the look-up of completed contacts', { lookUp: 'sharedId', finishedValues: ['COMPLETED'] }],
    ['another bus', { bus: 'connect', sender: ARN }],
  ])('accepts %s', (_what, settings) => {
    expect(faultsOf('amazon-connect', settings)).toEqual([]);
    expect(connectionOf('amazon-connect', settings).bus).toBe('bus' in settings ? 'connect' : 'default');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an alias as the sender', { sender: 'acme' }, 'connections.c.sender is "acme"'],
    ['a case field', { field: INSTANCE }, 'connections.c.field does not apply'],
    [
      'a look-up by types that both follow the end',
      { lookUp: 'sharedId', finishedValues: ['COMPLETED', 'PAUSED'] },
      'connections.c.lookUp is not safe',
    ],
  ])('is a fault with %s', (_what, settings, fault) => {
    const faults = faultsOf('amazon-connect', settings).map(({ path, problem }) => `${path} ${problem}`);
    expect(faults).toEqual([expect.stringContaining(fault)]);
  });
});
