import amazonConnect from './amazon-connect.ts';
import amazonConnectCases from './amazon-connect-cases.ts';
import chatwoot from './chatwoot.ts';
import cloudevents from './cloudevents.ts';
import type { Crm } from './crm.ts';
import custom from './custom.ts';
import dixa from './dixa.ts';
import dynamics from './dynamics.ts';
import eventbridge from './eventbridge.ts';
import freshchat from './freshchat.ts';
import freshdesk from './freshdesk.ts';
import freshservice from './freshservice.ts';
import front from './front.ts';
import genesys from './genesys.ts';
import genesysEventbridge from './genesys-eventbridge.ts';
import gladly from './gladly.ts';
import gorgias from './gorgias.ts';
import helpScout from './help-scout.ts';
import hubspot from './hubspot.ts';
import intercom from './intercom.ts';
import jira from './jira.ts';
import kustomer from './kustomer.ts';
import ringcx from './ringcx.ts';
import salesforce from './salesforce.ts';
import salesforceEventRelay from './salesforce-event-relay.ts';
import salesforceOutboundMessage from './salesforce-outbound-message.ts';
import servicenow from './servicenow.ts';
import standardWebhooks from './standard-webhooks.ts';
import twilio from './twilio.ts';
import webexContactCenter from './webex-contact-center.ts';
import zendesk from './zendesk.ts';
import zohoDesk from './zoho-desk.ts';
import zoomContactCenter from './zoom-contact-center.ts';

const PRESETS = {
  chatwoot,
  'amazon-connect': amazonConnect,
  'amazon-connect-cases': amazonConnectCases,
  cloudevents,
  custom,
  dixa,
  dynamics,
  eventbridge,
  freshchat,
  freshdesk,
  freshservice,
  front,
  genesys,
  'genesys-eventbridge': genesysEventbridge,
  gladly,
  gorgias,
  'help-scout': helpScout,
  hubspot,
  intercom,
  jira,
  kustomer,
  ringcx,
  salesforce,
  'salesforce-event-relay': salesforceEventRelay,
  'salesforce-outbound-message': salesforceOutboundMessage,
  servicenow,
  'standard-webhooks': standardWebhooks,
  twilio,
  'webex-contact-center': webexContactCenter,
  zendesk,
  'zoho-desk': zohoDesk,
  'zoom-contact-center': zoomContactCenter,
} satisfies Record<string, Crm>;

/** The values that `crm` takes in connections.json. */
export type CrmName = keyof typeof PRESETS;

/** Every preset by its name. Each is in the file of that name. Any other text gives `undefined`. */
export const CRMS: Record<CrmName, Crm> & Record<string, Crm> = PRESETS;

export const CRM_NAMES = Object.keys(PRESETS) as CrmName[];
