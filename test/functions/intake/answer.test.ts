import { expect, it } from 'vitest';
import { ownAnswer } from '../../../functions/intake/answer.ts';

it('answers in the form that a CRM expects, with its status, headers and body', () => {
  const headers = { 'content-type': 'text/xml' };
  expect(ownAnswer({ status: 202, headers, body: '<Ack/>' })).toEqual({
    statusCode: 202,
    headers,
    body: '<Ack/>',
  });
});

it('answers with an empty body and no headers when a CRM expects only a status', () => {
  expect(ownAnswer({ status: 204 })).toStrictEqual({ statusCode: 204, body: '' });
});
