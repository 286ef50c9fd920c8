import fc from 'fast-check';
import { XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import { toConversationId } from '../../../functions/conversation-id.ts';
import salesforce from '../../../functions/crm/salesforce-outbound-message.ts';
import { readContent } from '../../../functions/delivery.ts';
import { createReceive } from '../../../functions/receive.lambda.ts';
import { createSecretReader } from '../../../functions/secrets.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { apiGatewayEvent, changeByte, changeCharacter, delivery } from '../../../samples/delivery.ts';
import { bindWebhook } from '../../support/bind.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { startReceiver } from '../../support/receiver.ts';

const CRM = 'salesforce-outbound-message';
const NOW = Date.parse('2026-07-01T12:00:00Z');
const TOKEN = 'q7HhB2n0mVdLx5sWcZr8aTyK4uEoPgJf';
const ORGANIZATION = '00D000000000001EAA';
const HEADERS = { 'content-type': 'text/xml; charset=UTF-8', soapaction: '""' };
const CANARY = '00D000000000001!AQEAQ-live-session';
const MIB = 1024 * 1024;
/** The acknowledgement of the WSDL. Salesforce counts no other answer as delivered. */
const ACK = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>`;

type Notification = { id?: string; record?: string; fields?: string };

function notification({ id = '04l000000000001AAA', record = '500000000000001AAA', ...rest }: Notification) {
  const { fields = field('KpQx-polyai-0001') } = rest;
  return `<Notification><Id>${id}</Id><sObject xsi:type="sf:Case" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>${record}</sf:Id>${fields}<sf:Status>Closed</sf:Status></sObject></Notification>`;
}

function field(id: string): string {
  return `<sf:PolyAI_Conversation_Id__c>${id}</sf:PolyAI_Conversation_Id__c>`;
}

/** A message with the structure of the WSDL. */
function message(
  notifications = notification({}),
  { organization = ORGANIZATION, session = '' } = {},
): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>${organization}</OrganizationId><ActionId>04k000000000001AAA</ActionId><SessionId>${session}</SessionId>${notifications}</notifications></soapenv:Body></soapenv:Envelope>`;
}

function read(text: string, settings: Partial<Connection> = {}) {
  const connection = toConnection(connectionOf(CRM, { sender: ORGANIZATION }));
  const content = readContent(delivery({ body: text }), salesforce.parse);
  return readReasons(salesforce, { ...connection, ...settings }, content, NOW);
}

const idsOf = (text: string, settings?: Partial<Connection>) =>
  read(text, settings).closes.map(({ conversationId }) => conversationId);

const start = (settings = {}) =>
  startReceiver(CRM, { sender: ORGANIZATION, ...settings }, { token: TOKEN }, NOW);

describe('the receiver', () => {
  it('acknowledges a message with the exact bytes once its close is queued', async () => {
    const receiver = start();
    const answer = await receiver.send({ headers: HEADERS, query: `token=${TOKEN}`, body: message() });
    expect(answer).toMatchObject({ status: 200, body: ACK });
    expect(answer.headers).toEqual({ 'content-type': 'text/xml' });
    expect(XMLValidator.validate(ACK)).toBe(true);
    expect(receiver.queued).toMatchObject([
      {
        conversationId: 'KpQx-polyai-0001',
        crmRef: '500000000000001AAA',
        deliveryId: '04l000000000001AAA',
      },
    ]);
  });

  it('acknowledges a message that asks for no close', async () => {
    const receiver = start();
    const body = message(notification({ fields: '' }));
    const answer = await receiver.send({ headers: HEADERS, query: `token=${TOKEN}`, body });
    expect(answer).toMatchObject({ status: 200, body: ACK });
    expect(receiver.queued).toEqual([]);
    const ignored = [{ reason: 'no_conversation_id', crm_ref: expect.stringMatching(/^500/) }];
    expect(receiver.lines).toMatchObject([{ answer: 200, accepted: 0, ignored }]);
  });

  it('acknowledges a message in rehearsal, and queues nothing', async () => {
    const receiver = start({ rehearse: true });
    const answer = await receiver.send({ headers: HEADERS, query: `token=${TOKEN}`, body: message() });
    expect(answer).toMatchObject({ status: 200, body: ACK });
    expect(receiver.queued).toEqual([]);
    expect(receiver.lines).toMatchObject([{ result: 'accepted', accepted: 0, would_close: 1 }]);
  });

  it('does not acknowledge a message that could not be queued', async () => {
    const connection = toConnection(connectionOf(CRM, { sender: ORGANIZATION }), 'secret');
    const receive = createReceive({
      connections: { [CRM]: bindWebhook(connection) },
      secrets: createSecretReader(
        async () => ({ SecretString: JSON.stringify({ token: TOKEN }) }),
        () => NOW,
      ),
      queue: async () => {
        throw new Error('the queue is away');
      },
      writeLine: () => {},
      now: () => NOW,
    });
    const request = { connection: CRM, headers: HEADERS, query: `token=${TOKEN}`, body: message() };
    const { statusCode, body } = await receive(apiGatewayEvent(request));
    expect(statusCode).toBe(503);
    expect(body).not.toContain('Ack');
  });

  it.each([
    ['no token', { query: '' }, 'credential_missing'],
    ['an empty token', { query: 'token=' }, 'credential_missing'],
    ['the token under another name', { query: `code=${TOKEN}` }, 'credential_missing'],
    ['the token twice', { query: `token=${TOKEN}&token=${TOKEN}` }, 'credential_mismatch'],
    ['the token in a header', { query: '', headers: { ...HEADERS, token: TOKEN } }, 'credential_missing'],
    ['the organisation’s id for a token', { query: `token=${ORGANIZATION}` }, 'credential_mismatch'],
    [
      'another organisation',
      { body: message(undefined, { organization: '00D000000000002EAA' }) },
      'sender_mismatch',
    ],
    [
      'the organisation in another case',
      { body: message(undefined, { organization: '00d000000000001EAA' }) },
      'sender_mismatch',
    ],
    [
      'an organisation whose id is longer',
      { body: message(undefined, { organization: '00D000000000001' }).replace('001</Org', '001EAA9</Org') },
      'sender_mismatch',
    ],
    [
      'an organisation whose id has a character before it',
      { body: message(undefined, { organization: `x${ORGANIZATION}` }) },
      'sender_mismatch',
    ],
    [
      'no organisation',
      { body: message().replace(/<OrganizationId>.*?<\/OrganizationId>/, '') },
      'sender_mismatch',
    ],
    [
      'two organisations',
      { body: message().replace(/<OrganizationId>.*?<\/OrganizationId>/, '$&$&') },
      'sender_mismatch',
    ],
    ['another method', { method: 'GET' }, 'method_not_allowed'],
    ['JSON', { body: '{"OrganizationId":"00D000000000001EAA"}' }, 'body_unreadable'],
    ['bytes that are not UTF-8', { body: Buffer.from(message(), 'utf16le') }, 'body_unreadable'],
  ])('refuses %s without an acknowledgement', async (_what, change, code) => {
    const receiver = start();
    const valid = { headers: HEADERS, query: `token=${TOKEN}`, body: message() };
    const answer = await receiver.send({ ...valid, ...change });
    expect(answer.code).toBe(code);
    expect(answer.body).not.toContain('Ack');
    expect(receiver.queued).toEqual([]);
  });

  it('refuses a token if any character is changed', async () => {
    const receiver = start();
    for (const position of TOKEN.split('').keys()) {
      const query = `token=${changeCharacter(TOKEN, position)}`;
      expect(await receiver.send({ query, body: message() })).toMatchObject({ code: 'credential_mismatch' });
    }
    expect(receiver.queued).toEqual([]);
  });

  it.each(['00D000000000001', '00D000000000001EAA'])(
    'accepts both forms of the organisation’s id if the sender is %s',
    async (sender) => {
      for (const organization of ['00D000000000001', '00D000000000001EAA']) {
        const receiver = start({ sender });
        await receiver.send({ query: `token=${TOKEN}`, body: message(undefined, { organization }) });
        expect(receiver.queued).toHaveLength(1);
      }
    },
  );

  it('refuses a source that is not allowed', async () => {
    const receiver = start({ allowedSources: ['198.51.100.0/24'] });
    const request = { query: `token=${TOKEN}`, body: message() };
    expect(await receiver.send(request)).toMatchObject({ code: 'source_not_allowed' });
    expect(await receiver.send({ ...request, sourceIp: '198.51.100.9' })).toMatchObject({ status: 200 });
  });

  it('does not answer, log or queue the token or the session of a message', async () => {
    const receiver = start();
    const body = message(undefined, { session: CANARY });
    const answers = await Promise.all(
      [
        { query: `token=${TOKEN}`, body },
        { query: `token=${TOKEN}`, body: body.slice(0, -20) },
        { query: `token=${TOKEN}x`, body },
        { query: `token=${TOKEN}`, body: body.replace('00D000000000001EAA', '00D000000000002EAA') },
      ].map((request) => receiver.send(request)),
    );
    const written = JSON.stringify([answers, receiver.lines, receiver.queued]);
    expect(written).toContain('KpQx-polyai-0001');
    expect(written).not.toContain(CANARY);
    expect(written).not.toContain(TOKEN);
  });

  it('accepts 100 records in a message and no more', async () => {
    const receiver = start();
    const many = (count: number) =>
      message(Array.from({ length: count }, (_, n) => notification({ fields: field(`chat-${n}`) })).join(''));
    expect(await receiver.send({ query: `token=${TOKEN}`, body: many(100) })).toMatchObject({ body: ACK });
    expect(receiver.queued).toHaveLength(100);
    expect(await receiver.send({ query: `token=${TOKEN}`, body: many(101) })).toMatchObject({
      code: 'too_many_conversations',
    });
    expect(receiver.queued).toHaveLength(100);
  });
});

describe('a message', () => {
  it('closes the chat of each of its records', () => {
    const notifications = ['a', '', 'b', 'a'].map((id, n) =>
      notification({ id: `04l${n}`, record: `500${n}`, fields: id && field(id) }),
    );
    expect(read(message(notifications.join('')))).toEqual({
      crmRef: '5000',
      deliveryId: '04l0',
      closes: [
        { conversationId: 'a', crmRef: '5003', deliveryId: '04l3' },
        { conversationId: 'b', crmRef: '5002', deliveryId: '04l2' },
      ],
      ignored: ['no_conversation_id'],
    });
  });

  it.each([
    ['absent', '', ['no_conversation_id']],
    ['empty', field(''), ['no_conversation_id']],
    ['nil', '<sf:PolyAI_Conversation_Id__c xsi:nil="true"/>', ['no_conversation_id']],
    ['white space', field(' \r\n\t '), ['no_conversation_id']],
    ['there twice', field('a') + field('b'), ['unusable_conversation_id']],
    ['more than text', field('<sf:x>1</sf:x>'), ['unusable_conversation_id']],
    ['too long', field('x'.repeat(257)), ['unusable_conversation_id']],
    ['a control character', field('a&#7;b'), ['unusable_conversation_id']],
    ['NUL', field('a&#0;b'), ['unusable_conversation_id']],
    ['half of a character', field('a&#xD83D;'), ['unusable_conversation_id']],
    ['half of a character, in decimal', field('a&#55357;'), ['unusable_conversation_id']],
  ])('closes nothing if the id is %s', (_what, fields, ignored) => {
    expect(read(message(notification({ fields })))).toMatchObject({ closes: [], ignored });
  });

  it.each([
    ['a number with zeros before it', '007', '007'],
    ['like a number', '1e3', '1e3'],
    ['like a boolean', 'true', 'true'],
    ['with white space around it', ' \n KpQx \t', 'KpQx'],
    ['with named entities', 'a&amp;b&lt;c&gt;d&quot;e&apos;f', `a&b<c>d"e'f`],
    ['with numeric references', '&#75;&#x70;&#x51;x', 'KpQx'],
    ['with an escaped escape', '&amp;lt;', '&lt;'],
    ['with a reference beyond Unicode', '&#x110000;', '&#x110000;'],
    ['with a decimal reference beyond Unicode', '&#1114112;', '&#1114112;'],
    ['with a reference that has too many digits', '&#x0000041;&#00000065;', '&#x0000041;&#00000065;'],
    ['with the last character of Unicode', '&#x10FFFD;', '\u{10fffd}'],
    ['with two references to one character', '&#xD83D;&#56832;', '\u{1f600}'],
    ['with a reference to U+FFFD', '&#xFFFD;&#65533;', '\ufffd\ufffd'],
    ['with entities that XML does not have', '&nbsp;&copy;', '&nbsp;&copy;'],
    ['in Unicode', 'grüße-😀-会話', 'grüße-😀-会話'],
    ['the address in Studio', 'https://studio.uk-1.poly.ai/acme/P-1/conversations/KpQx?a=1&amp;b=2', 'KpQx'],
    ['with a comment in it', 'Kp<!-- -->Qx', 'KpQx'],
    ['in a CDATA section', '<![CDATA[a&amp;b]]>', 'a&amp;b'],
  ])('has an id %s', (_what, written, id) => {
    expect(idsOf(message(notification({ fields: field(written) })))).toEqual([id]);
  });

  it('is judged by its status only if the connection lists statuses', () => {
    const text = message();
    expect(idsOf(text, { finishedValues: ['CLOSED'] })).toHaveLength(1);
    expect(read(text, { finishedValues: ['Resolved'] }).ignored).toEqual(['not_finished']);
    expect(
      read(text.replace('<sf:Status>Closed</sf:Status>', ''), { finishedValues: ['Closed'] }),
    ).toMatchObject({
      ignored: ['not_finished'],
    });
  });

  it('lets selectors see one record, and not its envelope', () => {
    const notifications = ['a', 'b'].map((id) => notification({ fields: `<sf:Chat__c>${id}</sf:Chat__c>` }));
    const text = message(notifications.join(''), { session: CANARY });
    expect(idsOf(text, { conversationId: 'body.Chat__c' })).toEqual(['a', 'b']);
    expect(idsOf(text, { conversationId: 'body.Chat__c', finishedWhen: "body.Chat__c == 'b'" })).toEqual([
      'b',
    ]);
    for (const conversationId of ['body.SessionId', 'SessionId', 'body.Notification', 'body.sObject']) {
      expect(read(text, { conversationId }).closes).toEqual([]);
    }
  });

  it("is looked up by the record's id", () => {
    const fields = `<sf:ClosedDate>${new Date(NOW).toISOString()}</sf:ClosedDate>`;
    const { closes } = read(message(notification({ fields })), { lookUp: 'sharedId' });
    expect(closes).toMatchObject([{ sharedId: '500000000000001AAA' }]);
  });

  it('is read with or without indentation, CRLF and a byte order mark', () => {
    const spread = message().replaceAll('><', '>\r\n\t<');
    for (const text of [message(), spread, `\ufeff${spread}`]) {
      expect(idsOf(text)).toEqual(['KpQx-polyai-0001']);
    }
  });
});

it('asks for nothing in a message without records', () => {
  expect(read(message(''))).toEqual({ closes: [], ignored: [] });
});

it.each([[[ORGANIZATION]], [{}], [7], [null], [undefined]])(
  'is not from the organisation when its id is not text: %j',
  (OrganizationId) => {
    const content = { body: { OrganizationId }, headers: {}, query: {} };
    expect(salesforce.isFrom?.(ORGANIZATION, content)).toBe(false);
  },
);

describe('a record of a case that was opened again', () => {
  const record = (id: string, isClosed: string) =>
    notification({ fields: `${field(id)}<sf:IsClosed>${isClosed}</sf:IsClosed>` });

  it('is ignored, and closed records in the same message are not', () => {
    const { closes, ignored } = read(message(record('a', 'true') + record('b', 'false')));
    expect(closes).toMatchObject([{ conversationId: 'a' }]);
    expect(ignored).toEqual(['not_finished']);
  });

  it('is judged by its status if the connection lists statuses', () => {
    const text = message(record('a', 'false'));
    expect(idsOf(text, { finishedValues: ['Closed'] })).toEqual(['a']);
    expect(idsOf(text, { finishedValues: ['Done'] })).toEqual([]);
  });
});

describe('XML that is not a message', () => {
  const BOMB = `<!DOCTYPE x [<!ENTITY a "${'ha'.repeat(50)}"><!ENTITY b "${'&a;'.repeat(50)}"><!ENTITY c "${'&b;'.repeat(50)}">]>`;

  it.each([
    ['an external entity', '<!DOCTYPE x [<!ENTITY id SYSTEM "file:///etc/passwd">]>', '&id;'],
    ['a parameter entity', '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd">%p;]>', 'a'],
    ['an internal entity', '<!DOCTYPE x [<!ENTITY id "KpQx">]>', '&id;'],
    ['a billion laughs', BOMB, '&c;'],
    ['a document type and nothing in it', '<!DOCTYPE x>', 'a'],
    ['a document type in lower case', '<!doctype x>', 'a'],
    ['an entity without a document type', '<!ENTITY id "KpQx">', '&id;'],
  ])('is refused for %s', (_what, declaration, id) => {
    const text = message(notification({ fields: field(id) })).replace('?>\n', `?>\n${declaration}`);
    expect(text).toContain(declaration);
    expect(() => read(text)).toThrow();
  });

  it.each([
    ['nothing', ''],
    ['text', 'Closed'],
    ['an envelope without a body', '<Envelope/>'],
    ['a body without notifications', '<Envelope><Body><Ack>true</Ack></Body></Envelope>'],
    ['a message that was cut off', message().slice(0, -1)],
    ['a tag that was never opened', message().replace('</soapenv:Body>', '</soapenv:Body></soapenv:Body>')],
    ['tags that cross', '<Envelope><Body><notifications></Body></notifications></Envelope>'],
    ['two roots', message() + message().replace(/<\?xml.*\?>\s*/, '')],
    ['a name that reaches the prototype', message('<__proto__><Notification/></__proto__>')],
    ['250,000 elements', message(notification({}) + '<a/>'.repeat(250_000))],
    ['100,000 different tags', message(Array.from({ length: 100_000 }, (_, n) => `<t${n}/>`).join(''))],
    ['1,001 records', message(notification({ fields: '' }).repeat(1001))],
    ['elements 30 deep', message(`${notification({})}${'<a>'.repeat(30)}${'</a>'.repeat(30)}`)],
    ['elements 100,000 deep', message('<a>'.repeat(100_000) + '</a>'.repeat(100_000))],
    ['an attribute that never ends', message(`<a b="${'x'.repeat(MIB)}`)],
  ])('is refused: %s', (_what, text) => {
    expect(() => read(text)).toThrow();
  });

  it.each([
    ['an attribute of a megabyte', `<a b="${'x'.repeat(MIB)}"/>`],
    ['80,000 attributes', `<a ${Array.from({ length: 80_000 }, (_, n) => `a${n}="1"`).join(' ')}/>`],
    ['a tag of white space', `<a${' '.repeat(MIB)}/>`],
    ['an instruction of white space', `<?a${' '.repeat(MIB)}?>`],
    ['49,000 elements', '<a/>'.repeat(49_000)],
    ['200,000 entities', `<a>${'&amp;'.repeat(200_000)}</a>`],
  ])('is skipped beside a record: %s', (_what, ballast) => {
    expect(idsOf(message(notification({}) + ballast))).toEqual(['KpQx-polyai-0001']);
  });

  it('is refused above 50,000 tags, and the error names the limit', () => {
    const tags = message(notification({})).split('<').length - 1;
    const withTags = (count: number) => message(notification({}) + '<a/>'.repeat(count - tags));
    expect(idsOf(withTags(50_000))).toEqual(['KpQx-polyai-0001']);
    expect(() => read(withTags(50_001))).toThrow('has more than 50000 tags');
  });

  it('is refused with an error or read, whatever it is', () => {
    const names = fc.constantFrom(
      'Envelope',
      'Body',
      'notifications',
      'Notification',
      'sObject',
      's:Id',
      '__proto__',
    );
    const pieces = fc.oneof(
      fc.string({ unit: 'binary' }),
      names.map((name) => `<${name}>`),
      names.map((name) => `</${name}>`),
      names.map((name) => `<${name} a="1" b='2'/>`),
      fc.constantFrom(
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<?',
        '?>',
        '<!DOCTYPE',
        '&',
        '&#',
        ';',
        '"',
        "'",
        '<',
        '>',
      ),
    );
    const documents = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''));
    const connection = { ...connectionOf(CRM, { sender: ORGANIZATION }), project: 'support' };
    const inMessage = fc
      .tuple(documents, fc.boolean())
      .map(([text, inside]) => (inside ? message(text) : text));
    fc.assert(
      fc.property(inMessage, (text) => {
        let body: unknown;
        try {
          body = salesforce.parse?.(text, delivery({}), {});
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          return;
        }
        const content = { body, headers: {}, query: {} };
        salesforce.isFrom?.(ORGANIZATION, content);
        const { closes, ignored } = readReasons(salesforce, connection, content);
        expect(closes.length + ignored.length).toBeLessThanOrEqual(30);
      }),
      { numRuns: 1000 },
    );
  });

  it('asks for at most one chat if any byte of a message for one chat is changed', () => {
    const bytes = Buffer.from(message());
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (position, by) => {
        const changed = changeByte(bytes, position, by);
        let ids: unknown[] = [];
        try {
          ids = idsOf(changed.toString('utf8'));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
        expect(ids.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  it('has its id read however its characters are escaped', () => {
    const ids = fc
      .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
      .filter((id) => toConversationId(id) === id);
    const writers = fc.constantFrom<(character: string) => string>(
      (character) => `&#${character.codePointAt(0)};`,
      (character) => `&#x${character.codePointAt(0)?.toString(16)};`,
      (character) => character.replace(/[&<>]/, (each) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt' }[each]};`),
    );
    fc.assert(
      fc.property(ids, writers, (id, write) => {
        const escaped = [...id].map(write).join('');
        expect(idsOf(message(notification({ fields: field(escaped) })))).toEqual([id]);
      }),
    );
  });
});

describe('the configuration', () => {
  it('needs the organisation and no other setting', () => {
    expect(faultsOf(CRM)).toMatchObject([{ path: 'connections.c.sender', problem: 'is missing' }]);
    expect(faultsOf(CRM, { sender: ORGANIZATION })).toEqual([]);
    expect(faultsOf(CRM, { sender: '00D000000000001' })).toEqual([]);
  });

  it.each([
    '00D00000000000',
    '00D000000000001E',
    '00D000000000001EAAA',
    'https://acme.my.salesforce.com',
    'x00D000000000001',
    ' ',
  ])('refuses %j as an organisation', (sender) => {
    expect(faultsOf(CRM, { sender })).toMatchObject([{ path: 'connections.c.sender' }]);
  });

  it('says how an organisation is written', () => {
    expect(faultsOf(CRM, { sender: 'acme' })).toMatchObject([
      {
        fix: 'Write the 15 or 18 letters and digits of the organisation’s id, such as 00D000000000001',
      },
    ]);
  });

  it('accepts another parameter, and no scheme that an Outbound Message cannot send', () => {
    const sender = ORGANIZATION;
    expect(faultsOf(CRM, { sender, verify: { scheme: 'query', parameter: 'key' } })).toEqual([]);
    for (const verify of [{ scheme: 'bearer' }, { scheme: 'basic' }, { scheme: 'hmac', header: 'x' }]) {
      expect(faultsOf(CRM, { sender, verify })).toMatchObject([{ path: 'connections.c.verify.scheme' }]);
    }
  });

  it('expects the parameter token by default', () => {
    expect(connectionOf(CRM, { sender: ORGANIZATION }).verify).toEqual({
      scheme: 'query',
      parameter: 'token',
    });
  });
});
