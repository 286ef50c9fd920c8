import { describe, expect, it } from 'vitest';
import { SCHEMES } from '../../../functions/schemes/index.ts';
import { type HmacSettings, type Identity, identify } from '../../../functions/schemes/scheme.ts';
import { delivery, type Headers } from '../../../samples/delivery.ts';
import { SETTINGS } from '../../support/settings.ts';

const BODY = '{"status":"closed"}';
const HMAC = SETTINGS.hmac;
const WITH_TIME: HmacSettings = { ...HMAC, signed: '{timestamp}.{body}', timestampHeader: 'x-time' };
const WITH_ID: HmacSettings = { ...HMAC, signed: '{id}.{body}', idHeader: 'x-id' };
const WITH_BOTH: HmacSettings = { ...WITH_TIME, ...WITH_ID, signed: '{timestamp}.{id}.{body}' };

/** What makes a delivery with this body and these headers the same as another one. */
function identity(verify: (typeof SETTINGS)[keyof typeof SCHEMES], headers: Headers = {}): Identity {
  const { content, ...rest } = identify(
    { scheme: SCHEMES[verify.scheme], verify },
    delivery({ headers, body: BODY }),
  );
  return { ...rest, content: content.toString() };
}

describe.each(['bearer', 'header', 'query', 'basic', 'jwt'] as const)('the scheme %s', (name) => {
  it('identifies a delivery by its body', () => {
    expect(identity(SETTINGS[name])).toEqual({ content: BODY });
  });
});

describe('the scheme hmac', () => {
  const headers = { 'x-time': '1782907200', 'x-id': 'd1', 'x-signature': 'abc' };

  it.each<[string, HmacSettings, string]>([
    ['the signed time', WITH_TIME, '1782907200 '],
    ['the signed id', WITH_ID, ' d1'],
    ['the signed time and id', WITH_BOTH, '1782907200 d1'],
  ])('identifies a delivery by its body and %s', (_what, settings, moment) => {
    expect(identity(settings, headers)).toEqual({ moment, content: BODY });
  });

  it.each<[string, HmacSettings]>([
    ['there is none', HMAC],
    ['a time is checked but not signed', { ...WITH_TIME, signed: '{body}' }],
    ['an id is required but not signed', { ...WITH_ID, signed: '{body}' }],
  ])('identifies a delivery by its body alone when %s', (_when, settings) => {
    expect(identity(settings, headers)).toEqual({ content: BODY });
  });

  it('has no moment without the header of its time or id', () => {
    for (const settings of [WITH_TIME, WITH_ID, WITH_BOTH]) {
      expect(identity(settings)).toEqual({ content: BODY });
    }
  });
});

describe('the scheme standard-webhooks', () => {
  it.each(['webhook', 'svix'])(
    'identifies a delivery by its body, id and time in the headers of %s',
    (names) => {
      const headers = {
        [`${names}-id`]: 'msg_1',
        [`${names}-timestamp`]: '1782907200',
        [`${names}-signature`]: 'v1,AAAA',
      };
      expect(identity(SETTINGS['standard-webhooks'], headers)).toEqual({
        moment: 'msg_1 1782907200',
        content: BODY,
      });
    },
  );
});

describe('the scheme hubspot', () => {
  it('identifies a delivery by its body and, in v3, by its time', () => {
    const v3 = { 'x-hubspot-signature-v3': 'AAAA', 'x-hubspot-request-timestamp': '1782907200000' };
    expect(identity(SETTINGS.hubspot, v3)).toEqual({ moment: '1782907200000', content: BODY });
    expect(identity(SETTINGS.hubspot, { 'x-hubspot-signature-v3': 'AAAA' })).toEqual({
      moment: '',
      content: BODY,
    });
  });

  it('identifies a delivery of an older version by its body alone, because its time is not signed', () => {
    const older = { 'x-hubspot-signature': 'abc', 'x-hubspot-request-timestamp': '1782907200000' };
    expect(identity(SETTINGS.hubspot, older)).toEqual({ content: BODY });
  });
});

describe('the scheme twilio', () => {
  it('identifies a delivery by its signature, because a form can be spelled in many ways', () => {
    expect(identity(SETTINGS.twilio, { 'x-twilio-signature': 'AAAA' })).toEqual({ content: 'AAAA' });
    expect(identity(SETTINGS.twilio)).toEqual({ content: '' });
  });
});
