import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { CRMS } from '../../../functions/crm/index.ts';
import { ConfigurationError, type Fault, loadConfiguration } from '../../../infra/config/load.ts';
import { requires } from '../../../infra/config/preset.ts';
import { schemaText } from '../../../infra/config/schema.ts';
import { CHOSEN } from '../../../infra/config/verify.ts';
import { ROOT } from '../../../infra/root.ts';
import { writeConnections } from '../../support/configuration.ts';

type Json = Record<string, unknown>;
/** What is put where, and the fault that it makes, there or at `below`. */
type Row = [path: string, value: unknown, problem: string, fix: string, below?: string];

const folder = mkdtempSync(join(tmpdir(), 'config-'));
const file = join(folder, 'connections.json');

const SECRET_ARN = 'arn:aws:secretsmanager:eu-west-2:123456789012:secret:crm/tickets-AbC123';
const KEY_ARN = 'arn:aws:kms:eu-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const HMAC = { scheme: 'hmac', header: 'x-signature' };

afterAll(() => rmSync(folder, { recursive: true }));

describe('a good configuration', () => {
  it('is the connections.json of this repository', () => {
    const { projects, connections } = loadConfiguration(join(ROOT, 'connections.json'));
    expect(Object.keys(projects)).toEqual(['support']);
    expect(Object.keys(connections)).toEqual(['zendesk-support', 'in-house']);
  });

  it('has every default filled in', () => {
    expect(loadOf(valid())).toEqual({
      stack: {
        maxConcurrency: 5,
        throttle: { ratePerSecond: 1000, burst: 2000 },
        logRetentionDays: 90,
        systemLogLevel: 'WARN',
        alarms: {
          thresholds: {
            AgingDeadLettersAlarm: 10,
            ConnectionRefusedAlarm: 1,
            DeadLettersAlarm: 1,
            EventsDeadLettersAlarm: 1,
            FaultsAlarm: 1,
            FloodAlarm: 30_000,
            GatewayAlarm: 1,
            InFlightAlarm: 80_000,
            MisdirectedAlarm: 1,
            NotFoundAlarm: 20,
            UnauthorizedAlarm: 1,
            UnknownTargetAlarm: 1,
            WorkerStoppedAlarm: 1,
          },
        },
      },
      projects: {
        uk: {
          region: 'uk-1',
          accountId: 'acme',
          projectId: 'PROJECT-1',
          version: 'v1',
          clientEnv: 'live',
          baseUrl: 'https://api.uk-1.platform.polyai.app',
        },
        us: expect.objectContaining({ baseUrl: 'https://api.us-1.platform.polyai.app' }),
      },
      connections: {
        tickets: { crm: 'zendesk', polyai: 'uk', verify: CRMS.zendesk?.verify },
        'in-house': {
          crm: 'custom',
          polyai: 'uk',
          finishedWhen: "body.status == 'closed'",
          conversationId: 'body.id',
          verify: {
            scheme: 'hmac',
            header: 'x-signature',
            algorithm: 'sha256',
            encoding: 'hex',
            signed: '{body}',
            timestampUnit: 's',
            toleranceSeconds: 300,
          },
        },
      },
    });
  });

  it('keeps every value that it gives', () => {
    const stack = {
      maxConcurrency: 1000,
      throttle: { ratePerSecond: 1, burst: 2 },
      logRetentionDays: 3653,
      systemLogLevel: 'DEBUG',
      alarms: {
        email: 'ops@acme.example',
        topicArn: 'arn:aws:sns:eu-west-2:123456789012:alarms',
        thresholds: {
          AgingDeadLettersAlarm: 11,
          ConnectionRefusedAlarm: 4,
          DeadLettersAlarm: 2,
          EventsDeadLettersAlarm: 2,
          FaultsAlarm: 2,
          FloodAlarm: 30_001,
          GatewayAlarm: 2,
          InFlightAlarm: 80_001,
          MisdirectedAlarm: 2,
          NotFoundAlarm: 21,
          UnauthorizedAlarm: 2,
          UnknownTargetAlarm: 2,
          WorkerStoppedAlarm: 2,
          MissRateAlarm: 5,
        },
      },
      runbookUrl: 'https://wiki.acme.example/operations',
    };
    const uk = {
      region: 'uk-1',
      accountId: 'a~b',
      projectId: '...',
      version: 'v2',
      clientEnv: 'sandbox',
      existingSecret: SECRET_ARN,
      existingSecretKey: KEY_ARN,
    };
    const tickets = {
      crm: 'zendesk',
      polyai: 'uk',
      finishedValues: ['solved'],
      publicUrl: 'https://hooks.acme.example/polyai/',
      allowedSources: ['203.0.113.7/32', '2001:db8::/32', '0.0.0.0/0', '::ffff:192.0.2.0/128'],
      rehearse: true,
      existingSecret: 'crm/webhooks',
    };
    const loaded = loadOf({ ...valid(), stack, polyai: { uk }, connections: { tickets } });
    expect(loaded.stack).toEqual(stack);
    expect(loaded.projects.uk).toEqual(expect.objectContaining(uk));
    expect(loaded.connections.tickets).toEqual(expect.objectContaining(tickets));
  });

  it('may have a $schema', () => {
    expect(() => loadOf({ ...valid(), $schema: './connections.schema.json' })).not.toThrow();
  });

  it('may have a project that no connection uses', () => {
    expect(Object.keys(loadOf(valid()).projects)).toContain('us');
  });

  it.each(['a', '7', 'a-b', 'a'.repeat(64), 'constructor'])('may have the name %s', (name) => {
    const tickets = { crm: 'zendesk', polyai: name };
    const { uk } = valid().polyai;
    const loaded = loadOf({ polyai: { [name]: uk }, connections: { [name]: tickets } });
    expect(Object.keys(loaded.projects)).toEqual([name]);
    expect(loaded.connections[name]?.polyai).toBe(name);
  });

  it.each([
    ['https://polyai.example/', 'https://polyai.example'],
    ['https://polyai.example:8443/a/b//', 'https://polyai.example:8443/a/b'],
    ['HTTPS://POLYAI.example', 'https://polyai.example'],
    ['http://localhost:4010', 'http://localhost:4010'],
    ['http://127.4.3.2/', 'http://127.4.3.2'],
    ['http://[::1]:80/x', 'http://[::1]/x'],
  ])('with baseUrl %s uses %s', (baseUrl, resolved) => {
    expect(loadOf(changed('polyai.uk.baseUrl', baseUrl)).projects.uk?.baseUrl).toBe(resolved);
  });

  it('may use every scheme in CHOSEN', () => {
    const settings: Json = {
      hmac: { header: 'x' },
      rsa: { header: 'x' },
      header: { header: 'x' },
      query: { parameter: 'token' },
    };
    for (const scheme of CHOSEN) {
      const verify = { scheme, ...(settings[scheme] as Json) };
      expect(loadOf(changed('connections.in-house.verify', verify)).connections['in-house']?.verify).toEqual(
        expect.objectContaining(verify),
      );
    }
  });

  it('has its header names changed to lower case', () => {
    const verify = {
      scheme: 'hmac',
      header: 'X-Signature',
      timestampHeader: 'X-Time',
      idHeader: 'X-Id',
      signed: '{id}.{timestamp}.{body}',
    };
    expect(loadOf(changed('connections.in-house.verify', verify)).connections['in-house']?.verify).toEqual(
      expect.objectContaining({ header: 'x-signature', timestampHeader: 'x-time', idHeader: 'x-id' }),
    );
  });

  it('has the defaults of cleanup filled in', () => {
    const cleanup = { schedule: 'rate(1 hour)', channels: ['CHAT'] };
    expect(loadOf(changed('polyai.uk.cleanup', cleanup)).projects.uk?.cleanup).toEqual({
      ...cleanup,
      timezone: 'UTC',
      idleFor: '12h',
      lookback: '14d',
      maxCloses: 200,
      dryRun: true,
      alarmAfter: '180m',
    });
  });

  it.each([
    ['rate(30 minutes)', '90m'],
    ['rate(6 days)', '10080m'],
  ])('alarms when three runs of %s are missing, or after 7 days', (schedule, alarmAfter) => {
    const cleanup = { schedule, channels: ['CHAT'] };
    expect(loadOf(changed('polyai.uk.cleanup', cleanup)).projects.uk?.cleanup?.alarmAfter).toBe(alarmAfter);
  });

  it('may run cleanup by cron in any time zone', () => {
    const cleanup = {
      schedule: 'cron(0 3 ? * MON-FRI *)',
      timezone: 'America/Argentina/Buenos_Aires',
      channels: ['CHAT', 'SMS'],
      idleFor: '30m',
      lookback: '31m',
      alarmAfter: '7d',
      oldestOpenAlarm: '2d',
    };
    expect(loadOf(changed('polyai.uk.cleanup', cleanup)).projects.uk?.cleanup).toEqual(
      expect.objectContaining(cleanup),
    );
  });

  it.each([
    'cron(0/15 8-18 ? * MON-FRI *)',
    'cron(0,30 22-2 * * ? *)',
    'cron(0 3 L * ? *)',
    'cron(0 3 LW * ? *)',
    'cron(0 3 15W 1,JUL ? 2026-2030)',
    'cron(0 3 ? * 6L *)',
    'cron(0 3 ? * TUE#2 *)',
    'cron(0 3 29 2 ? *)',
    'cron(0 3 30,31 FEB,MAR ? *)',
  ])('may run cleanup at %s', (schedule) => {
    const cleanup = { schedule, channels: ['CHAT'], alarmAfter: '7d' };
    expect(() => loadOf(changed('polyai.uk.cleanup', cleanup))).not.toThrow();
  });
});

describe('a configuration with one fault names it', () => {
  const rows: Row[] = [
    ['polyai', undefined, 'is missing', 'Write an object'],
    ['polyai', {}, 'names no project', 'Add one'],
    ['polyai', [], 'is an array, not an object', 'Write an object'],
    ['connections', undefined, 'is missing', 'Write an object'],
    ['connections', {}, 'names no connection', 'Add one'],
    ['conections', {}, 'is not a known key', 'Did you mean "connections"?'],
    ['CONECTIONS', {}, 'is not a known key', 'Did you mean "connections"?'],
    ['wholly-different', {}, 'is not a known key', 'Known keys are $schema, stack'],
    ['$schema', 5, 'is a number, not a string', 'connections.schema.json'],
    ['stack', null, 'is null, not an object', 'keys among maxConcurrency'],
    ['stack.maxConcurency', 5, 'is not a known key', 'Did you mean "maxConcurrency"?'],
    ['stack.maxConcurrency', 1, 'is less than 2', 'from 2 to 1000'],
    ['stack.maxConcurrency', 1001, 'is more than 1000', 'from 2 to 1000'],
    ['stack.maxConcurrency', 2.5, 'is not a whole number', 'from 2 to 1000'],
    ['stack.throttle.ratePerSecond', 0, 'is less than 1', 'whole number'],
    ['stack.throttle.burst', '9', 'is a string, not a number', 'whole number'],
    ['stack.logRetentionDays', 8, 'CloudWatch Logs', '1, 3, 5, 7'],
    ['stack.alarms.email', 'ops', 'is not an e-mail address', 'Write one e-mail address'],
    ['stack.alarms.topicArn', 'alarms', 'is not the ARN of an SNS topic', 'arn:aws:sns:'],
    ['polyai.uk.region', 'uk1', 'is "uk1", which is unknown', 'Did you mean "uk-1"?'],
    ['polyai.uk.region', 'mars', 'is "mars", which is unknown', '"us-1", "uk-1", "euw-1"'],
    ['polyai.uk.region', undefined, 'is missing', '"us-1", "uk-1", "euw-1"'],
    ['polyai.uk.region', 1, 'is a number, not a string', '"us-1", "uk-1", "euw-1"'],
    ['polyai.uk.accountId', undefined, 'is missing', 'plain path segment'],
    ['polyai.uk.accountId', '', 'is empty', 'plain path segment'],
    ['polyai.uk.accountId', 'acme/uk', 'is not one plain path segment', 'acme-uk'],
    ['polyai.uk.accountId', 'PROJECT-191bfa2a', 'is the id of a project', 'are the two swapped?'],
    ['polyai.uk.projectId', 'ACCOUNT-191bfa2a', 'is the id of an account', 'are the two swapped?'],
    ['polyai.uk.projectId', 'ws-191bfa2a', 'is the id of an account', 'are the two swapped?'],
    [
      'polyai.uk.baseUrl',
      'https://jupiter-api.uk-1.platform.polyai.app',
      'is the address of PolyAI’s development tools',
      'Leave baseUrl out',
    ],
    ['polyai.uk.projectId', '..', 'is not one plain path segment', 'PROJECT-'],
    ['polyai.uk.projectId', 'a%2Fb', 'is not one plain path segment', 'PROJECT-'],
    ['polyai.uk.version', 'v1\n', 'is not one plain path segment', 'v1'],
    ['polyai.uk.clientEnv', 'prod', 'is "prod", which is unknown', '"live", "pre-release", "sandbox"'],
    ['polyai.uk.baseUrl', 'http://polyai.example', 'neither https nor http on a loopback', 'Write https://'],
    [
      'polyai.uk.baseUrl',
      'http://localhost.example',
      'neither https nor http on a loopback',
      'Write https://',
    ],
    ['polyai.uk.baseUrl', 'ftp://localhost', 'neither https nor http on a loopback', 'Write https://'],
    [
      'polyai.uk.baseUrl',
      'https://user:pass@polyai.example',
      'has a user name or a password',
      'Write https://',
    ],
    ['polyai.uk.baseUrl', 'https://@polyai.example', 'has a user name or a password', 'Write https://'],
    ['polyai.uk.baseUrl', 'https://polyai.example?a=b', 'has a query', 'nothing after the path'],
    ['polyai.uk.baseUrl', 'https://polyai.example/?', 'has a query', 'nothing after the path'],
    ['polyai.uk.baseUrl', 'https://polyai.example/#a', 'has a fragment', 'nothing after the path'],
    ['polyai.uk.baseUrl', 'polyai.example', 'is not a URL', 'Write https://'],
    ['polyai.uk.baseUrl', 'https://', 'is not a URL', 'Write https://'],
    ['polyai.uk.baseUrl', 'https:\\\\polyai.example', 'is not a URL', 'Write https://'],
    ['polyai.uk.existingSecret', 'my secret', 'is neither the name nor the full ARN', 'Secrets Manager'],
    ['polyai.uk.existingSecret', 'arn:aws:s3:::bucket', 'is neither the name nor the full ARN', 'full ARN'],
    [
      'polyai.uk.existingSecret',
      SECRET_ARN.slice(0, -7),
      'is neither the name nor the full ARN',
      'six characters',
    ],
    ['polyai.uk.existingSecretKey', KEY_ARN, 'has no effect without existingSecret', 'Add "existingSecret"'],
    ['connections.tickets.existingSecretKey', KEY_ARN, 'has no effect without existingSecret', 'remove it'],
    ['connections.tickets', null, 'is null, not an object', 'keys among crm'],
    ['connections.tickets.crm', undefined, 'is missing', '"cloudevents", "custom"'],
    ['connections.tickets.crm', 'zendsk', 'is "zendsk", which is unknown', 'Did you mean "zendesk"?'],
    [
      'connections.tickets.crm',
      'constructor',
      'is "constructor", which is unknown',
      '"cloudevents", "custom"',
    ],
    ['connections.tickets.crm', ['zendesk'], 'is an array, not a string', '"cloudevents", "custom"'],
    ['connections.tickets.polyai', undefined, 'is missing', 'Name a project'],
    [
      'connections.tickets.polyai',
      'ukk',
      'is "ukk", but no project has that name',
      'Did you mean "uk"? Choose from "uk", "us"',
    ],
    ['connections.tickets.polyai', '__proto__', 'is "__proto__", but no project has that name', '"uk", "us"'],
    ['connections.tickets.finishdWhen', 'always', 'is not a known key', 'Did you mean "finishedWhen"?'],
    ['connections.tickets.verify', HMAC, 'does not apply to crm "zendesk"', 'Remove it'],
    ['connections.tickets.lookUp', 'shared', 'is "shared", which is unknown', 'sharedId'],
    ['connections.tickets.sharedId', 'body.id', 'has no effect without lookUp', 'or remove it'],
    ['connections.tickets.sender', 'acme', 'does not apply to crm "zendesk"', 'Remove it'],
    ['connections.tickets.dataCentre', 'com.au', 'does not apply to crm "zendesk"', 'Remove it'],
    ['connections.tickets.audience', 'a', 'does not apply to crm "zendesk"', 'Remove it'],
    ['connections.tickets.jwksUrl', 'https://keys.example', 'does not apply to crm "zendesk"', 'Remove it'],
    ['connections.tickets.bus', 'tickets', 'does not apply to crm "zendesk"', 'Remove it'],
    ['connections.tickets.source', 'acme', 'does not apply to crm "zendesk"', 'Remove it'],
    ['connections.tickets.eventPattern', {}, 'does not apply to crm "zendesk"', 'Remove it'],
    ['connections.in-house.finishedValues', ['x'], 'does not apply to crm "custom"', 'Remove it'],
    ['connections.in-house.verify', undefined, 'is missing', 'Crm "custom" requires it'],
    ['connections.in-house.conversationId', undefined, 'is missing', 'Crm "custom" requires it'],
    ['connections.in-house.finishedWhen', undefined, 'is missing', 'Crm "custom" requires it'],
    ['connections.in-house.finishedWhen', 'body.a ==', 'is not JMESPath', 'Write JMESPath'],
    ['connections.in-house.finishedWhen', 'body.a == "x"', 'is true for an empty delivery', '"always"'],
    ['connections.in-house.conversationId', "'x'", 'gives an id for an empty delivery', 'path of the id'],
    ['connections.tickets.finishedValues', [], 'is empty', 'List at least one'],
    ['connections.tickets.finishedValues[0]', 4, 'is a number, not a string', 'in quotes'],
    [
      'connections.tickets.finishedValues[0]',
      'Solved ',
      'is "Solved ", which begins or ends',
      'Write "Solved"',
    ],
    [
      'connections.tickets.finishedValues[0]',
      '\u00a0Solved',
      'begins or ends with white space',
      'Write "Solved"',
    ],
    [
      'connections.tickets.publicUrl',
      'http://acme.example',
      'neither https nor http on a loopback',
      'Write https://',
    ],
    ['connections.tickets.publicUrl', 'https://acme.example/?a', 'has a query', 'nothing after the path'],
    ['connections.tickets.rehearse', 'yes', 'is a string, not a boolean', 'true or false'],
    ['connections.tickets.allowedSources', [], 'is empty', 'leave it out'],
    [
      'connections.tickets.allowedSources[0]',
      '203.0.113.7',
      'is a single address, not a CIDR block',
      'Write 203.0.113.7/32',
    ],
    [
      'connections.tickets.allowedSources[0]',
      '2001:db8::1',
      'is a single address, not a CIDR block',
      'Write 2001:db8::1/128',
    ],
    ['connections.tickets.allowedSources[0]', 'fe80::1%eth0', 'is not a CIDR block', '203.0.113.0/24'],
    ['connections.tickets.allowedSources[0]', '203.0.113.0/33', 'is not a CIDR block', '2001:db8::/32'],
    ['connections.tickets.allowedSources[0]', '2001:db8::/129', 'is not a CIDR block', '2001:db8::/32'],
    ['connections.tickets.allowedSources[0]', '203.0.113.256/24', 'is not a CIDR block', '2001:db8::/32'],
    ['connections.tickets.allowedSources[0]', 'fe80::1%eth0/64', 'is not a CIDR block', '2001:db8::/32'],
    [
      'connections.in-house.verify',
      'hmac',
      'is a string, not an object',
      'scheme among hmac, rsa, standard-webhooks',
    ],
    ['connections.in-house.verify.scheme', 'hmca', 'is "hmca", which is unknown', 'Did you mean "hmac"?'],
    ['connections.in-house.verify.scheme', 'none', 'is "none", which is unknown', '"standard-webhooks"'],
    ['connections.in-house.verify.scheme', undefined, 'is missing', '"standard-webhooks"'],
    ['connections.in-house.verify.hedaer', 'x', 'is not a known key', 'Did you mean "header"?'],
    ['connections.in-house.verify.header', undefined, 'is missing', 'Write the name of a header'],
    ['connections.in-house.verify.header', 'x signature', 'is not the name of a header', 'x-signature'],
    [
      'connections.in-house.verify.algorithm',
      'md5',
      'is "md5", which is unknown',
      '"sha256", "sha1", "sha512"',
    ],
    ['connections.in-house.verify.encoding', 'base46', 'is "base46"', 'Did you mean "base64"?'],
    ['connections.in-house.verify.prefix', '', 'is empty', 'leave it out'],
    [
      'connections.in-house.verify.signed',
      '{timestamp}.{body}',
      'has {timestamp}, but no header provides it',
      '"timestampHeader"',
    ],
    [
      'connections.in-house.verify.signed',
      '{id}.{body}',
      'has {id}, but no header provides it',
      '"idHeader"',
    ],
    ['connections.in-house.verify.signed', 'v0', 'has no {body}', 'as the sender signs it'],
    [
      'connections.in-house.verify.signed',
      '{bdy}{body}',
      'has an unknown placeholder "{bdy}"',
      'Did you mean "{body}"?',
    ],
    [
      'connections.in-house.verify.timestampHeader',
      'x-time',
      'is not signed, so it proves nothing',
      '{timestamp}.{body}',
    ],
    ['connections.in-house.verify.idHeader', 'x-id', 'is not signed, so it proves nothing', '{id}.{body}'],
    [
      'connections.in-house.verify.timestampParameter',
      't',
      'is not signed, so it proves nothing',
      '{timestamp}.{body}',
    ],
    ['connections.in-house.verify.signatureParameter', 'v1=', 'is not the name of a parameter', 'as in v1'],
    ['connections.in-house.verify.keyEncoding', 'hax', 'is "hax", which is unknown', 'Did you mean "hex"?'],
    [
      'connections.in-house.verify.timestampSelector',
      'headers."x-time"',
      'does not read the body alone',
      'as in body.sent_at',
    ],
    [
      'connections.in-house.verify.timestampSelector',
      '@',
      'does not read the body alone',
      'as in body.sent_at',
    ],
    [
      'connections.in-house.verify.timestampSelector',
      'body.at || @',
      'does not read the body alone',
      'as in body.sent_at',
    ],
    ['connections.in-house.verify.timestampSelector', 'body.sent-at', 'as a subtraction', 'double quotes'],
    ['connections.in-house.verify.timestampUnit', 'ms', 'has no effect without timestampHeader', 'Remove it'],
    [
      'connections.in-house.verify.toleranceSeconds',
      60,
      'has no effect without timestampHeader',
      'Remove it',
    ],
    [
      'connections.in-house.verify',
      { scheme: 'bearer', header: 'x' },
      'is not a known key',
      'Remove it',
      '.header',
    ],
    [
      'connections.in-house.verify',
      { scheme: 'header' },
      'is missing',
      'Write the name of a header',
      '.header',
    ],
    ['connections.in-house.verify', { scheme: 'query' }, 'is missing', 'query parameter', '.parameter'],
    ...['connections', 'polyai', 'stack', 'connections.in-house.verify'].map(
      (place): Row => [`${place}["__proto__"]`, {}, 'is not a valid name', 'Choose another name'],
    ),
    ...['Tickets', '-tickets', 'tickets-', 'a.b', '', 'é', 'a'.repeat(65)].flatMap((name): Row[] => [
      [
        `connections["${name}"]`,
        { crm: 'zendesk', polyai: 'uk' },
        'is not a valid name: it becomes part of a URL',
        'Use 1 to 64',
      ],
      [
        `polyai["${name}"]`,
        valid().polyai.uk,
        'is not a valid name: it becomes part of a URL',
        'Use 1 to 64',
      ],
    ]),
  ];

  it.each(rows)('%s: %j', (path, value, problem, fix, below = '') => {
    const faults = faultsOf(changed(path, value));
    expect(faults.map(({ path: at }) => segments(at))).toEqual([segments(`${path}${below}`)]);
    expect(faults[0]).toEqual(
      expect.objectContaining({
        problem: expect.stringContaining(problem),
        fix: expect.stringContaining(fix),
      }),
    );
  });

  const cleanupRows: Row[] = [
    ['schedule', undefined, 'is missing', 'rate(1 hour)'],
    ['schedule', 'hourly', 'is neither rate(…) nor cron(…)', 'rate(1 hour)'],
    ['schedule', 'rate(0 hours)', 'is neither rate(…) nor cron(…)', 'cron('],
    ['schedule', 'rate(1 week)', 'is neither rate(…) nor cron(…)', 'cron('],
    ['schedule', 'cron(0 3 * * *)', 'is neither rate(…) nor cron(…)', 'cron('],
    ['schedule', 'cron(0 3 * * * *)', 'must have ? as day of month or as day of week', '? *)'],
    ['schedule', 'cron(0 3 ? * ? *)', 'must have ? as day of month or as day of week', '? *)'],
    ['schedule', 'cron(0 3 1 * MON *)', 'must have ? as day of month or as day of week', '? *)'],
    ['schedule', 'cron(0 25 * * ? *)', 'has "25" as hours, which takes 0 to 23', 'cron('],
    ['schedule', 'cron(60 3 * * ? *)', 'has "60" as minutes, which takes 0 to 59', 'cron('],
    ['schedule', 'cron(0 3 32 * ? *)', 'has "32" as day of month, which takes 1 to 31', 'cron('],
    ['schedule', 'cron(0 3 0 * ? *)', 'has "0" as day of month', 'cron('],
    ['schedule', 'cron(0 3 * 13 ? *)', 'has "13" as month, which takes 1 to 12', 'cron('],
    ['schedule', 'cron(0 3 * MOON ? *)', 'has "MOON" as month', 'cron('],
    ['schedule', 'cron(0 3 ? * 8 *)', 'has "8" as day of week, which takes 1 to 7', 'cron('],
    ['schedule', 'cron(0 3 ? * 2#6 *)', 'has "2#6" as day of week', 'cron('],
    ['schedule', 'cron(0 3 * * ? 1969)', 'has "1969" as year, which takes 1970 to 2199', 'cron('],
    ['schedule', 'cron(*/0 3 * * ? *)', 'has "*/0" as minutes', 'cron('],
    ['schedule', 'cron(0 1-24 * * ? *)', 'has "1-24" as hours', 'cron('],
    ['schedule', 'cron(0 1,,2 * * ? *)', 'has "1,,2" as hours', 'cron('],
    ['schedule', 'cron(? 3 * * ? *)', 'has "?" as minutes', 'cron('],
    ['schedule', 'cron(0 3 30 2 ? *)', 'names a day that does not exist in its months', 'cron('],
    ['schedule', 'cron(0 3 31 APR,6 ? *)', 'names a day that does not exist in its months', 'cron('],

    ['timezone', 'Mars/Olympus', 'is not a time zone', 'Europe/London'],
    ['timezone', '+01:00', 'is not a time zone', 'Europe/London'],
    ['idleFor', '29m', 'is less than 30m', '30m or more'],
    ['idleFor', '12', 'is not a duration', '30m, 12h or 14d'],
    ['idleFor', '1.5h', 'is not a duration', '30m, 12h or 14d'],
    ['lookback', '0d', 'is not a duration', '30m, 12h or 14d'],
    ['lookback', '12h', 'is not longer than idleFor', 'longer'],
    ['channels', undefined, 'is missing', '["CHAT"]'],
    ['channels', [], 'is empty', '["CHAT"]'],
    ['channels', 'CHAT', 'is a string, not an array', '["CHAT"]'],
    ['channels[0]', 'VOICE-SIP', 'is a voice channel', 'Leave it out'],
    ['channels[0]', 'voice', 'is a voice channel', 'Leave it out'],
    ['maxCloses', 0, 'is less than 1', 'whole number'],
    ['dryRun', 'no', 'is a string, not a boolean', 'true or false'],
    ['alarmAfter', '8d', 'is more than 7d', '7d or less'],
    ['oldestOpenAlarm', 'soon', 'is not a duration', '30m, 12h or 14d'],
    ['idelFor', '1h', 'is not a known key', 'Did you mean "idleFor"?'],
  ];

  it.each(cleanupRows)('polyai.uk.cleanup.%s: %j', (key, value, problem, fix) => {
    const cleanup = change({ schedule: 'rate(1 hour)', channels: ['CHAT'], alarmAfter: '1d' }, key, value);
    expect(faultsOf(changed('polyai.uk.cleanup', cleanup))).toEqual([
      {
        path: `polyai.uk.cleanup.${key}`,
        problem: expect.stringContaining(problem),
        fix: expect.stringContaining(fix),
      },
    ]);
  });

  it.each([
    [{ schedule: 'rate(7 days)' }, 'schedule', 'runs no more often than once in 7d', 'more often'],
    [{ schedule: 'cron(0 3 * * ? *)' }, 'alarmAfter', 'is missing, and cron(…) requires it', 'as in 26h'],
    [
      { schedule: 'rate(1 day)', alarmAfter: '24h' },
      'schedule',
      'runs no more often than alarmAfter',
      'longer',
    ],
  ])('polyai.uk.cleanup: %j', (settings, key, problem, fix) => {
    const faults = faultsOf(changed('polyai.uk.cleanup', { channels: ['CHAT'], ...settings }));
    expect(faults).toEqual([
      {
        path: `polyai.uk.cleanup.${key}`,
        problem: expect.stringContaining(problem),
        fix: expect.stringContaining(fix),
      },
    ]);
  });

  it.each([
    ['timestampUnit', 'minutes', '"s", "ms", "iso"'],
    ['toleranceSeconds', 0, 'from 1 to 3600'],
    ['toleranceSeconds', 3601, 'from 1 to 3600'],
    ['timestampHeader', 'x:time', 'x-signature'],
  ])('verify.%s: %j, where a timestamp is signed', (key, value, fix) => {
    const verify = { ...HMAC, timestampHeader: 'x-time', signed: '{timestamp}.{body}', [key]: value };
    expect(faultsOf(changed('connections.in-house.verify', verify))).toEqual([
      {
        path: `connections.in-house.verify.${key}`,
        problem: expect.any(String),
        fix: expect.stringContaining(fix),
      },
    ]);
  });

  it.each([
    [
      'timestampParameter',
      { signed: '{timestamp}.{body}', timestampParameter: 't' },
      'has no effect without signatureParameter',
    ],
    [
      'timestampParameter',
      {
        signed: '{timestamp}.{body}',
        signatureParameter: 'v1',
        timestampParameter: 't',
        timestampHeader: 'x-time',
      },
      'names the time that timestampHeader names, too',
    ],
  ])('verify.%s has a fault in %j', (key, settings, problem) => {
    const verify = { ...HMAC, ...settings };
    expect(faultsOf(changed('connections.in-house.verify', verify))).toEqual([
      { path: `connections.in-house.verify.${key}`, problem, fix: expect.any(String) },
    ]);
  });

  it.each([
    { timestampSelector: 'body.at', timestampUnit: 'ms', toleranceSeconds: 60 },
    { timestampSelector: 'body.at', timestampHeader: 'x-time' },
    { signed: '{timestamp}.{body}', signatureParameter: 'v1', timestampParameter: 't', timestampUnit: 'ms' },
    { signatureParameter: 'v1' },
    { keyEncoding: 'base64' },
  ])('accepts verify with %j', (settings) => {
    const verify = { ...HMAC, ...settings };
    expect(
      loadOf(changed('connections.in-house.verify', verify)).connections['in-house']?.verify,
    ).toMatchObject(verify);
  });

  it('refuses a time in the body of a form', () => {
    const verify = { ...HMAC, timestampSelector: 'body.at' };
    const json = changed('connections.in-house.verify', verify);
    const form = change(json, 'connections.in-house.format', 'form');
    expect(faultsOf(form)).toEqual([
      expect.objectContaining({
        path: 'connections.in-house.verify.timestampSelector',
        problem: 'reads a JSON body, but "format" is "form"',
      }),
    ]);
  });

  it('has one fault for a misspelt key, although the right one is required', () => {
    const {
      'in-house': { finishedWhen, ...rest },
    } = valid().connections;
    const connections = { 'in-house': { ...rest, finishedwhen: finishedWhen } };
    expect(faultsOf({ ...valid(), connections }).map(({ path }) => path)).toEqual([
      'connections.in-house.finishedwhen',
    ]);
  });

  it('does not repeat a password from a baseUrl', () => {
    const { message } = refusalOf(write(changed('polyai.uk.baseUrl', 'https://user:hunter2@polyai.example')));
    expect(message).toContain('has a user name or a password');
    expect(message).not.toContain('hunter2');
  });
});

describe('an existing secret', () => {
  const tickets = { crm: 'zendesk', polyai: 'uk', existingSecret: 'crm/tickets' };

  it.each([
    ['two connections of one project', { tickets, more: tickets }],
    [
      'two connections of one project, by name and ARN',
      { tickets, more: { ...tickets, existingSecret: SECRET_ARN } },
    ],
    [
      'two connections of two projects, by two ARNs',
      {
        tickets: { ...tickets, existingSecret: SECRET_ARN },
        more: { ...tickets, polyai: 'us', existingSecret: SECRET_ARN.replace('tickets', 'more') },
      },
    ],
  ])('may be shared by %s', (_who, connections) => {
    expect(() => loadOf({ ...valid(), connections })).not.toThrow();
  });

  it.each([
    ['by name', 'crm/tickets'],
    ['by ARN', SECRET_ARN],
  ])('must not be shared by connections of two projects, %s', (_how, existingSecret) => {
    const connections = { tickets, more: { ...tickets, polyai: 'us', existingSecret } };
    expect(faultsOf({ ...valid(), connections })).toEqual([
      {
        path: 'connections.more.existingSecret',
        problem: expect.stringMatching(/^is also the secret of connections\.tickets, .* another project/),
        fix: expect.stringContaining('a separate secret'),
      },
    ]);
  });

  it('must not be shared by a project and a connection', () => {
    const { uk } = valid().polyai;
    const polyai = { uk: { ...uk, existingSecret: SECRET_ARN } };
    expect(faultsOf({ ...valid(), polyai, connections: { tickets } })).toEqual([
      {
        path: 'connections.tickets.existingSecret',
        problem: expect.stringMatching(/^is also the secret of polyai\.uk, .* different keys/),
        fix: expect.stringContaining('a separate secret'),
      },
    ]);
  });

  it.each(['secret', 'Secret', '202611'])(
    'is refused if its ARN may lack the random characters at the end: …-%s',
    (last) => {
      const arn = `arn:aws:secretsmanager:eu-west-2:123456789012:secret:crm/my-${last}`;
      for (const path of ['connections.tickets.existingSecret', 'polyai.uk.existingSecret']) {
        expect(faultsOf(changed(path, arn))).toEqual([
          {
            path,
            problem: expect.stringContaining(`ends in "-${last}"`),
            fix: expect.stringContaining(`as in "crm/my-${last}"`),
          },
        ]);
      }
      expect(() => loadOf(changed('connections.tickets.existingSecret', `${arn}-AbC123`))).not.toThrow();
    },
  );

  it.each(['alias/mine', 'arn:aws:kms:eu-west-2:123456789012:alias/mine'])(
    'is refused with %s as its key',
    (key) => {
      expect(faultsOf(changed('connections.tickets', { ...tickets, existingSecretKey: key }))).toEqual([
        {
          path: 'connections.tickets.existingSecretKey',
          problem: 'is not the ARN of a KMS key',
          fix: expect.stringContaining('arn:aws:kms:'),
        },
      ]);
    },
  );
});

describe('a configuration with many faults', () => {
  const broken = {
    stac: {},
    stack: { maxConcurrency: 1 },
    polyai: { UK: { region: 'uk1', accountId: 'a/b', projectId: 'p', baseUrl: 'http://polyai.example' } },
    connections: {
      tickets: { crm: 'zendsk', polyai: 'uk' },
      'in-house': {
        crm: 'custom',
        polyai: 'UK',
        verify: { scheme: 'hmac', signed: '{timestamp}' },
        lookUp: 'x',
      },
      empty: {},
    },
  };

  it('has all of them reported at once: those of types and those of rules', () => {
    expect(faultsOf(broken).map(({ path }) => path)).toEqual([
      'connections.empty.crm',
      'connections.empty.polyai',
      'connections.in-house.conversationId',
      'connections.in-house.finishedWhen',
      'connections.in-house.lookUp',
      'connections.in-house.lookUp',
      'connections.in-house.verify.header',
      'connections.in-house.verify.signed',
      'connections.in-house.verify.signed',
      'connections.tickets.crm',
      'connections.tickets.polyai',
      'polyai.UK',
      'polyai.UK.accountId',
      'polyai.UK.baseUrl',
      'polyai.UK.region',
      'stac',
      'stack.maxConcurrency',
    ]);
  });

  it('has a message with their number, the file, and one line for each', () => {
    writeFileSync(file, JSON.stringify(broken));
    const { message, faults } = refusalOf(file);
    const [head, ...lines] = message.split('\n');
    expect(head).toBe(`17 faults in ${file}:`);
    expect(lines).toHaveLength(faults.length);
    expect(lines).toContain(
      '  connections.tickets.crm is "zendsk", which is unknown. Did you mean "zendesk"?',
    );
    expect(lines).toContain('  stac is not a known key. Did you mean "stack"?');
  });

  it('shows a strange name or value on one line, short and without control characters', () => {
    const connections = { 'a\nb\u009b[31m': { crm: `x\n${'y'.repeat(1000)}\u007f`, polyai: 'uk' } };
    const [, ...lines] = refusalOf(write({ ...valid(), connections })).message.split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^ {2}connections\["a\\nb\[31m"\] is not a valid name/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    // The strange word is shortened; what there is to choose from is not.
    expect(lines[1]?.replace(/Choose from .*/, '').length).toBeLessThan(150);
  });
});

describe('a rule', () => {
  const { tickets, 'in-house': inHouse } = valid().connections;
  const pathsOf = (value: unknown) => faultsOf(value).map(({ path }) => path);

  it('is checked although the same object has a wrong type and an unknown key', () => {
    const verify = { ...HMAC, signed: '{id}.{body}', prefix: 5, hedaer: 'x', toleranceSeconds: 60 };
    expect(pathsOf(changed('connections.in-house.verify', verify))).toEqual([
      'connections.in-house.verify.hedaer',
      'connections.in-house.verify.prefix',
      'connections.in-house.verify.signed',
      'connections.in-house.verify.toleranceSeconds',
    ]);
    const cleanup = { schedule: 'cron(0 3 * * ? *)', channels: 'CHAT', lookback: '1h', dry: true };
    expect(pathsOf(changed('polyai.uk.cleanup', cleanup))).toEqual([
      'polyai.uk.cleanup.alarmAfter',
      'polyai.uk.cleanup.channels',
      'polyai.uk.cleanup.dry',
      'polyai.uk.cleanup.lookback',
    ]);
  });

  it('is checked with the defaults of the schema', () => {
    const cleanup = { schedule: 'rate(1 hour)', channels: ['CHAT'] };
    expect(pathsOf(changed('polyai.uk.cleanup', { ...cleanup, lookback: '12h' }))).toEqual([
      'polyai.uk.cleanup.lookback',
    ]);
    expect(pathsOf(changed('polyai.uk.cleanup', { ...cleanup, idleFor: '14d' }))).toEqual([
      'polyai.uk.cleanup.lookback',
    ]);
  });

  it('across projects and connections is checked although other parts have faults', () => {
    const shared = { ...tickets, polyai: 'us', existingSecret: 'crm/tickets', publicUrl: 1 };
    const broken = {
      ...valid(),
      stack: 'large',
      connections: { tickets: { ...tickets, existingSecret: 'crm/tickets' }, more: shared, other: null },
    };
    expect(pathsOf(broken)).toEqual([
      'connections.more.existingSecret',
      'connections.more.publicUrl',
      'connections.other',
      'stack',
    ]);
  });

  it.each(['zendsk', 5, null, undefined])('is checked although crm is %j', (crm) => {
    const { crm: _, ...rest } = inHouse;
    const settings = {
      ...rest,
      ...(crm !== undefined && { crm }),
      polyai: 'ukk',
      lookUp: 'sharedId',
      finishedValues: ['solved', 4],
      existingSecretKey: KEY_ARN,
      verify: { ...HMAC, idHeader: 'x-id' },
    };
    expect(pathsOf({ ...valid(), connections: { c: settings } })).toEqual([
      'connections.c.conversationId',
      'connections.c.crm',
      'connections.c.existingSecretKey',
      'connections.c.finishedValues',
      'connections.c.finishedValues[1]',
      'connections.c.polyai',
      'connections.c.verify.idHeader',
    ]);
  });
});

describe('any JSON at all', () => {
  const paths = ['stack', 'polyai', 'polyai.uk', 'polyai.uk.baseUrl', 'polyai.uk.cleanup', 'connections'];
  const deeper = [
    'connections.tickets',
    'connections.in-house.verify',
    'connections.in-house.conversationId',
  ];

  it('is refused with a ConfigurationError as the whole file', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(faultsOf(value).length).toBeGreaterThan(0);
      }),
    );
  });

  it('is accepted or refused with a ConfigurationError in one place of a good file', () => {
    const keys = fc.constantFrom(
      'crm',
      'polyai',
      'verify',
      'scheme',
      'existingSecret',
      'cleanup',
      '__proto__',
      'constructor',
    );
    const values = fc.letrec((tie) => ({
      node: fc.oneof(
        fc.jsonValue(),
        fc.constantFrom('custom', 'zendesk', 'hmac', 'uk'),
        fc.dictionary(keys, tie('node')),
      ),
    })).node;
    fc.assert(
      fc.property(fc.constantFrom(...paths, ...deeper), values, (path, value) => {
        writeFileSync(file, JSON.stringify(changed(path, value)));
        try {
          loadConfiguration(file);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is accepted or refused with a ConfigurationError in place of any value of a full file', () => {
    const full = {
      stack: { maxConcurrency: 5, throttle: { burst: 1 }, alarms: { email: 'ops@acme.example' } },
      polyai: {
        uk: {
          ...valid().polyai.uk,
          existingSecret: SECRET_ARN,
          existingSecretKey: KEY_ARN,
          cleanup: { schedule: 'rate(1 hour)', channels: ['CHAT'], idleFor: '1h', alarmAfter: '1d' },
        },
      },
      connections: {
        tickets: {
          crm: 'zendesk',
          polyai: 'uk',
          finishedValues: ['CLOSED'],
          lookUp: 'sharedId',
          sharedId: 'body.id',
          existingSecret: 'crm/zendesk',
          allowedSources: ['203.0.113.0/24'],
        },
        desk: { crm: 'zoho-desk', polyai: 'uk', sender: '54983163', audience: '1', dataCentre: 'com' },
        'in-house': {
          ...valid().connections['in-house'],
          verify: { ...HMAC, signed: '{id}.{body}', idHeader: 'x-id' },
        },
        orders: {
          crm: 'eventbridge',
          polyai: 'uk',
          bus: 'orders',
          eventPattern: { source: ['acme'], account: ['111122223333'], detail: { a: [{ prefix: 'b' }] } },
          conversationId: 'detail.id',
        },
      },
    };
    expect(() => loadOf(full)).not.toThrow();
    // `String` throws for this object, so a rule that reads a value without looking at its type would too.
    for (const path of pathsIn(full)) {
      const refusal = () => loadOf(changeAt(full, path, { toString: 0 }));
      expect([path, refusal]).toEqual([path, expect.toSatisfy((load) => isRefusal(load))]);
    }
    const places = fc.constantFrom(...pathsIn(full));
    fc.assert(
      fc.property(places, fc.jsonValue(), places, fc.jsonValue(), (one, value, two, other) => {
        try {
          loadOf(changeAt(changeAt(full, one, value), two, other));
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('does not change a prototype', () => {
    writeFileSync(
      file,
      '{"__proto__": {"stack": 1}, "connections": {"__proto__": {"crm": "zendesk", "polyai": "uk"}}}',
    );
    expect(refusalOf(file).faults.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['__proto__', 'connections.__proto__', 'polyai']),
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('connections.schema.json', () => {
  it('is current (npm run generate)', () => {
    expect(readFileSync(join(ROOT, 'connections.schema.json'), 'utf8')).toBe(schemaText());
  });

  it('describes every key and says which are required', () => {
    const { properties, required, additionalProperties } = JSON.parse(schemaText());
    const connection = properties.connections.additionalProperties;
    expect({ required, additionalProperties }).toEqual({
      required: ['polyai', 'connections'],
      additionalProperties: false,
    });
    expect(connection.properties.crm.enum).toEqual(Object.keys(CRMS));
    expect(connection.required).toEqual(['crm', 'polyai']);
    expect(connection.additionalProperties).toBe(false);
    for (const each of [properties.stack, properties.polyai.additionalProperties, connection]) {
      for (const setting of Object.values<Json>(each.properties))
        expect(setting.description).toEqual(expect.any(String));
    }
  });

  it('has the settings that each preset requires and refuses', () => {
    const { allOf } = JSON.parse(schemaText()).properties.connections.additionalProperties;
    const custom = allOf.find(
      (each: { if: { properties: { crm: Json } } }) => each.if.properties.crm.const === 'custom',
    );
    expect(custom.then.required).toEqual(['verify', 'conversationId', 'finishedWhen']);
    expect(custom.then.properties).toEqual(expect.objectContaining({ finishedValues: false, lookUp: false }));
    expect(custom.then.properties).not.toHaveProperty('verify');
  });
});

/** Whether it succeeds, or is refused with a ConfigurationError. */
function isRefusal(load: () => unknown): boolean {
  try {
    load();
    return true;
  } catch (error) {
    return error instanceof ConfigurationError;
  }
}

function valid() {
  return {
    polyai: {
      uk: { region: 'uk-1', accountId: 'acme', projectId: 'PROJECT-1' },
      us: { region: 'us-1', accountId: 'acme', projectId: 'PROJECT-2' },
    },
    connections: {
      tickets: { crm: 'zendesk', polyai: 'uk' },
      'in-house': {
        crm: 'custom',
        polyai: 'uk',
        verify: HMAC,
        finishedWhen: "body.status == 'closed'",
        conversationId: 'body.id',
      },
    },
  };
}

/** A good configuration with one thing changed; `undefined` takes it out. */
function changed(path: string, value: unknown): unknown {
  return change(valid(), path, value);
}

function change(root: unknown, path: string, value: unknown): unknown {
  const [key, ...rest] = segments(path);
  return changeAt(root, key === undefined ? [] : [key, ...rest], value);
}

function changeAt(node: unknown, [key, ...rest]: string[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy: Map<string, unknown> = new Map(Object.entries(node ?? {}));
  copy.set(key, changeAt(copy.get(key), rest, value));
  if (/^\d+$/.test(key)) return [...copy.values()];
  // Unlike an assignment, this makes an own key even of __proto__.
  return Object.fromEntries(copy);
}

/** The paths of all values in a value. */
function pathsIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [
    [key],
    ...pathsIn(each).map((path) => [key, ...path]),
  ]);
}

/** `a.b["c.d"][0]` as its keys. */
function segments(path: string): string[] {
  return [...path.matchAll(/\["(.*?)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, name]) => quoted ?? index ?? name ?? '',
  );
}

function write(value: unknown): string {
  writeFileSync(file, JSON.stringify(value));
  return file;
}

function loadOf(value: unknown) {
  return loadConfiguration(write(value));
}

function faultsOf(value: unknown): Fault[] {
  return refusalOf(write(value)).faults;
}

function refusalOf(path: string): ConfigurationError {
  try {
    loadConfiguration(path);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('the file is accepted');
}

describe('a preset', () => {
  const faultsOf = (connection: Json) =>
    refusalOf(write({ ...valid(), connections: { c: { polyai: 'uk', ...connection } } })).faults;

  it.each(Object.keys(CRMS).filter((crm) => CRMS[crm]?.takes.includes('sender')))(
    'refuses a sender of the wrong form and shows the right one: %s',
    (crm) => {
      for (const sender of ['Acme Ltd', 'acme', '00D00000000000', '00D0000000000012', '0050000000000012AA']) {
        const faults = faultsOf({ crm, sender }).filter(({ path }) => path === 'connections.c.sender');
        expect({ sender, faults }).toEqual({
          sender,
          faults: [
            {
              path: 'connections.c.sender',
              problem: `is "${sender}", which cannot be a sender of crm "${crm}"`,
              fix: CRMS[crm]?.senderForm?.fix,
            },
          ],
        });
      }
    },
  );

  it.each(Object.keys(CRMS).filter((crm) => requires(crm).length > 0))(
    'refuses a connection without a required key, with a link to its page: %s',
    (crm) => {
      for (const key of requires(crm)) {
        expect(faultsOf({ crm })).toContainEqual({
          path: `connections.c.${key}`,
          problem: 'is missing',
          fix: `Crm "${crm}" requires it: add it as docs/crm/${crm}.md shows`,
        });
      }
    },
  );

  it.each(['us', 'usa', 'eu1'])(
    'lists all of Zoho’s data centres for the unknown %s and does not guess one',
    (dataCentre) => {
      expect(faultsOf({ crm: 'zoho-desk', sender: '1', audience: '2', dataCentre })).toEqual([
        {
          path: 'connections.c.dataCentre',
          problem: `is "${dataCentre}", which is unknown`,
          fix: expect.stringMatching(/^Choose from "com", "eu", .*. The American one is "com"$/),
        },
      ]);
    },
  );
});

describe('a configuration', () => {
  const zendesk = { crm: 'zendesk', polyai: 'support' };
  const support = { region: 'uk-1', accountId: 'acme-uk', projectId: 'PROJECT-1' };
  const faultsOf = (connections: object) => {
    try {
      loadConfiguration(writeConnections({ polyai: { support }, connections }));
      return [];
    } catch (error) {
      return (error as ConfigurationError).faults;
    }
  };

  it('may have any number of connections', () => {
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`c-${n}`, zendesk]));
    expect(faultsOf(many)).toEqual([]);
  });

  it('is refused with more existing secrets than a role’s policies can name', () => {
    const many = (count: number, own: object = {}) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, n) => [
          `c-${n}`,
          { ...zendesk, existingSecret: `crm/desk-${n}`, ...own },
        ]),
      );
    expect(faultsOf(many(500))).toEqual([]);
    expect(faultsOf(many(700))).toMatchObject([
      {
        path: 'connections',
        problem: expect.stringContaining('names 700 secrets of your own'),
        fix: expect.stringContaining('docs/scale.md'),
      },
    ]);
    const existingSecretKey = 'arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555';
    expect(faultsOf(many(60, { existingSecretKey }))).toEqual([]);
    expect(faultsOf(many(100, { existingSecretKey }))).toHaveLength(1);
  });

  it('is refused with two keys for one secret', () => {
    const existingSecret = 'crm/zendesk';
    const key = (id: string) =>
      `arn:aws:kms:eu-west-1:111122223333:key/${id.repeat(8)}-2222-3333-4444-555555555555`;
    const two = {
      one: { ...zendesk, existingSecret, existingSecretKey: key('1') },
      two: { ...zendesk, existingSecret, existingSecretKey: key('2') },
    };
    expect(faultsOf(two)).toMatchObject([{ path: 'connections.two.existingSecretKey' }]);
    expect(faultsOf({ ...two, two: two.one })).toEqual([]);
  });

  it('is refused with both finishedValues and finishedWhen', () => {
    const both = { ...zendesk, finishedValues: ['SOLVED'], finishedWhen: "body.status == 'solved'" };
    expect(faultsOf({ both })).toMatchObject([
      {
        path: 'connections.both.finishedValues',
        problem: expect.stringContaining('has no effect beside finishedWhen'),
      },
    ]);
  });

  it.each([
    ['sharedId', { crm: 'servicenow', sharedId: 'body.number' }, 'has no effect without lookUp'],
    [
      'conversationId',
      { crm: 'servicenow', lookUp: 'sharedId', conversationId: 'body.number' },
      'has no effect beside lookUp',
    ],
  ])('is refused if %s contradicts lookUp', (key, settings, problem) => {
    expect(faultsOf({ one: { polyai: 'support', ...settings } })).toMatchObject([
      { path: `connections.one.${key}`, problem: expect.stringContaining(problem) },
    ]);
  });

  it('is refused with a look-up over a custom bus without sharedId', () => {
    const eventPattern = { source: ['acme.desk'], account: ['111122223333'] };
    const any = {
      crm: 'eventbridge',
      polyai: 'support',
      bus: 'orders',
      eventPattern,
      lookUp: 'sharedId',
      repeatedFinish: 'allow',
    };
    expect(faultsOf({ any })).toMatchObject([
      { path: 'connections.any', problem: expect.stringContaining('sharedId') },
    ]);
    expect(faultsOf({ any: { ...any, sharedId: 'detail.ticket' } })).toEqual([]);
  });
});

describe('the ARNs of a file', () => {
  const place = (region: string, account = '123456789012', partition = 'aws') => ({
    topicArn: `arn:${partition}:sns:${region}:${account}:alarms`,
    existingSecret: `arn:${partition}:secretsmanager:${region}:${account}:secret:crm/tickets-AbC123`,
    existingSecretKey: `arn:${partition}:kms:${region}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
    bus: `arn:${partition}:events:${region}:${account}:event-bus/orders`,
  });
  type Arns = ReturnType<typeof place>;
  const withArns = (arns: Arns) => {
    const { existingSecret, existingSecretKey, bus, topicArn } = arns;
    const eventPattern = { source: ['acme.desk'], account: ['123456789012'] };
    const file = valid();
    return {
      ...file,
      stack: { alarms: { topicArn } },
      connections: {
        ...file.connections,
        secret: { crm: 'zendesk', polyai: 'uk', existingSecret, existingSecretKey },
        bus: { crm: 'eventbridge', polyai: 'uk', bus, eventPattern, conversationId: 'detail.id' },
      },
    };
  };
  const here = place('eu-west-2');
  const paths: Record<keyof Arns, string> = {
    topicArn: 'stack.alarms.topicArn',
    existingSecret: 'connections.secret.existingSecret',
    existingSecretKey: 'connections.secret.existingSecretKey',
    bus: 'connections.bus.bus',
  };
  const keys = Object.keys(paths) as (keyof Arns)[];

  it.each([
    place('eu-west-2'),
    place('cn-north-1', '123456789012', 'aws-cn'),
    place('us-gov-west-1', '1'.repeat(12), 'aws-us-gov'),
  ])('may be in any region and account', (arns) => {
    expect(() => loadOf(withArns(arns))).not.toThrow();
  });

  it.each(keys.slice(1))('must be in the same region and account: %s', (key) => {
    const fixes = {
      existingSecret: 'Store the secret',
      existingSecretKey: 'Name the key',
      bus: 'Let a rule there forward',
    };
    for (const [elsewhere, part] of [
      [place('eu-west-1'), 'region eu-west-1, but stack.alarms.topicArn is in eu-west-2'],
      [
        place('eu-west-2', '210987654321'),
        'account 210987654321, but stack.alarms.topicArn is in 123456789012',
      ],
    ] as const) {
      expect(faultsOf(withArns({ ...here, [key]: elsewhere[key] }))).toEqual([
        {
          path: paths[key],
          problem: `is in ${part}`,
          fix: expect.stringContaining(fixes[key as keyof typeof fixes]),
        },
      ]);
    }
  });

  it.each(keys)('must have the partition of their region: %s', (key) => {
    expect(faultsOf(withArns({ ...here, [key]: place('eu-west-2', '123456789012', 'aws-cn')[key] }))).toEqual(
      [
        {
          path: paths[key],
          problem: expect.stringContaining('names the partition aws-cn, but the region eu-west-2 is in aws'),
          fix: expect.stringContaining('arn:aws:'),
        },
      ],
    );
  });
});
