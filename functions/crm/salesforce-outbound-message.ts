import { decodeXML } from 'entities/decode';
import { XMLParser } from 'fast-xml-parser';
import { valueAt } from '../json.ts';
import { checkEvents, LIMITS, occurs, UnreadableBody } from '../parse-body.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL, USUAL_ANSWER_MS } from './crm.ts';
import { toLongId } from './salesforce-id.ts';

const XML = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  // The parser's own decoder limits the number of entities, which a long description exceeds, and skips numeric ones.
  entityDecoder: {
    decode,
    reset: nothing,
    setXmlVersion: nothing,
    addInputEntities: nothing,
    setExternalEntities: nothing,
  },
  jPath: false,
  maxNestedTags: 16,
});
const DECLARATION = /<!(?!--|\[CDATA\[)/;
/** A named reference, or one to a character by its number: `x` and hexadecimal digits, or decimal digits. */
const REFERENCE = /&(?:[a-z]{2,4}|#(x[\da-fA-F]{1,6}|\d{1,7}));/g;
/** What `decodeXML` gives for a number that is not a character's. */
const REPLACEMENT_CHARACTER = '\ufffd';
const MAX_CODE_POINT = 0x10ffff;
const ORGANIZATION_ID = /^([A-Za-z0-9]{15})(?:[A-Za-z0-9]{3})?$/;

/**
 * Salesforce's Outbound Message: SOAP without a signature, with 1 to 100 records. The proof is a token in the
 * address. The organisation's id keeps other organisations' messages out, but it is not secret. The flow or rule that
 * sends a message has decided that its records are finished. Selectors see one record as `body`, with its fields
 * without their prefix. They never see the SessionId, which is a live credential.
 *
 * @see https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_notifications.htm
 * @see https://developer.salesforce.com/docs/platform/api/guide/sforce-api-om-outboundmessaging-wsdl.html
 */
const salesforceOutboundMessage: Crm = {
  verify: { scheme: 'query', parameter: 'token' },
  schemes: ['query'],
  answerWithinMs: USUAL_ANSWER_MS,
  vendorIssuesSecret: false,
  hasBatches: true,
  takes: [...USUAL, ...LOOK_UP, 'verify', 'sender'],
  requires: ['sender'],
  provesChange: true,
  senderForm: {
    pattern: /^00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$/,
    fix: 'Write the 15 or 18 letters and digits of the organisation’s id, such as 00D000000000001',
  },
  parse,
  isFrom(sender, { body }) {
    const from = shortId(valueAt(body, 'OrganizationId'));
    return from !== undefined && from === shortId(sender);
  },
  read: ({ body }, { finishedValues }) =>
    listOf(valueAt(body, 'Notification')).map((notification) => {
      const record = valueAt(notification, 'sObject');
      return {
        // A case may have been opened again before Salesforce repeated the message.
        finished: finishedValues
          ? isOneOf(finishedValues, valueAt(record, 'Status'))
          : !isOneOf(['false'], valueAt(record, 'IsClosed')),
        finishedAt: valueAt(record, 'ClosedDate'),
        conversationId: only(valueAt(record, 'PolyAI_Conversation_Id__c')),
        crmRef: valueAt(record, 'Id'),
        sharedId: toLongId(valueAt(record, 'Id')),
        deliveryId: valueAt(notification, 'Id'),
        event: record,
      };
    }),
  acknowledgement: {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body:
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">' +
      '<soapenv:Body>' +
      '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>' +
      '</soapenv:Body>' +
      '</soapenv:Envelope>',
  },
};

export default salesforceOutboundMessage;

/**
 * Parses a message into its `notifications` element.
 *
 * @throws {UnreadableBody} when it has more tags or records than any message
 * @throws {Error} when it is not XML, has no such element, or has a DTD, which no message has
 */
function parse(text: string): unknown {
  if (DECLARATION.test(text)) throw new Error('has a declaration');
  if (occurs(text, '<', LIMITS.xmlTags + 1)) {
    throw new UnreadableBody(`has more than ${LIMITS.xmlTags} tags`);
  }
  const notifications = valueAt(XML.parse(text, true), 'Envelope', 'Body', 'notifications');
  if (notifications === undefined) throw new Error('is not an outbound message');
  checkEvents(valueAt(notifications, 'Notification'));
  return notifications;
}

function nothing(): void {}

/**
 * Decodes each reference once, so that what an entity gives is never read as another. A reference to half of a
 * character gives that half, which makes an id unusable. A reference beyond Unicode stays as it is written.
 */
function decode(text: string): string {
  return text.replace(REFERENCE, (reference, number) => {
    const character = decodeXML(reference);
    if (character !== REPLACEMENT_CHARACTER) return character;
    const point = Number(`0${number}`);
    return point <= MAX_CODE_POINT ? String.fromCodePoint(point) : reference;
  });
}

/** The 15 characters of an organisation's id that count. The three that may follow only repeat which are capitals. */
function shortId(id: unknown): string | undefined {
  return typeof id === 'string' ? ORGANIZATION_ID.exec(id)?.[1] : undefined;
}

/** The elements as a list. The parser gives a single element as itself, and several as an array. */
function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

/** A record has a field once. If it is there twice, the id is unusable. */
function only(value: unknown): unknown {
  return Array.isArray(value) ? {} : value;
}
