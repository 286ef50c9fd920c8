import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/connections.ts';
import servicenow from '../../../functions/crm/servicenow.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { initialSecret } from '../../../infra/initial-secret.ts';
import { ROOT } from '../../../infra/root.ts';
import {
  basicAuthorization,
  changeByte,
  changeCharacter,
  signStandardWebhooks,
} from '../../../samples/delivery.ts';
import { connectionOf, faultsOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';
import { startReceiver } from '../../support/receiver.ts';
import { anyBytes, hmacVerdict } from '../../support/verdict.ts';

const CRM = 'servicenow';
const NOW = Date.parse('2026-07-01T12:00:00Z');
const SECRET = 'Xw4kZ0sJ8qVb2nLd6yRt1uHf3mGc7pAe';
const WHSEC = `whsec_${Buffer.from(SECRET).toString('base64')}`;
const HEADER = 'x-sn-hmac-signature-256';
const INCIDENT = {
  table: 'incident',
  sys_id: '9d385017c611228701d22104cc95c371',
  number: 'INC0010001',
  state: '6',
  state_display: 'Resolved',
  sys_mod_count: '7',
  sys_updated_on: '2026-07-01 11:58:00',
  correlation_id: 'KpQx-polyai-0001',
  u_polyai_conversation_id: null as string | null,
};
const BODY = JSON.stringify(INCIDENT);

function read(body: unknown, settings: Partial<Connection> = {}) {
  return readReasons(
    servicenow,
    { ...toConnection(connectionOf(CRM)), ...settings },
    { body, headers: {}, query: {} },
  );
}

const sign = (body: string | Buffer, encoding: 'base64' | 'hex' = 'base64', secret = SECRET) =>
  createHmac('sha256', secret).update(body).digest(encoding);

const start = (settings = {}, secret: Record<string, unknown> = { signingSecret: SECRET }) =>
  startReceiver(CRM, settings, secret, NOW);

describe('the Business Rule of the page', () => {
  const page = readFileSync(join(ROOT, 'docs/crm/servicenow.md'), 'utf8');
  const block = (mark: string) =>
    new RegExp(`^ *\`\`\`js ${mark}\\n([\\s\\S]*?)^ *\`\`\``, 'm').exec(page)?.[1] ?? '';
  const RULE = block('rule');
  const STANDARD = RULE.replace(
    /^.*var key = [\s\S]*?var signature = .*\n/m,
    block('standard-webhooks'),
  ).replace(/^.*X-SN-HMAC-Signature-256.*\n/m, block('standard-webhooks-headers'));

  type Request = { url: string; method: string; headers: Record<string, string>; body: string };
  type Instance = {
    incident?: Record<string, string | null>;
    secret?: string;
    statuses?: (number | Error)[];
  };

  /** The platform's class for HTTP requests. It keeps each request, and answers or fails with the next status. */
  function httpClass(requests: Request[], statuses: (number | Error)[]) {
    return class RESTMessageV2 {
      readonly request: Request = { url: '', method: '', headers: {}, body: '' };
      setEndpoint(url: string) {
        this.request.url = url;
      }
      setHttpMethod(method: string) {
        this.request.method = method;
      }
      setRequestHeader(name: string, value: string) {
        this.request.headers[name.toLowerCase()] = value;
      }
      setRequestBody(body: string) {
        this.request.body = body;
      }
      execute() {
        requests.push(this.request);
        const status = statuses[requests.length - 1];
        if (status instanceof Error) throw status;
        return { getStatusCode: () => status };
      }
    };
  }

  class GlideCertificateEncryption {
    generateMac(key: string, algorithm: string, data: string) {
      expect(algorithm).toBe('HmacSHA256');
      return createHmac('sha256', Buffer.from(key, 'base64')).update(data).digest('base64');
    }
  }

  /** Runs the rule with stand-ins for the platform's objects. @returns its requests and the errors it logged */
  function run(script: string, { incident = INCIDENT, secret = SECRET, statuses = [200] }: Instance = {}) {
    const requests: Request[] = [];
    const errors: string[] = [];
    const state = { current: incident } as unknown as { current: Record<string, string | null> };
    runInNewContext(script, {
      current: {
        getTableName: () => state.current.table,
        getUniqueValue: () => state.current.sys_id,
        getValue: (name: string) => state.current[name] ?? null,
        getDisplayValue: (name: string) => state.current[`${name}_display`],
      },
      previous: {},
      gs: { getProperty: () => secret, error: (text: string) => errors.push(text) },
      GlideStringUtil: { base64Encode: (text: string) => Buffer.from(text).toString('base64') },
      GlideCertificateEncryption,
      sn_ws: { RESTMessageV2: httpClass(requests, statuses) },
      Date: class extends Date {
        override getTime() {
          return NOW;
        }
      },
    });
    return { requests, errors };
  }

  it('sends a delivery that is accepted', async () => {
    const { requests, errors } = run(RULE);
    const receiver = start();
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      method: 'POST',
      url: expect.stringMatching(/^https:.*\/webhooks\/./),
    });
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual(INCIDENT);
    expect(await receiver.send(requests[0] ?? {})).toMatchObject({ status: 200 });
    expect(receiver.queued).toMatchObject([
      {
        conversationId: 'KpQx-polyai-0001',
        crmRef: 'INC0010001',
        deliveryId: '9d385017c611228701d22104cc95c371-7',
      },
    ]);
    expect(errors).toEqual([]);
  });

  it('asks for a look-up only with the line for the previous state', async () => {
    const line = /^previous_state: 'open',$/m.exec(page)?.[0];
    expect(line).toBeDefined();
    for (const [script, count] of [
      [RULE, 0],
      [RULE.replace('sys_id:', `${line} sys_id:`), 1],
    ] as const) {
      const receiver = start({ lookUp: 'sharedId' });
      await receiver.send(run(script).requests[0] ?? {});
      expect(receiver.queued).toHaveLength(count);
      expect(receiver.queued.map(({ receivedAt }) => receivedAt)).toEqual(
        Array(count).fill('2026-07-01T11:58:00.000Z'),
      );
    }
  });

  it('sends only ASCII, whatever the fields hold', async () => {
    const incident = {
      ...INCIDENT,
      state_display: 'Résolu – 解決 😀\t"\\\r\n\u2028',
      correlation_id: 'grüße-😀',
    };
    const [request] = run(RULE, { incident }).requests;
    expect(request?.body).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(request?.body ?? '')).toEqual(incident);
    const receiver = start();
    await receiver.send(request ?? {});
    expect(receiver.queued).toMatchObject([{ conversationId: 'grüße-😀' }]);
  });

  it.each([
    ['a server error', [503, 503, 200], 3, 0],
    ['no answer', [new Error('timed out'), 200], 2, 0],
    ['nothing but server errors', [503, 503, 503], 3, 1],
    ['a refusal', [401], 1, 1],
  ])(
    'handles %s: it tries again after failures, and logs when it gives up',
    (_what, statuses, attempts, complaints) => {
      const { requests, errors } = run(RULE, { statuses });
      expect([requests.length, errors.length]).toEqual([attempts, complaints]);
      expect(errors.join()).not.toContain(SECRET);
    },
  );

  it('has no modern syntax, which the engine does not know', () => {
    for (const script of [RULE, STANDARD]) {
      expect(script).not.toMatch(/=>|`|\b(let|const|class|async)\b|\.\.\./);
    }
  });

  it('signs by Standard Webhooks with the alternative lines of the page', async () => {
    const [request] = run(STANDARD, { secret: WHSEC }).requests;
    const receiver = start({ verify: { scheme: 'standard-webhooks' } }, { signingSecret: WHSEC });
    expect(request?.headers).not.toHaveProperty(HEADER);
    expect(await receiver.send(request ?? {})).toMatchObject({ status: 200 });
    expect(receiver.queued).toMatchObject([{ conversationId: 'KpQx-polyai-0001' }]);
    const signature = new Webhook(WHSEC).sign(
      request?.headers['webhook-id'] ?? '',
      new Date(NOW),
      request?.body ?? '',
    );
    expect(request?.headers['webhook-signature']).toBe(signature);
  });
});

describe('the proof', () => {
  it.each([
    ['base64 by default', {}, { signingSecret: SECRET }, { [HEADER]: sign(BODY) }],
    [
      'hexadecimal',
      { verify: { scheme: 'hmac', header: HEADER, encoding: 'hex' } },
      { signingSecret: SECRET },
      { [HEADER]: sign(BODY, 'hex') },
    ],
    [
      'a header',
      { verify: { scheme: 'header', header: 'X-Token' } },
      { token: SECRET },
      { 'x-token': SECRET },
    ],
    [
      'basic',
      { verify: { scheme: 'basic' } },
      { username: 'webhook', password: SECRET },
      basicAuthorization('webhook', SECRET),
    ],
    [
      'Standard Webhooks',
      { verify: { scheme: 'standard-webhooks' } },
      { signingSecret: WHSEC },
      signStandardWebhooks({ secret: WHSEC, body: BODY, at: NOW }),
    ],
  ])('may be %s', async (_what, settings, secret, headers: Record<string, string>) => {
    const receiver = start(settings, secret);
    expect(await receiver.send({ headers, body: BODY })).toMatchObject({ status: 200 });
    expect(receiver.queued).toHaveLength(1);
    expect(await receiver.send({ headers: {}, body: BODY })).toMatchObject({ status: 401 });
    const forged = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, changeCharacter(value, value.length - 6)]),
    );
    expect(await receiver.send({ headers: forged, body: BODY })).toMatchObject({ status: 401 });
    expect(receiver.queued).toHaveLength(1);
  });

  it.each([
    ['no signature', {}, 'signature_missing'],
    ['hexadecimal for base64', { [HEADER]: sign(BODY, 'hex') }, 'signature_malformed'],
    ['a prefix', { [HEADER]: `sha256=${sign(BODY)}` }, 'signature_malformed'],
    ['half a signature', { [HEADER]: sign(BODY).slice(0, 20) }, 'signature_malformed'],
    ['base64 without its padding', { [HEADER]: sign(BODY).replace(/=$/, '') }, 'signature_mismatch'],
    ['another secret', { [HEADER]: sign(BODY, 'base64', 'another') }, 'signature_mismatch'],
    ['no secret', { [HEADER]: sign(BODY, 'base64', '') }, 'signature_mismatch'],
    ['another body', { [HEADER]: sign(`${BODY} `) }, 'signature_mismatch'],
    ['another header', { 'x-hmac-signature': sign(BODY) }, 'signature_missing'],
  ])('is refused with %s', async (_what, headers: Record<string, string>, code) => {
    const receiver = start();
    expect(await receiver.send({ headers, body: BODY })).toMatchObject({ status: 401, code });
    expect(receiver.queued).toEqual([]);
  });

  it('is refused if any byte of the body, signature or secret is changed', () => {
    const verify = (secret: string, signature: string, body: Buffer) =>
      hmacVerdict(servicenow.verify, { headers: { [HEADER]: signature }, body, secret, now: NOW });
    fc.assert(
      fc.property(fc.base64String({ minLength: 8 }), anyBytes, fc.nat(), (secret, body, position) => {
        const signature = sign(body, 'base64', secret);
        expect(verify(secret, signature, body)).toBe('accepted');
        expect(verify(secret, signature, changeByte(body, position, 1))).toBe('signature_mismatch');
        expect(verify(changeCharacter(secret, position), signature, body)).toBe('signature_mismatch');
        expect(verify(secret, changeCharacter(signature, position), body)).toMatch(/mismatch|malformed/);
      }),
    );
  });

  it('covers the exact bytes: Unicode, escapes, tabs and CRLF', async () => {
    const body = BODY.replaceAll(',"', ',\r\n\t"').replace('KpQx', '\\u004bpQx-ü😀');
    const [receiver, another] = [start(), start()];
    // The same receiver would take the same bytes for a repeated delivery.
    await receiver.send({ headers: { [HEADER]: sign(body) }, body });
    await another.send({ headers: { [HEADER]: sign(body) }, body: Buffer.from(body) });
    expect([...receiver.queued, ...another.queued].map(({ conversationId }) => conversationId)).toEqual(
      Array(2).fill('KpQx-ü😀-polyai-0001'),
    );
    const rewritten = JSON.stringify(JSON.parse(body));
    expect(await receiver.send({ headers: { [HEADER]: sign(body) }, body: rewritten })).toMatchObject({
      code: 'signature_mismatch',
    });
  });
});

describe('a record', () => {
  const count = (change: object, settings?: Partial<Connection>) =>
    read({ ...INCIDENT, state: undefined, state_display: undefined, ...change }, settings).closes.length;

  it.each([6, 7, '6', '7', 'Resolved', 'CLOSED', { value: '6' }, { value: 7, display_value: 'Geschlossen' }])(
    'of an incident is finished in the state %j',
    (state) => {
      expect(count({ state })).toBe(1);
      expect(count({ state, table: undefined })).toBe(1);
    },
  );

  it.each([
    undefined,
    null,
    '',
    1,
    2,
    3,
    8,
    '66',
    ' 6',
    'Canceled',
    [],
    ['6'],
    { value: '2', display_value: '' },
  ])('of an incident is not finished in the state %j', (state) => {
    expect(count({ state })).toBe(0);
  });

  it.each(['', null, { value: '' }])('without a table is of an incident: %j', (table) => {
    expect(count({ table, state: '7' })).toBe(1);
  });

  it.each([
    ['2026-07-01 11:58:00', '2026-07-01T11:58:00.000Z'],
    ['2026-07-01T11:58:00Z', '2026-07-01T11:58:00.000Z'],
    ['2026-07-01 13:58:00+0200', '2026-07-01T11:58:00.000Z'],
    [NOW / 1000 - 120, '2026-07-01T11:58:00.000Z'],
    ['yesterday', undefined],
  ])('was updated at %j: %j', (sys_updated_on, happenedAt) => {
    const body = { ...INCIDENT, previous_state: '2', sys_updated_on };
    expect(read(body, { lookUp: 'sharedId' }).closes[0]?.happenedAt).toBe(happenedAt);
  });

  it('of another table is finished by its label, not by the numbers of incidents', () => {
    const table = 'sn_customerservice_case';
    expect(count({ table, state: '7' })).toBe(0);
    expect(count({ table, state: '6' })).toBe(0);
    expect(count({ table, state: '7', state_display: 'Cancelled' })).toBe(0);
    expect(count({ table, state: '3', state_display: 'Closed' })).toBe(1);
    expect(count({ table, state: { value: '3', display_value: 'Closed' } })).toBe(1);
    expect(count({ table: { value: table }, state: '7' })).toBe(0);
    expect(count({ table, state: '3' }, { finishedValues: ['3', '6'] })).toBe(1);
    expect(count({ table, state_display: 'Closed' }, { finishedValues: ['3', '6'] })).toBe(0);
  });

  it.each([
    ['the column', { correlation_id: 'JIRA-7', u_polyai_conversation_id: 'b' }, 'b'],
    ['correlation_id if the column is empty', { correlation_id: 'a', u_polyai_conversation_id: '' }, 'a'],
    ['correlation_id if the column is null', { correlation_id: 'a', u_polyai_conversation_id: null }, 'a'],
    ['correlation_id if the column is a hyphen', { correlation_id: 'a', u_polyai_conversation_id: '-' }, 'a'],
    [
      'correlation_id if the column is an object with empty values',
      { correlation_id: { value: 'a' }, u_polyai_conversation_id: { value: '', display_value: '' } },
      'a',
    ],
    ['the display value if there is no value', { correlation_id: { display_value: 'a' } }, 'a'],
    ['no column', { correlation_id: '' }, undefined],
  ])('has its id in %s', (_what, change, id) => {
    const ids = read({ ...INCIDENT, ...change }).closes.map(({ conversationId }) => conversationId);
    expect(ids).toEqual(id === undefined ? [] : [id]);
  });

  it('has its id in another column if the connection says so', () => {
    const body = { ...INCIDENT, correlation_id: 'alert-7', u_polyai_conversation_id: 'b' };
    const { closes } = read(body, { conversationId: 'body.correlation_id' });
    expect(closes).toMatchObject([{ conversationId: 'alert-7' }]);
  });

  it('is looked up by its number, and has its sys_id as a reference without one', () => {
    const wasOpen = { ...INCIDENT, previous_state: '2' };
    expect(read(wasOpen, { lookUp: 'sharedId' }).closes).toMatchObject([{ sharedId: 'INC0010001' }]);
    const { crmRef } = read({ ...INCIDENT, number: '' });
    expect(crmRef).toBe(INCIDENT.sys_id);
  });

  it('has a delivery id only if it has both parts of one', () => {
    expect(read({ ...INCIDENT, sys_mod_count: 7 }).deliveryId).toBe(`${INCIDENT.sys_id}-7`);
    expect(read({ ...INCIDENT, sys_mod_count: undefined }).deliveryId).toBeUndefined();
    expect(read({ ...INCIDENT, sys_id: { toString: 1 } }).deliveryId).toBeUndefined();
  });

  it('is finished or ignored, whatever it is', () => {
    const keys = fc.constantFrom(...Object.keys(INCIDENT), 'value', 'display_value', 'toString', '__proto__');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.jsonValue(),
        fc.constantFrom('6', 'Resolved', 'incident'),
        fc.dictionary(keys, tie('value')),
      ),
    }));
    fc.assert(
      fc.property(value, (body) => {
        const { closes, ignored } = read(body);
        expect(closes.length + ignored.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the configuration', () => {
  it('needs no setting', () => {
    expect(faultsOf(CRM)).toEqual([]);
  });

  it('accepts the schemes that ServiceNow can send, and no other', () => {
    for (const scheme of ['basic', 'standard-webhooks'])
      expect(faultsOf(CRM, { verify: { scheme } })).toEqual([]);
    for (const verify of [{ scheme: 'bearer' }, { scheme: 'query', parameter: 'token' }]) {
      expect(faultsOf(CRM, { verify })).toMatchObject([{ path: 'connections.c.verify.scheme' }]);
    }
  });

  it('refuses a sender, because no delivery has one', () => {
    expect(faultsOf(CRM, { sender: 'acme' })).toMatchObject([{ path: 'connections.c.sender' }]);
  });

  it('has a generated secret', () => {
    expect(initialSecret(CRM, connectionOf(CRM).verify)).toEqual({ template: '{}', key: 'signingSecret' });
  });
});
