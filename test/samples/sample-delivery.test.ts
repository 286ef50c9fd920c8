import { describe, expect, it } from 'vitest';
import { sampleDelivery } from '../../samples/sample-delivery.ts';
import { connectionOf } from '../support/crm.ts';

const URLS = { reachable: 'http://127.0.0.1:4566/in-house', signed: 'https://hooks.example.com/in-house' };
const SETTINGS = {
  verify: { scheme: 'bearer' },
  finishedWhen: "body.status == 'closed'",
  conversationId: 'body.chat',
};

function sample(settings: object) {
  const connection = connectionOf('custom', { ...SETTINGS, ...settings });
  return sampleDelivery(URLS, connection, { token: 't' }, 'chat-1&2');
}

describe('the example of a custom connection', () => {
  it('is JSON', () => {
    expect(sample({})).toMatchObject({
      headers: { 'content-type': 'application/json' },
      body: '{"status":"closed","chat":"chat-1&2"}',
    });
  });

  it('is a form when the connection takes forms', () => {
    expect(sample({ format: 'form' })).toMatchObject({
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'status=closed&chat=chat-1%262',
    });
  });

  it('is undefined when a form cannot hold what the selectors read', () => {
    expect(sample({ format: 'form', conversationId: 'body.chat.id' })).toBeUndefined();
  });
});
