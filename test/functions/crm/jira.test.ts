import { sign, verify as verifyByOctokit } from '@octokit/webhooks-methods';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import XHubSignature from 'x-hub-signature';
import type { Connection } from '../../../functions/connections.ts';
import jira from '../../../functions/crm/jira.ts';
import type { HmacSettings } from '../../../functions/schemes/scheme.ts';
import { changeByte, changeCharacter, type Headers, isPlain } from '../../../samples/delivery.ts';
import { connectionOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { startReceiver } from '../../support/receiver.ts';
import { anyBytes, anyChange, hmacVerdict } from '../../support/verdict.ts';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = 'the-secret-of-this-webhook';
const CHAT = 'KpQx-polyai-0001';
const SETTINGS = jira.verify as HmacSettings;
const CONNECTION: Connection = { crm: 'jira', project: 'support', verify: SETTINGS };

const toDone = {
  field: 'status',
  fieldtype: 'jira',
  from: '3',
  fromString: 'In Progress',
  to: '5',
  toString: 'Done',
};

type Change = { items?: unknown; labels?: unknown; category?: unknown; event?: unknown };

/** What Jira sends when an issue with a chat has moved to a done status. */
function jiraEvent({
  items = [toDone],
  labels = [`polyai_conversation_id:${CHAT}`],
  category = 'done',
  event = 'jira:issue_updated',
}: Change = {}) {
  return {
    timestamp: 1606480436302,
    webhookEvent: event,
    issue: {
      id: '99291',
      key: 'JRA-20002',
      fields: { labels, status: { id: '5', name: 'Done', statusCategory: { key: category } } },
    },
    changelog: { id: 10124, items },
  };
}

function read(body: unknown, settings: Partial<Connection> = {}, headers: Headers = {}) {
  return readReasons(jira, { ...CONNECTION, ...settings }, { body, headers, query: {} });
}

function verify(header: string, body: string | Buffer, secret = SECRET): string {
  return hmacVerdict(SETTINGS, { headers: { 'x-hub-signature': header }, body, secret, now: NOW });
}

describe("Atlassian's published signature", () => {
  // https://developer.atlassian.com/cloud/jira/platform/webhooks/
  const secret = "It's a Secret to Everybody";
  const header = 'sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9';

  it('is accepted over its own body and no other', () => {
    expect(verify(header, 'Hello World!', secret)).toBe('accepted');
    expect(verify(header, 'Hello World', secret)).toBe('signature_mismatch');
  });

  it('is made with a public secret, so a connection with that secret is not ready', async () => {
    const body = JSON.stringify(jiraEvent());
    const headers = { 'x-hub-signature': await sign(secret, body) };
    const { send } = startReceiver('jira', {}, { signingSecret: [SECRET, secret] }, NOW);
    expect(await send({ headers, body })).toMatchObject({ code: 'secret_not_ready', closes: [] });
  });
});

describe('a webhook', () => {
  const { send } = startReceiver('jira', {}, { signingSecret: SECRET }, NOW);
  const body = JSON.stringify(jiraEvent());

  it('closes the chat of the issue', async () => {
    const headers = {
      'X-Hub-Signature': await sign(SECRET, body),
      'X-Atlassian-Webhook-Identifier': '6cf11d83',
    };
    const { status, closes, line } = await send({ headers, body });
    expect([status, closes, line?.delivery_id]).toEqual([200, [CHAT], '6cf11d83']);
  });

  it.each([
    ['no signature', undefined, 'signature_missing'],
    ['another method', new XHubSignature('sha1', SECRET).sign(body), 'signature_malformed'],
    ['no method', new XHubSignature('sha256', SECRET).sign(body).slice(7), 'signature_malformed'],
    ["another secret's signature", new XHubSignature('sha256', 'x').sign(body), 'signature_mismatch'],
    ["another body's signature", new XHubSignature('sha256', SECRET).sign('{}'), 'signature_mismatch'],
  ])('closes nothing with %s', async (_what, signature, code) => {
    const headers = { 'x-hub-signature': signature };
    expect(await send({ headers, body })).toMatchObject({ status: 401, code, closes: [] });
  });

  it('is verified by its exact bytes: Unicode, escapes, tabs and CRLF', async () => {
    const text =
      `${JSON.stringify(jiraEvent({ labels: ['Ünï-会話', 'polyai_conversation_id:会話-💬'] }), null, '\t')}\r\n`
        .replaceAll('\n', '\r\n')
        .replace('会話-💬', '\\u4f1a話-\\ud83d\\udcac');
    const headers = { 'x-hub-signature': await sign(SECRET, text) };
    expect(await send({ headers, body: text })).toMatchObject({ closes: ['会話-💬'] });
    // The same receiver would take the same bytes for a repeated delivery.
    const another = startReceiver('jira', {}, { signingSecret: SECRET }, NOW);
    expect(await another.send({ headers, body: Buffer.from(text) })).toMatchObject({ closes: ['会話-💬'] });
    expect(await send({ headers, body: JSON.stringify(JSON.parse(text)) })).toMatchObject({ status: 401 });
  });
});

describe('any signature', () => {
  it('is accepted and refused exactly as by two other libraries', async () => {
    const bodies = fc.string({ unit: 'grapheme', minLength: 1 });
    const secrets = fc.stringMatching(/^[\x21-\x7e]{1,40}$/).filter(isPlain);
    await fc.assert(
      fc.asyncProperty(bodies, secrets, fc.nat(), async (body, secret, position) => {
        const hub = new XHubSignature('sha256', secret);
        const header = await sign(secret, body);
        expect([header, verify(header, body, secret)]).toEqual([hub.sign(body), 'accepted']);

        const forged = changeByte(Buffer.from(body), position, 1).toString('utf8');
        fc.pre(forged !== body);
        const forgeries = [
          [header, forged, secret],
          [changeCharacter(header, position), body, secret],
          [header, body, changeCharacter(secret, position)],
        ] as const;
        for (const [given, text, key] of forgeries) {
          expect(await verifyByOctokit(key, text, given)).toBe(false);
          expect(new XHubSignature('sha256', key).verify(given, Buffer.from(text))).toBe(false);
          expect(verify(given, text, key)).toMatch(/^signature_/);
        }
      }),
    );
  });

  it('is refused if any byte of the body is changed', () => {
    fc.assert(
      fc.property(anyBytes, fc.nat(), anyChange, (body, position, by) => {
        const header = new XHubSignature('sha256', SECRET).sign(body);
        expect(verify(header, body)).toBe('accepted');
        expect(verify(header, changeByte(body, position, by))).toBe('signature_mismatch');
      }),
    );
  });
});

describe('an update of an issue', () => {
  it.each([
    ['an edit of a done issue', { items: [{ ...toDone, field: 'summary' }] }],
    ['a new resolution of a done issue', { items: [{ ...toDone, field: 'resolution' }] }],
    ['no change at all', { items: [] }],
    ['a change log of another shape', { items: { 0: toDone } }],
    ['a change log of other things', { items: [null, 'status', [toDone]] }],
    ['a move to a status in progress', { category: 'indeterminate' }],
    ['a move to a new status', { category: 'new' }],
    ['a category in another case', { category: 'Done' }],
    ['a created issue', { event: 'jira:issue_created' }],
    ['a comment', { event: 'comment_created' }],
    ['an event of another type', { event: null }],
  ])('is not finished: %s', (_what, change) => {
    expect(read(jiraEvent(change))).toMatchObject({ closes: [], ignored: ['not_finished'] });
  });

  it('is finished if the connection lists the name or the id of the new status', () => {
    const event = jiraEvent({ category: 'indeterminate' });
    expect(read(event, { finishedValues: ['done'] }).closes).toHaveLength(1);
    expect(read(event, { finishedValues: ['5'] }).closes).toHaveLength(1);
    expect(read(event, { finishedValues: ['In Progress', '3', 'status'] }).ignored).toEqual(['not_finished']);
    expect(read(jiraEvent(), { finishedValues: ['Resolved'] }).ignored).toEqual(['not_finished']);
  });

  it('proves a change only if none of its moves began in a finished status', () => {
    const closed = { ...toDone, from: '5', fromString: 'Done', to: '6', toString: 'Closed' };
    const settings: Partial<Connection> = { lookUp: 'sharedId', finishedValues: ['Done', 'Closed'] };
    expect(read(jiraEvent({ items: [toDone] }), settings).closes).toHaveLength(1);
    expect(read(jiraEvent({ items: [toDone, closed] }), settings).ignored).toEqual(['not_finished']);
  });

  it('has its status read from its own toString, not from the inherited one', () => {
    const { toString: _, to: __, ...rest } = toDone;
    const inherited = String(Object.prototype.toString);
    const finishedValues = [inherited, '[object Object]', 'Done', '5'];
    expect(read(jiraEvent({ items: [rest] }), { finishedValues }).ignored).toEqual(['not_finished']);
  });

  it.each([
    ['one', [`polyai_conversation_id:${CHAT}`, 'UI'], [CHAT]],
    ['two', ['polyai_conversation_id:a', 'polyai_conversation_id:b'], ['a', 'b']],
    ['one twice', ['polyai_conversation_id:a', 'polyai_conversation_id:a'], ['a']],
    ['one with a colon', ['polyai_conversation_id:a:b'], ['a:b']],
    ['other labels only', ['polyai', 'polyai_conversation_id', 'xpolyai_conversation_id:a'], []],
    ['an empty one', ['polyai_conversation_id:'], []],
    ['labels that are not text', [null, 7, { a: 1 }, ['polyai_conversation_id:a']], []],
    ['a text instead of a list', 'polyai_conversation_id:a', []],
  ])('has the ids in its labels: %s', (_what, labels, expected) => {
    const { closes, ignored } = read(jiraEvent({ labels }));
    expect(closes.map(({ conversationId }) => conversationId)).toEqual(expected);
    expect(ignored).toEqual(expected.length > 0 ? [] : ['no_conversation_id']);
  });

  it('has the id in a field if the connection says so', () => {
    const event = jiraEvent();
    const fields = { ...event.issue.fields, customfield_10050: 'KpQx-2' };
    const settings = { conversationId: 'body.issue.fields.customfield_10050' };
    expect(read({ ...event, issue: { ...event.issue, fields } }, settings).closes).toEqual([
      { crmRef: 'JRA-20002', conversationId: 'KpQx-2' },
    ]);
    expect(read(event, settings).ignored).toEqual(['no_conversation_id']);
  });
});

describe('an automation rule', () => {
  const settings = { verify: { scheme: 'header', header: 'X-PolyAI-Token' } };
  const token = 'the-token-of-this-rule';
  const rule = { event: 'issue.done', issue_key: 'SUP-1', status: 'Resolved', polyai_conversation_id: CHAT };
  const { send } = startReceiver('jira', settings, { token }, NOW);

  it('closes the chat with the token in its header', async () => {
    const headers = { 'X-PolyAI-Token': token };
    const body = JSON.stringify(rule);
    expect(await send({ headers, body })).toMatchObject({ status: 200, closes: [CHAT] });
    expect(await send({ headers: { 'X-PolyAI-Token': `${token}x` }, body })).toMatchObject({
      code: 'credential_mismatch',
      closes: [],
    });
    const signed = { 'x-hub-signature': await sign(token, body) };
    expect(await send({ headers: signed, body })).toMatchObject({ code: 'credential_missing', closes: [] });
  });

  it.each([
    ['no event', { ...rule, event: undefined }],
    ['another event', { ...rule, event: 'issue.updated' }],
    ['an event that is not text', { ...rule, event: true }],
  ])('closes nothing with %s', (_what, body) => {
    expect(read(body).ignored).toEqual(['not_finished']);
  });

  it('is finished in the statuses of finishedValues if the connection has them', () => {
    expect(read(rule, { finishedValues: ['Closed'] }).ignored).toEqual(['not_finished']);
    expect(read(rule, { finishedValues: ['RESOLVED'] }).closes).toHaveLength(1);
  });
});

describe('a connection', () => {
  it('needs no setting', () => {
    expect(connectionOf('jira')).toMatchObject({ verify: SETTINGS });
  });

  it.each([
    [
      { verify: { scheme: 'query', parameter: 'token' } },
      /connections\.c\.verify\.scheme is "query", which crm "jira" cannot send/,
    ],
    [{ sender: 'acme' }, /connections\.c\.sender does not apply to crm "jira"/],
    [
      { finishedValues: ['Done'], finishedWhen: 'always' },
      /finishedValues has no effect beside finishedWhen/,
    ],
  ])('is refused as %j', (settings, message) => {
    expect(() => connectionOf('jira', settings)).toThrow(message);
  });
});
