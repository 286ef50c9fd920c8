import { XMLParser } from 'fast-xml-parser';
import { valueAt } from '../json.ts';
import { checkEvents, LIMITS, UnreadableBody } from '../parse-body.ts';
import { type Crm, isOneOf, LOOK_UP, USUAL } from './crm.ts';
import { toLongId } from './salesforce-id.ts';

const XML = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  parseTagValue: false,
  // The parser's own would count what a long description has, and leave numeric references alone.
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
const ORGANIZATION_ID = /^([A-Za-z0-9]{15})(?:[A-Za-z0-9]{3})?$/;

/**
 * Salesforce's Outbound Message: SOAP without a signature, with 1 to 100 records. The proof is a token in the
 * address; the organisation's id, which is no secret, keeps other organisations' messages apart. The flow or
 * rule that sends a message has decided that its records are finished. Selectors see one record as `body`, its
 * fields without their prefix, and so never the SessionId, which is a live credential.
 *
 * @see https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_notifications.htm
 * @see https://developer.salesforce.com/docs/platform/api/guide/sforce-api-om-outboundmessaging-wsdl.html
 */
const salesforceOutboundMessage: Crm = {
  verify: { scheme: 'query', parameter: 'token' },
  schemes: ['query'],
  vendorIssuesSecret: false,
  hasBatches: true,
  takes: [...USUAL, ...LOOK_UP, 'verify', 'sender'],
  requires: ['sender'],
  provesChange: true,
  senderForm: {
    pattern: /^00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$/,
    mend: 'Write the 15 or 18 letters and digits of the organisation’s id, as in 00D000000000001',
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
        // A case may have been opened again while Salesforce was sending the message once more.
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
 * The `notifications` element.
 *
 * @throws {UnreadableBody} when there is more in it than in any message
 * @throws {Error} when there is none, or a DTD, which no message has
 */
function parse(text: string): unknown {
  if (DECLARATION.test(text)) throw new Error('has a declaration');
  if (text.split('<', LIMITS.xmlTags + 2).length > LIMITS.xmlTags + 1) {
    throw new UnreadableBody(`has more than ${LIMITS.xmlTags} tags`);
  }
  const notifications = valueAt(XML.parse(text, true), 'Envelope', 'Body', 'notifications');
  if (notifications === undefined) throw new Error('is no outbound message');
  checkEvents(valueAt(notifications, 'Notification'));
  return notifications;
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function nothing(): void {}

/** Once through, so that what an entity gives is never read as another. */
function decode(text: string): string {
  return text.replace(
    /&(?:#x([\da-fA-F]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/g,
    (all, hex, decimal, name) => {
      if (name) return ENTITIES[name] ?? all;
      const point = hex ? Number.parseInt(hex, 16) : Number(decimal);
      return point <= 0x10ffff ? String.fromCodePoint(point) : all;
    },
  );
}

/** 18 characters are the 15 that count and a checksum of their upper and lower case. */
function shortId(id: unknown): string | undefined {
  return typeof id === 'string' ? ORGANIZATION_ID.exec(id)?.[1] : undefined;
}

/** A single element stands there itself, several as an array. */
function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

/** A record has a field once: an array here is nobody's list of conversations. */
function only(value: unknown): unknown {
  return Array.isArray(value) ? {} : value;
}
