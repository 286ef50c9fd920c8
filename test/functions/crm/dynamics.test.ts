import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import dynamics from '../../../functions/crm/dynamics.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { changeCharacter, type Headers } from '../../../samples/delivery.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { startReceiver } from '../../support/receiver.ts';

const CRM = 'dynamics';
const NOW = Date.parse('2026-07-01T12:00:00Z');
const TOKEN = 'q7HhB2n0mVdLx5sWcZr8aTyK4uEoPgJf';
const CASE = '11111111-1111-1111-1111-111111111111';
const ORGANIZATION = 'b374239d-4233-41a9-8b17-a86cb4f737b6';
const OPERATION = '4af10637-4ea2-e711-8122-00155d2b8e3c';
const CORRELATION = 'b374239d-4233-41a9-8b17-a86cb4f737b5';

type Columns = Record<string, unknown>;

/** A choice as Dataverse writes it. */
const choice = (value: unknown) => ({
  __type: 'OptionSetValue:http://schemas.microsoft.com/xrm/2011/Contracts',
  Value: value,
});

function row(columns: Columns) {
  const Attributes = Object.entries(columns).map(([key, value]) => ({ key, value }));
  return { __type: 'Entity:http://schemas.microsoft.com/xrm/2011/Contracts', Attributes, Id: CASE };
}

type Context = { target?: Columns; image?: Columns | undefined; alias?: string; [property: string]: unknown };

/** The body that Dataverse sends when a case has just been resolved. */
function context({
  target = { statecode: choice(1), statuscode: choice(5) },
  image = { new_polyaiconversationid: 'KpQx-polyai-0001' },
  alias = 'PostImage',
  ...rest
}: Context = {}) {
  return {
    CorrelationId: CORRELATION,
    InputParameters: [{ key: 'Target', value: row(target) }],
    MessageName: 'Update',
    OperationId: OPERATION,
    OrganizationId: ORGANIZATION,
    PostEntityImages: [{ key: alias, value: row(image) }],
    PrimaryEntityId: CASE,
    PrimaryEntityName: 'incident',
    ...rest,
  };
}

function read(body: unknown, settings: Partial<Connection> = {}, headers: Headers = {}) {
  return readReasons(
    dynamics,
    { ...toConnection(connectionOf(CRM)), ...settings },
    { body, headers, query: {} },
  );
}

const start = (settings = {}) => startReceiver(CRM, settings, { token: TOKEN }, NOW);
const VALID = { headers: { 'x-polyai-token': TOKEN }, body: JSON.stringify(context()) };

describe('the receiver', () => {
  it('accepts a delivery with the token in its header', async () => {
    const receiver = start();
    expect(await receiver.send(VALID)).toMatchObject({ status: 200 });
    expect(receiver.queued).toMatchObject([
      { conversationId: 'KpQx-polyai-0001', crmRef: CASE, deliveryId: OPERATION },
    ]);
  });

  it('accepts the token in another header or as a WebhookKey if the connection says so', async () => {
    const { body } = VALID;
    const header = start({ verify: { scheme: 'header', header: 'X-Our-Token' } });
    expect(await header.send({ headers: { 'x-our-token': TOKEN }, body })).toMatchObject({ status: 200 });
    expect(await header.send(VALID)).toMatchObject({ code: 'credential_missing' });
    const key = start({ verify: { scheme: 'query', parameter: 'code' } });
    expect(await key.send({ query: `code=${TOKEN}`, body })).toMatchObject({ status: 200 });
    expect(await key.send(VALID)).toMatchObject({ code: 'credential_missing' });
  });

  it.each([
    ['no token', { headers: {} }, 'credential_missing'],
    ['an empty token', { headers: { 'x-polyai-token': '' } }, 'credential_missing'],
    ['the token in the address', { headers: {}, query: `code=${TOKEN}` }, 'credential_missing'],
    ['the token twice', { headers: { 'x-polyai-token': `${TOKEN},${TOKEN}` } }, 'credential_mismatch'],
    ['a body that was cut off', { body: VALID.body.slice(0, -1) }, 'body_unreadable'],
  ])('refuses %s', async (_what, change, code) => {
    const receiver = start();
    expect(await receiver.send({ ...VALID, ...change })).toMatchObject({ code });
    expect(receiver.queued).toEqual([]);
  });

  it('refuses a token if any character is changed', async () => {
    const receiver = start();
    for (const position of TOKEN.split('').keys()) {
      const headers = { 'x-polyai-token': changeCharacter(TOKEN, position) };
      expect(await receiver.send({ ...VALID, headers })).toMatchObject({ code: 'credential_mismatch' });
    }
    expect(receiver.queued).toEqual([]);
  });

  it.each([
    ['the organisation’s id', ORGANIZATION, ''],
    ['the organisation’s id in capitals', ORGANIZATION.toUpperCase(), ''],
    ['the host that the header names', 'contoso.crm.dynamics.com', 'contoso.crm.dynamics.com'],
  ])('accepts deliveries of its sender only, named by %s', async (_what, sender, organization) => {
    const receiver = start({ sender });
    const headers = { ...VALID.headers, 'x-ms-dynamics-organization': organization };
    expect(await receiver.send({ ...VALID, headers })).toMatchObject({ status: 200 });
    const copy = { ...context(), OrganizationId: CORRELATION };
    const other = { ...headers, 'x-ms-dynamics-organization': 'contoso-test.crm.dynamics.com' };
    expect(await receiver.send({ headers: other, body: JSON.stringify(copy) })).toMatchObject({
      code: 'sender_mismatch',
    });
    expect(await receiver.send({ headers: VALID.headers, body: '{}' })).toMatchObject({
      code: 'sender_mismatch',
    });
    expect(receiver.queued).toHaveLength(1);
  });

  it('answers 200 to a trimmed message, and says that it was trimmed', async () => {
    const receiver = start();
    const { InputParameters: _, PostEntityImages: __, ...rest } = context();
    const headers = { ...VALID.headers, 'x-ms-dynamics-msg-size-exceeded': 'True' };
    const answer = await receiver.send({ headers, body: JSON.stringify(rest) });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ accepted: 0, ignored: [{ reason: 'message_trimmed' }] });
  });
});

describe('a message', () => {
  it.each<[string, Context, boolean]>([
    ['the state among the changes', {}, true],
    ['the state as a plain number', { target: { statecode: 1 } }, true],
    ['the state as text', { target: { statecode: '1' } }, true],
    ['the state in the image alone', { target: {}, image: { statecode: choice(1) } }, true],
    ['a state that differs in the image', { image: { statecode: choice(0) } }, false],
    ['another change', { target: { prioritycode: choice(1) } }, false],
    ['a status code of 1', { target: { statuscode: choice(1) } }, false],
    ['a case that is active again', { target: { statecode: choice(0) } }, false],
    ['a case that is cancelled', { target: { statecode: choice(2) } }, false],
    ['a state that is null', { target: { statecode: choice(null) } }, false],
    ['a state that is true', { target: { statecode: choice(true) } }, false],
    ['CloseIncident', { MessageName: 'CloseIncident', InputParameters: [] }, true],
    ['CloseIncident of another table', { MessageName: 'CloseIncident', PrimaryEntityName: 'task' }, false],
    ['another table', { PrimaryEntityName: 'account' }, false],
    ['no table', { PrimaryEntityName: undefined }, false],
    ['another message', { MessageName: 'Create' }, false],
    ['no message', { MessageName: undefined }, false],
  ])('with %s: is finished %j', (_what, change, isFinished) => {
    const image = { new_polyaiconversationid: 'KpQx-polyai-0001', ...change.image };
    const { closes, ignored } = read(context({ ...change, image }));
    expect(closes).toHaveLength(isFinished ? 1 : 0);
    expect(ignored).toEqual(isFinished ? [] : ['not_finished']);
  });

  it('is finished in the states that the connection lists, and in no other', () => {
    const cancelled = context({ target: { statecode: choice(2) } });
    expect(read(cancelled, { finishedValues: ['1', '2'] }).closes).toHaveLength(1);
    expect(read(context(), { finishedValues: ['2'] }).ignored).toEqual(['not_finished']);
  });

  it.each<[string, Context, string | undefined]>([
    ['an image of another alias', { alias: 'AfterUpdate' }, 'KpQx-polyai-0001'],
    ['the changes', { image: {}, target: { statecode: choice(1), new_polyaiconversationid: 'b' } }, 'b'],
    [
      'the image before the changes',
      { target: { statecode: choice(1), new_polyaiconversationid: 'b' } },
      'KpQx-polyai-0001',
    ],
    ['no column', { image: {} }, undefined],
    ['no image', { PostEntityImages: [] }, undefined],
    ['images in another shape', { PostEntityImages: { PostImage: row({}) } }, undefined],
    ['an empty column', { image: { new_polyaiconversationid: '' } }, undefined],
    ['a column that is null', { image: { new_polyaiconversationid: null } }, undefined],
  ])('has the id of %s: %j', (_what, change, id) => {
    const ids = read(context(change)).closes.map(({ conversationId }) => conversationId);
    expect(ids).toEqual(id === undefined ? [] : [id]);
  });

  it('has its id in a column of another name if the selector of the page names it', () => {
    const conversationId = "body.PostEntityImages[].value.Attributes[] | [?key=='cr123_chatid'].value";
    const image = { statecode: choice(1), cr123_chatid: 'KpQx-polyai-0002' };
    expect(read(context({ image }), { conversationId }).closes).toMatchObject([
      { conversationId: 'KpQx-polyai-0002' },
    ]);
    expect(read(context(), { conversationId }).ignored).toEqual(['no_conversation_id']);
    expect(faultsOf(CRM, { conversationId })).toEqual([]);
  });

  it('has its operation as its delivery id, or else its correlation', () => {
    expect(read(context()).deliveryId).toBe(OPERATION);
    for (const OperationId of [undefined, null, '', '00000000-0000-0000-0000-000000000000']) {
      expect(read(context({ OperationId })).deliveryId).toBe(CORRELATION);
    }
  });

  it('is looked up by the id of the case', () => {
    const wasActive = context({
      PreEntityImages: [{ key: 'PreImage', value: row({ statecode: choice(0) }) }],
    });
    expect(read(wasActive, { lookUp: 'sharedId' }).closes).toMatchObject([{ sharedId: CASE }]);
  });

  it.each([
    ['true', ['message_trimmed']],
    ['', ['message_trimmed']],
    ['262145', ['message_trimmed']],
    ['False', []],
    [undefined, []],
  ])('with the size header %j is ignored as %j', (size, ignored) => {
    const headers = size === undefined ? {} : { 'x-ms-dynamics-msg-size-exceeded': size };
    expect(read(context(), {}, headers).ignored).toEqual(ignored);
  });

  it('is finished or ignored, whatever it is', () => {
    const keys = fc.constantFrom(
      ...Object.keys(context()),
      'Attributes',
      'key',
      'value',
      'Value',
      '__proto__',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue(),
        fc.constantFrom('incident', 'Update', 'CloseIncident', 'Target', 'statecode', 1),
        fc.dictionary(keys, tie('value')),
        fc.array(tie('value')),
      ),
    }));
    fc.assert(
      fc.property(value, (body) => {
        const merged = typeof body === 'object' ? { ...context(), ...body } : body;
        const { closes, ignored } = read(merged);
        expect(closes.length + ignored.length).toBe(1);
        expect(typeof dynamics.isFrom?.('acme', { body, headers: {}, query: {} })).toBe('boolean');
      }),
      { numRuns: 500 },
    );
  });
});

describe('the configuration', () => {
  it('needs no setting: the header has a default name', () => {
    expect(faultsOf(CRM)).toEqual([]);
    expect(connectionOf(CRM).verify).toEqual({ scheme: 'header', header: 'x-polyai-token' });
  });

  it('accepts a header or the address, and no scheme that Dataverse cannot send', () => {
    expect(faultsOf(CRM, { verify: { scheme: 'query', parameter: 'code' } })).toEqual([]);
    for (const verify of [{ scheme: 'basic' }, { scheme: 'bearer' }, { scheme: 'hmac', header: 'x' }]) {
      expect(faultsOf(CRM, { verify })).toMatchObject([{ path: 'connections.c.verify.scheme' }]);
    }
  });
});
