import { describe, expect, it } from 'vitest';
import { ConfigurationError, type Fault, loadConfiguration } from '../../../infra/config/load.ts';
import { SMALLEST, writeConnections } from '../../support/configuration.ts';

type Json = Record<string, unknown>;

const { support } = SMALLEST.polyai;
const zendesk = { crm: 'zendesk', polyai: 'support' };
const HMAC = { scheme: 'hmac', header: 'x-signature' };

function refusalOf(content: Json, stack?: string): ConfigurationError | undefined {
  try {
    loadConfiguration(writeConnections(content), stack);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
}

/** The file with these settings put into one place of it. */
function fileWith(place: string, settings: Json): Json {
  const custom = {
    crm: 'custom',
    polyai: 'support',
    verify: { ...HMAC, ...(place === 'verify' && settings) },
    conversationId: 'body.id',
    finishedWhen: "body.status == 'closed'",
  };
  return {
    stack: place === 'stack' ? settings : {},
    polyai: { support: { ...support, ...(place === 'polyai.support' && settings) } },
    connections: { c: { ...zendesk, ...(place === 'connections.c' && settings) }, custom },
    ...(place === '' && settings),
  };
}

const PLACES: [place: string, path: string][] = [
  ['connections.c', 'connections.c.'],
  ['polyai.support', 'polyai.support.'],
  ['verify', 'connections.custom.verify.'],
  ['stack', 'stack.'],
  ['', ''],
];

describe('a secret in the configuration', () => {
  const keys = [
    ...['signingSecret', 'signing_secret', 'secret', 'clientSecret', 'client-secret', 'webhookSecret'],
    ...['token', 'accessToken', 'authToken', 'apiKey', 'api_key', 'API_KEY', 'password', 'passphrase'],
    ...['handoffApiKey', 'conversationsApiKey', 'privateKey', 'signingKey', 'credentials', 'authorization'],
  ];

  it.each(PLACES.flatMap(([place, path]) => keys.map((key) => [place, key, path] as const)))(
    'is recognised by its key, in "%s": %s',
    (place, key, path) => {
      for (const value of ['hunter2', ['hunter2', 'hunter3'], { value: 'hunter2' }]) {
        const refusal = refusalOf(fileWith(place, { [key]: value }));
        expect(refusal?.faults).toEqual([
          {
            path: `${path}${key}`,
            problem: 'is a secret, and secrets do not belong in this file',
            fix: expect.stringMatching(/renew it: .*steps 4 and 5 of the README/),
          },
        ]);
        expect(refusal?.message).not.toMatch(/hunter|Did you mean|existingSecret/);
      }
    },
  );

  it('is recognised by its key even if the scheme is unknown', () => {
    const faults = refusalOf(fileWith('verify', { scheme: 'hmca', secret: 'hunter2' }))?.faults;
    expect(faults?.map(({ path }) => path)).toEqual([
      'connections.custom.verify.scheme',
      'connections.custom.verify.secret',
    ]);
  });

  const shapes = [
    'whsec_dGhpcyBpcyBhIHNlY3JldA==',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'v1,whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX',
    'whpk_dGhpcyBpcyBhIHNlY3JldA==',
    '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P',
    'Bearer 0123456789abcdef',
    'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==',
  ];
  const names = [
    ...['dGVzdA==', 'x=', 'AbC=', '{"signingSecret":"hunter2"}'],
    '0123456789abcdef0123456789abcdef',
    'b374239d-4233-41a9-8b17-a86cb4f737b6',
    'kX9mQ2vB7nR4tY8wL3pZ6cD1',
    'aB3xY9kLm2Qw8ErT5yUi0OpZ7sDf4GhJ',
    'sk_live_4eC39HqLyjWDarjtT1zdp7dc',
  ];

  it.each([...shapes, ...names])('is recognised by its form as an existingSecret: %s', (existingSecret) => {
    for (const place of ['connections.c', 'polyai.support']) {
      const refusal = refusalOf(fileWith(place, { existingSecret }));
      expect(refusal?.faults).toEqual([
        {
          path: `${place}.existingSecret`,
          problem: expect.stringMatching(/secret, .*and secrets do not belong in this file$/),
          fix: expect.stringMatching(/renew it: .*README/),
        },
      ]);
      expect(refusal?.message).not.toContain(existingSecret);
    }
  });

  it.each(shapes)('is recognised by its form at any place: %s', (secret) => {
    const places: [Json, string][] = [
      [fileWith('connections.c', { sender: secret }), 'connections.c.sender'],
      [fileWith('connections.c', { finishedValues: ['solved', secret] }), 'connections.c.finishedValues[1]'],
      [fileWith('connections.c', { crm: secret }), 'connections.c.crm'],
      [fileWith('connections.c', { polyai: secret }), 'connections.c.polyai'],
      [fileWith('polyai.support', { accountId: secret }), 'polyai.support.accountId'],
      [fileWith('verify', { prefix: secret }), 'connections.custom.verify.prefix'],
      [fileWith('stack', { alarms: { email: secret } }), 'stack.alarms.email'],
    ];
    for (const [content, path] of places) {
      const refusal = refusalOf(content);
      expect(refusal?.faults).toMatchObject([{ path, fix: expect.stringContaining('renew it') }]);
      expect(refusal?.message).not.toContain(secret);
    }
  });

  it.each([
    'crm/tickets',
    'polyai-chat-closer/connections/c/secret',
    'prod/team-1/eu-west-1/app-2/v1/s3',
    'AcmeProductionWebhookSecret2024',
    'MyAcmeCRMWebhook2Production',
    'zendesk.support.signing-secret',
    'prod/zendesk/2024-11-26/signingSecret',
    'sk-webhooks',
    'arn:aws:secretsmanager:eu-west-2:123456789012:secret:kX9mQ2vB7nR4tY8wL3pZ6cD1-AbC123',
  ])('is not suspected in the name of a secret: %s', (existingSecret) => {
    expect(refusalOf(fileWith('connections.c', { existingSecret }))).toBeUndefined();
  });

  it('is not suspected in the user’s names, in event patterns, or in values that settings need', () => {
    const connections = {
      token: { ...zendesk, polyai: 'secret' },
      password: {
        crm: 'eventbridge',
        polyai: 'secret',
        bus: 'orders',
        eventPattern: { source: ['a'], account: ['111122223333'], detail: { token: ['x'], secret: ['y'] } },
        conversationId: 'detail.id',
      },
      'api-key': {
        crm: 'custom',
        polyai: 'secret',
        verify: { scheme: 'query', parameter: 'token' },
        conversationId: 'body.token',
        finishedWhen: "body.secret == 'eyJhbGciOiJIUzI1NiJ9.e.e'",
      },
    };
    expect(refusalOf({ polyai: { secret: support }, connections })).toBeUndefined();
  });

  it.each(['existingSecrets', 'exisitngSecret', 'ExistingSecret', 'existing_secret', 'existingsecret'])(
    'is suspected in a misspelt %s only if its value looks like a secret',
    (key) => {
      expect(refusalOf(fileWith('connections.c', { [key]: 'crm/tickets' }))?.faults).toEqual([
        {
          path: `connections.c.${key}`,
          problem: 'is not a known key',
          fix: 'Did you mean "existingSecret"?',
        },
      ]);
      expect(refusalOf(fileWith('connections.c', { [key]: 'whsec_dGVzdA==' }))?.faults).toMatchObject([
        { path: `connections.c.${key}`, fix: expect.stringContaining('renew it') },
      ]);
    },
  );
});

describe('an existingSecret with another owner', () => {
  const SALES = { ...support, projectId: 'PROJECT-2' };
  const spellings = (name: string) => [
    name,
    ...[
      'aws:secretsmanager:eu-west-2',
      'aws-cn:secretsmanager:cn-north-1',
      'aws-us-gov:secretsmanager:us-gov-west-1',
    ].map((place) => `arn:${place}:111122223333:secret:${name}-AbC123`),
  ];
  /** What is wrong with connection b, of another project than a. */
  const faultsOf = (b: Json, polyai: Json = {}, stack?: string): Fault[] =>
    refusalOf(
      {
        polyai: { support: { ...support, ...polyai }, sales: SALES },
        connections: { a: zendesk, b: { ...zendesk, polyai: 'sales', ...b } },
      },
      stack,
    )?.faults ?? [];

  it.each(spellings('polyai-chat-closer/connections/a/secret'))(
    'is refused if the stack makes it for another connection: %s',
    (existingSecret) => {
      for (const polyai of ['sales', 'support']) {
        expect(faultsOf({ existingSecret, polyai })).toEqual([
          {
            path: 'connections.b.existingSecret',
            problem: 'is the secret of connections.a, which this stack makes',
            fix: 'Store a separate secret and name that one',
          },
        ]);
      }
    },
  );

  it.each([
    ...spellings('polyai-chat-closer/polyai/support/secret'),
    ...spellings('polyai-chat-closer/polyai/gone/secret'),
    ...spellings('another-stack/polyai/support/secret'),
  ])('is refused if it holds a project’s keys: %s', (existingSecret) => {
    expect(faultsOf({ existingSecret })).toEqual([
      {
        path: 'connections.b.existingSecret',
        problem: expect.stringMatching(/^is the secret of a project \(".*"\): .* PolyAI’s keys$/),
        fix: 'Store a separate secret and name that one',
      },
    ]);
  });

  it.each(spellings('polyai-chat-closer/connections/a/secret'))(
    'is refused if a project names the secret of a connection: %s',
    (existingSecret) => {
      expect(faultsOf({}, { existingSecret })).toMatchObject([
        { path: 'polyai.support.existingSecret', problem: expect.stringContaining('of a connection ("a")') },
      ]);
    },
  );

  it('is refused if a project names the secret of another project', () => {
    const existingSecret = 'polyai-chat-closer/polyai/sales/secret';
    expect(faultsOf({}, { existingSecret })).toMatchObject([
      { path: 'polyai.support.existingSecret', problem: expect.stringContaining('of polyai.sales') },
    ]);
  });

  it('is refused only if the stack’s name is in it', () => {
    const existingSecret = 'mine/connections/a/secret';
    expect(faultsOf({ existingSecret })).toEqual([]);
    expect(faultsOf({ existingSecret }, {}, 'mine')).toHaveLength(1);
    expect(faultsOf({ existingSecret: 'polyai-chat-closer/connections/a/secret' }, {}, 'mine')).toEqual([]);
  });

  it.each([
    ...spellings('polyai-chat-closer/connections/b/secret'),
    ...spellings('polyai-chat-closer/connections/old-name-of-b/secret'),
    ...spellings('polyai-chat-closer/connections/a/secrets'),
    ...spellings('team/polyai-chat-closer/connections/a/secret'),
  ])('is accepted if it has no other owner: %s', (existingSecret) => {
    expect(faultsOf({ existingSecret })).toEqual([]);
  });

  it('may be the retained secret of the same project', () => {
    expect(faultsOf({}, { existingSecret: 'polyai-chat-closer/polyai/support/secret' })).toEqual([]);
  });

  it('may be a retained secret that connections of one project share, but not of two', () => {
    const existingSecret = 'polyai-chat-closer/connections/a/secret';
    const shared = (polyai: string, b: string) =>
      refusalOf({
        polyai: { support, sales: SALES },
        connections: { a: { ...zendesk, existingSecret }, b: { ...zendesk, polyai, existingSecret: b } },
      })?.faults;
    for (const spelling of spellings(existingSecret)) {
      expect(shared('support', spelling)).toBeUndefined();
      expect(shared('sales', spelling)).toMatchObject([
        { path: 'connections.b.existingSecret', problem: expect.stringContaining('another project') },
      ]);
    }
  });
});
