/** The state of a ticket. Resolved and closed both mean finished. */
export type State = 'open' | 'resolved' | 'closed';

/** A change of a ticket. All times are Unix milliseconds. */
export type Change = { at: number; from: State; to: State; finishedAt: number };

/** One delivery, or one event of a bus. A body that is not text is sent as JSON. */
export type Sent = { body: unknown; headers?: Record<string, string> };

/** One of the ways in which a CRM reports its tickets. */
export type Way = {
  crm: string;
  /** The settings of the connection besides `crm`, `polyai` and `lookUp`. */
  settings: Record<string, unknown>;
  /** The shared id that the agent has stored. */
  ticket: string;
  /** Everything that the CRM sends about a change, including events that do not matter. */
  tell(change: Change): Sent[];
};

const iso = (at: number) => new Date(at).toISOString();
const isFinish = ({ from, to }: Change) => from === 'open' && to !== 'open';
const isMove = ({ from, to }: Change) => from !== to;
const when = (condition: boolean, ...bodies: unknown[]): Sent[] =>
  condition ? bodies.map((body) => ({ body })) : [];

const ZENDESK = { open: 'OPEN', resolved: 'SOLVED', closed: 'CLOSED' };
const zendeskEvent = (type: string, { at, to }: Change, event: object) => ({
  type: `zen:event-type:ticket.${type}`,
  id: `event-${at}`,
  time: iso(at),
  event,
  detail: { id: '35436', external_id: null, status: ZENDESK[to] },
});

const freshworks = (crm: string): Way => ({
  crm,
  settings: {},
  ticket: '12345',
  tell: (change) => [
    {
      body: {
        ticket_id: '12345',
        status: { open: 'Open', resolved: 'Resolved', closed: 'Closed' }[change.to],
        previous_status: { open: 'Open', resolved: 'Resolved', closed: 'Closed' }[change.from],
        updated_at: iso(change.at),
      },
    },
    // A rule without the line that says what was before.
    ...when(!isFinish(change), { ticket_id: '12345', status: 'Closed', updated_at: iso(change.at) }),
  ],
});

const relayed = (type: string, at: number, payload: object) => ({
  id: `event-${at}`,
  'detail-type': type,
  source: 'aws.partner/salesforce.com/00D/0YL',
  time: iso(at),
  detail: { payload },
});
const RELAY = { bus: 'aws.partner/salesforce.com/00D/0YL' };

const connectCase = ({ at, from, to }: Change) => ({
  id: `event-${at}`,
  'detail-type': 'Amazon Connect Cases Change',
  source: 'aws.cases',
  time: iso(at),
  detail: {
    eventType: 'CASE.UPDATED',
    approximateChangeTime: iso(at),
    changedFieldIds: from === to ? ['case_reason'] : ['status'],
    // The other finished status is not the one that counts.
    case: {
      caseId: 'case-1',
      fields: {
        status: { value: { stringValue: { open: 'open', resolved: 'closed', closed: 'archived' }[to] } },
      },
    },
  },
});
const connectContact = (eventType: string, { at, finishedAt }: Change) => ({
  id: `event-${at}`,
  'detail-type': 'Amazon Connect Contact Event',
  source: 'aws.connect',
  time: iso(at),
  detail: {
    eventType,
    channel: 'CHAT',
    contactId: 'leg-1',
    initialContactId: 'contact-1',
    disconnectTimestamp: iso(finishedAt),
  },
});

const jiraIssue = ({ to, finishedAt }: Change) => ({
  key: 'SUP-1',
  fields: {
    status: { statusCategory: { key: to === 'open' ? 'new' : 'done' } },
    statuscategorychangedate: iso(finishedAt).replace('Z', '+0000'),
  },
});
const JIRA_ID = { open: '3', resolved: '5', closed: '6' };
const JIRA_NAME = { open: 'To Do', resolved: 'Resolved', closed: 'Closed' };
const jiraEvent = (change: Change) => ({
  timestamp: change.at,
  webhookEvent: 'jira:issue_updated',
  issue: jiraIssue(change),
  changelog: {
    items: isMove(change)
      ? [
          {
            field: 'status',
            from: JIRA_ID[change.from],
            fromString: JIRA_NAME[change.from],
            to: JIRA_ID[change.to],
            toString: JIRA_NAME[change.to],
          },
        ]
      : [{ field: 'labels', fromString: '', toString: 'vip' }],
  },
});
const RULE = { verify: { scheme: 'header', header: 'x-polyai-token' } };

const DATAVERSE = { open: 0, resolved: 1, closed: 2 };
const image = (key: string, state: State) => [
  { key, value: { Attributes: [{ key: 'statecode', value: { Value: DATAVERSE[state] } }] } },
];

const ARCHIVED = { type: 'conversation_archived', payload: { type: 'archive' } };
const front = (type: string, { at, to }: Change) => ({
  id: `evt_${at}`,
  type,
  emitted_at: at / 1000,
  conversation: {
    id: 'cnv_1',
    status: to === 'open' ? 'unassigned' : 'archived',
    status_category: to === 'open' ? 'open' : 'resolved',
  },
});

const intercom = (topic: string, { at }: Change, item: object) => ({
  topic,
  app_id: 'app',
  id: `notif_${at}`,
  created_at: Math.floor(at / 1000),
  data: { item: { id: '494', created_at: 1, ...item } },
});
const ticketState = ({ to }: Change) => ({
  ticket_state: { category: to === 'open' ? 'in_progress' : 'resolved' },
});

const TWILIO = { open: 'active', resolved: 'inactive', closed: 'closed' };
const TWILIO_ACCOUNT = `AC${'0'.repeat(32)}`;
const twilioState = ({ at, from, to }: Change) => ({
  ConversationSid: 'CH1',
  StateFrom: TWILIO[from],
  StateTo: TWILIO[to],
  StateUpdated: iso(at),
});

const CHATWOOT = { open: 'open', resolved: 'resolved', closed: 'snoozed' };
const chatwoot = (event: string, change: Change) => {
  const { at, from, to } = change;
  const status = { previous_value: CHATWOOT[from], current_value: CHATWOOT[to] };
  const label_list = { previous_value: [], current_value: ['vip'] };
  return {
    event,
    id: 7,
    status: CHATWOOT[to],
    updated_at: at / 1000,
    changed_attributes: isMove(change) ? [{ status }] : [{ label_list }],
  };
};
const twilioTask = (EventType: string, { at }: Change) =>
  new URLSearchParams({
    AccountSid: TWILIO_ACCOUNT,
    EventType,
    TaskAttributes: '{"conversationSid":"CH1"}',
    TaskSid: 'WT1',
    Timestamp: `${Math.floor(at / 1000)}`,
  }).toString();

/** Every way of every preset that accepts `lookUp` and can prove the change to finished. A new preset needs a row. */
export const WAYS: Record<string, Way> = {
  'zendesk by events': {
    crm: 'zendesk',
    settings: {},
    ticket: '35436',
    tell: (change) =>
      isMove(change)
        ? when(
            true,
            zendeskEvent('status_changed', change, {
              previous: ZENDESK[change.from],
              current: ZENDESK[change.to],
            }),
            zendeskEvent('custom_status_changed', change, { previous: '1', current: '2' }),
          )
        : when(true, zendeskEvent('custom_status_changed', change, { previous: '2', current: '3' })),
  },
  'zendesk by custom statuses': {
    crm: 'zendesk',
    settings: { finishedValues: ['902', '903'] },
    ticket: '35436',
    tell: (change) => {
      const ids = { open: '901', resolved: '902', closed: '903' };
      const event = { previous: ids[change.from], current: ids[change.to] };
      return when(isMove(change), zendeskEvent('custom_status_changed', change, event));
    },
  },
  'zendesk by a trigger': {
    crm: 'zendesk',
    settings: {},
    ticket: '35436',
    tell: (change) => [
      ...when(isFinish(change), {
        ticket_id: '35436',
        status: 'Solved',
        previous_status: 'unsolved',
        updated_at: iso(change.at),
      }),
      ...when(!isFinish(change), { ticket_id: '35436', status: 'Solved', updated_at: iso(change.at) }),
    ],
  },
  salesforce: {
    crm: 'salesforce',
    settings: {},
    ticket: '500',
    tell: ({ to, finishedAt }) =>
      when(true, [
        {
          event: 'case.closed',
          case_id: '500',
          is_closed: to !== 'open',
          closed_at: to === 'open' ? '' : iso(finishedAt),
        },
      ]),
  },
  'salesforce by messaging sessions': {
    crm: 'salesforce',
    settings: {},
    ticket: '0Mw',
    tell: ({ to, finishedAt }) =>
      when(to !== 'open', { status: 'Ended', messaging_session_id: '0Mw', closed_at: iso(finishedAt) }),
  },
  'salesforce-outbound-message': {
    crm: 'salesforce-outbound-message',
    settings: { sender: '00D000000000001' },
    ticket: '500',
    tell: ({ to, finishedAt }) =>
      when(
        true,
        '<Envelope><Body><notifications><OrganizationId>00D000000000001</OrganizationId><Notification>' +
          `<sObject><Id>500</Id><IsClosed>${to !== 'open'}</IsClosed>` +
          `${to === 'open' ? '' : `<ClosedDate>${iso(finishedAt)}</ClosedDate>`}</sObject>` +
          '</Notification></notifications></Body></Envelope>',
      ),
  },
  'salesforce-event-relay by change events': {
    crm: 'salesforce-event-relay',
    settings: RELAY,
    ticket: '500',
    tell: (change) =>
      when(
        true,
        relayed('CaseChangeEvent', change.at, {
          ChangeEventHeader: {
            changedFields: isMove(change) ? ['Status'] : ['Subject'],
            commitTimestamp: change.at,
            recordIds: ['500'],
          },
          // The other finished status is not the one that counts.
          Status: { open: 'New', resolved: 'Closed', closed: 'Archived' }[change.to],
        }),
      ),
  },
  'salesforce-event-relay by platform events': {
    crm: 'salesforce-event-relay',
    settings: RELAY,
    ticket: '500',
    tell: ({ at, to, finishedAt }) =>
      when(
        to !== 'open',
        relayed('PolyAI_Chat_Finished__e', at, {
          CreatedDate: iso(at),
          Case_Id__c: '500',
          Closed_At__c: iso(finishedAt),
        }),
      ),
  },
  'hubspot by subscriptions': {
    crm: 'hubspot',
    settings: { finishedValues: ['4'] },
    ticket: '1246965',
    tell: (change) =>
      when(true, [
        {
          subscriptionType: 'ticket.propertyChange',
          objectId: 1246965,
          occurredAt: change.at,
          propertyName: isMove(change) ? 'hs_pipeline_stage' : 'hs_ticket_priority',
          propertyValue: { open: '1', resolved: '4', closed: '5' }[change.to],
        },
      ]),
  },
  'hubspot by a workflow': {
    crm: 'hubspot',
    settings: { finishedValues: ['4'] },
    ticket: '1246965',
    tell: ({ to, finishedAt }) =>
      when(to !== 'open', {
        hs_object_id: '1246965',
        hs_pipeline_stage: '4',
        closed_date: `${finishedAt}`,
      }),
  },
  'intercom by conversations': {
    crm: 'intercom',
    settings: {},
    ticket: '494',
    tell: (change) => [
      ...when(isFinish(change), intercom('conversation.admin.closed', change, { state: 'closed' })),
      // Sent again after it was opened.
      ...when(change.to === 'open', intercom('conversation.admin.closed', change, { state: 'open' })),
      ...when(true, intercom('conversation.admin.replied', change, { state: 'closed' })),
    ],
  },
  'intercom by tickets': {
    crm: 'intercom',
    settings: {},
    ticket: '494',
    tell: (change) => [
      ...when(isFinish(change), intercom('ticket.resolved', change, ticketState(change))),
      ...when(change.to === 'open', intercom('ticket.resolved', change, ticketState(change))),
      ...when(
        change.to === 'closed',
        intercom('ticket.closed', change, { ticket: { id: '494', ...ticketState(change) } }),
      ),
      ...when(true, intercom('ticket.state.updated', change, ticketState(change))),
    ],
  },
  freshdesk: freshworks('freshdesk'),
  freshservice: freshworks('freshservice'),
  servicenow: {
    crm: 'servicenow',
    settings: {},
    ticket: 'INC0010001',
    tell: ({ at, from, to }) => {
      const states = { open: '2', resolved: '6', closed: '7' };
      return when(true, {
        table: 'incident',
        number: 'INC0010001',
        state: states[to],
        previous_state: states[from],
        sys_updated_on: iso(at).slice(0, 19).replace('T', ' '),
      });
    },
  },
  dynamics: {
    crm: 'dynamics',
    settings: { finishedValues: ['1', '2'] },
    ticket: 'case-1',
    tell: ({ at, from, to }) =>
      when(true, {
        MessageName: 'Update',
        PrimaryEntityName: 'incident',
        PrimaryEntityId: 'case-1',
        OperationCreatedOn: `/Date(${at}-0700)/`,
        PreEntityImages: image('PreImage', from),
        PostEntityImages: image('PostImage', to),
      }),
  },
  'dynamics by conversations': {
    crm: 'dynamics',
    settings: {},
    ticket: 'conversation-1',
    tell: ({ at, from, to }) => {
      // The name of the state, which has no second finished one.
      const named = (key: string, state: State) => [
        {
          key,
          value: { FormattedValues: [{ key: 'statuscode', value: state === 'open' ? 'Active' : 'Closed' }] },
        },
      ];
      return when(true, {
        MessageName: 'Update',
        PrimaryEntityName: 'msdyn_ocliveworkitem',
        PrimaryEntityId: 'conversation-1',
        OperationCreatedOn: `/Date(${at})/`,
        PreEntityImages: named('PreImage', from),
        PostEntityImages: named('PostImage', to),
      });
    },
  },
  genesys: {
    crm: 'genesys',
    settings: {},
    ticket: 'g-1',
    tell: (change) => [
      ...when(isFinish(change), {
        conversationId: 'g-1',
        mediaType: 'MESSAGE',
        previousStatus: 'connected',
        eventTime: `${change.at}`,
      }),
      // Another workflow that calls the same action.
      ...when(!isFinish(change), { conversationId: 'g-1', mediaType: 'MESSAGE', eventTime: change.at }),
    ],
  },
  'genesys-eventbridge': {
    crm: 'genesys-eventbridge',
    settings: { bus: 'aws.partner/genesys.com/cloud/1/2' },
    ticket: 'g-1',
    tell: (change) =>
      ['customer.end', 'user.end', 'acw'].slice(isFinish(change) ? 0 : 1).map((topic) => ({
        body: {
          id: `event-${change.at}`,
          'detail-type': `v2.detail.events.conversation.{id}.${topic}`,
          time: iso(change.at),
          detail: { eventBody: { conversationId: 'g-1', mediaType: 'CHAT', eventTime: change.at } },
        },
      })),
  },
  'twilio by forms': {
    crm: 'twilio',
    settings: { finishedValues: ['inactive', 'closed'] },
    ticket: 'CH1',
    tell: (change) => [
      {
        body: new URLSearchParams({
          AccountSid: TWILIO_ACCOUNT,
          EventType: isMove(change) ? 'onConversationStateUpdated' : 'onConversationUpdated',
          ...twilioState(change),
        }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
    ],
  },
  'twilio by tasks of Flex': {
    crm: 'twilio',
    settings: { finishedValues: ['task.wrapup', 'task.completed'] },
    ticket: 'CH1',
    tell: (change) => [
      ...when(isFinish(change), twilioTask('task.wrapup', change)),
      ...when(change.to === 'closed', twilioTask('task.completed', change)),
      ...when(true, twilioTask('task.updated', change)),
    ],
  },
  'twilio by Event Streams': {
    crm: 'twilio',
    settings: { finishedValues: ['inactive', 'closed'] },
    ticket: 'CH1',
    tell: (change) =>
      when(isMove(change), [
        {
          specversion: '1.0',
          id: `NO${change.at}`,
          type: 'com.twilio.conversations.conversation-state.updated',
          data: { AccountSid: TWILIO_ACCOUNT, ...twilioState(change) },
        },
      ]),
  },
  'amazon-connect-cases': {
    crm: 'amazon-connect-cases',
    settings: {},
    ticket: 'case-1',
    tell: (change) => when(true, connectCase(change)),
  },
  'amazon-connect': {
    crm: 'amazon-connect',
    settings: {},
    ticket: 'contact-1',
    tell: (change) => [
      ...when(isFinish(change), connectContact('DISCONNECTED', change)),
      // The agent has finished the after-contact work.
      ...when(change.to === 'closed', connectContact('COMPLETED', change)),
      ...when(true, connectContact('CONTACT_DATA_UPDATED', change)),
    ],
  },
  'amazon-connect, where both types count': {
    crm: 'amazon-connect',
    settings: { finishedValues: ['DISCONNECTED', 'COMPLETED'] },
    ticket: 'contact-1',
    tell: (change) => [
      ...when(isFinish(change), connectContact('DISCONNECTED', change)),
      ...when(change.to === 'closed', connectContact('COMPLETED', change)),
    ],
  },
  'zoom-contact-center': {
    crm: 'zoom-contact-center',
    settings: {},
    ticket: 'engagement-1',
    tell: (change) => {
      const event = (name: string) => ({
        event: `contact_center.${name}`,
        event_ts: change.at,
        payload: { account_id: 'acme', object: { engagement_id: 'engagement-1', channel: 'messaging' } },
      });
      return [
        ...when(true, event('engagement_user_ended'), event('engagement_started')),
        ...when(isFinish(change), event('engagement_ended')),
      ];
    },
  },
  ringcx: {
    crm: 'ringcx',
    settings: { finishedValues: ['intervention.closed', 'intervention.deferred'] },
    ticket: 'intervention-1',
    tell: (change) => {
      const event = (type: string) => ({
        type,
        id: `${type}-${change.at}`,
        issued_at: iso(change.at),
        resource: { type: 'intervention', id: 'intervention-1', metadata: {} },
      });
      const events = [
        event('intervention.assigned'),
        ...(isFinish(change) ? [event('intervention.closed')] : []),
        ...(change.to === 'open' ? [event('intervention.reopened'), event('intervention.deferred')] : []),
      ];
      return when(true, { domain_id: 'acme', events });
    },
  },
  gladly: {
    crm: 'gladly',
    settings: {},
    ticket: 'c-1',
    tell: (change) => {
      const event = (type: string) => ({
        id: `${type}-${change.at}`,
        type,
        timestamp: iso(change.at),
        content: { customerId: 'p-1', conversationId: 'c-1' },
      });
      return [
        ...when(isFinish(change), event('CONVERSATION/CLOSED')),
        ...when(true, event('CONVERSATION_STATUS/UPDATED')),
      ];
    },
  },
  'webex-contact-center': {
    crm: 'webex-contact-center',
    settings: {},
    ticket: 'task-1',
    tell: (change) => {
      const event = (type: string) => ({
        id: `${type}-${change.at}`,
        type,
        comciscotimestamp: change.at,
        data: { taskId: 'task-1', channelType: 'customMessaging' },
      });
      return [...when(isFinish(change), event('task:ended')), ...when(true, event('task:origin-updated'))];
    },
  },
  'chatwoot by changes of the status': {
    crm: 'chatwoot',
    settings: { finishedValues: ['resolved', 'snoozed'] },
    ticket: '7',
    tell: (change) => when(isMove(change), chatwoot('conversation_status_changed', change)),
  },
  'chatwoot by updates': {
    crm: 'chatwoot',
    settings: { finishedValues: ['resolved', 'snoozed'] },
    ticket: '7',
    tell: (change) => when(true, chatwoot('conversation_updated', change)),
  },
  dixa: {
    crm: 'dixa',
    settings: {},
    ticket: '2',
    tell: (change) => {
      const event = (event_fqn: string, status: string) => ({
        event_fqn,
        event_id: `${event_fqn}-${change.at}`,
        event_timestamp: iso(change.at),
        data: { conversation: { csid: 2, status } },
      });
      return [
        ...when(isFinish(change), event('CONVERSATION_CLOSED', 'CLOSED')),
        // Somebody who is not in the queue any more, and a change that is told too late.
        ...when(change.to === 'closed', event('CONVERSATION_ABANDONED', 'CLOSED')),
        ...when(change.to === 'open', event('CONVERSATION_CLOSED', 'OPEN')),
      ];
    },
  },
  freshchat: {
    crm: 'freshchat',
    settings: {},
    ticket: 'f-1',
    tell: (change) => {
      const event = (action: string, kind: string) => ({
        action,
        action_time: iso(change.at),
        data: { [kind]: { conversation: { conversation_id: 'f-1' } } },
      });
      return [
        ...when(isFinish(change), event('conversation_resolution', 'resolve')),
        ...when(change.to === 'open', event('conversation_reopen', 'reopen')),
        ...when(true, event('conversation_assignment', 'assignment')),
      ];
    },
  },
  kustomer: {
    crm: 'kustomer',
    settings: { finishedValues: ['done', 'ended'] },
    ticket: 'k-1',
    tell: (change) => {
      const statuses = { open: 'open', resolved: 'done', closed: 'ended' };
      const status = { before: statuses[change.from], after: statuses[change.to] };
      return when(true, {
        name: 'kustomer.conversation.update',
        createdAt: iso(change.at),
        data: { id: 'k-1', attributes: { status: statuses[change.to] } },
        changes: { attributes: isMove(change) ? { status } : { name: { before: 'a', after: 'b' } } },
      });
    },
  },
  'front by an application': {
    crm: 'front',
    settings: {},
    ticket: 'cnv_1',
    tell: (change) => [
      ...when(isFinish(change) || change.to === 'open', {
        ...ARCHIVED,
        payload: front('archive', change),
      }),
      ...when(true, { type: 'tag_added', payload: front('tag_added', change) }),
    ],
  },
  'front by a rule': {
    crm: 'front',
    settings: {
      verify: { scheme: 'hmac', header: 'x-front-signature', algorithm: 'sha1', encoding: 'base64' },
    },
    ticket: 'cnv_1',
    tell: (change) => [
      ...when(isFinish(change), front('archive', change)),
      ...when(true, front('ticket_status_update', change)),
    ],
  },
  gorgias: {
    crm: 'gorgias',
    settings: {},
    ticket: '86538410',
    tell: ({ to, finishedAt }) =>
      when(true, {
        id: '86538410',
        status: to === 'open' ? 'open' : 'closed',
        closed_datetime: to === 'open' ? 'None' : iso(finishedAt).replace('Z', '+00:00'),
      }),
  },
  'help-scout': {
    crm: 'help-scout',
    settings: {},
    ticket: '291938',
    tell: ({ to, finishedAt }) => [
      {
        body: { id: 291938, status: to === 'open' ? 'active' : 'closed', closedAt: iso(finishedAt) },
        headers: { 'x-helpscout-event': 'convo.status' },
      },
    ],
  },
  'jira by categories': {
    crm: 'jira',
    settings: {},
    ticket: 'SUP-1',
    tell: (change) => when(true, jiraEvent(change)),
  },
  'jira by statuses': {
    crm: 'jira',
    settings: { finishedValues: ['Resolved', '6'] },
    ticket: 'SUP-1',
    tell: (change) => when(true, jiraEvent(change)),
  },
  'jira by a rule': {
    crm: 'jira',
    settings: RULE,
    ticket: 'SUP-1',
    tell: (change) =>
      when(true, {
        event: 'issue.done',
        issue_key: 'SUP-1',
        status: JIRA_NAME[change.to],
        status_category_changed_at: iso(change.finishedAt),
        updated_at: iso(change.at),
      }),
  },
  'jira by a rule and statuses': {
    crm: 'jira',
    settings: { ...RULE, finishedValues: ['Resolved', 'Closed'] },
    ticket: 'SUP-1',
    tell: (change) =>
      when(true, {
        issue_key: 'SUP-1',
        status: JIRA_NAME[change.to],
        previous_status: JIRA_NAME[change.from],
        updated_at: iso(change.at),
      }),
  },
  'zoho-desk': {
    crm: 'zoho-desk',
    settings: { sender: '54983163', dataCentre: 'eu', audience: '3113' },
    ticket: '31138000011967402',
    tell: ({ at, from, to }) => {
      const type = (state: State) => (state === 'open' ? 'Open' : 'Closed');
      const event = (prevState: object) => ({
        eventType: 'Ticket_Update',
        orgId: '54983163',
        eventTime: `${at}`,
        prevState,
        payload: { id: '31138000011967402', statusType: type(to) },
      });
      return when(true, [event({ statusType: type(from) })], [event({})]);
    },
  },
};
