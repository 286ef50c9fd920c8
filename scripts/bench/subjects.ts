import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import type { HmacSettings, JwtSettings } from '../../functions/schemes/scheme.ts';
import { type Configuration, DEFAULT_STACK, loadConfiguration } from '../../infra/config/load.ts';
import { readFixture } from '../../samples/fixture.ts';
import { buildBaseline, buildFunctions } from './bundles.ts';
import type { Certificate } from './certificate.ts';
import { createZohoDeliveries, nextDelivery, nextId, nextLarge } from './deliveries.ts';
import type { Subject } from './lambda.ts';
import { EMPTY, FLOOR, SDK, ZENDESK } from './names.ts';
import { BENCH_FOLDER } from './runtime-client.ts';
import { SECRET, type StandIn, startStandIn } from './stand-in.ts';

export type Subjects = {
  /** What a cold start is measured of: the baselines, then ours. */
  cold: Subject[];
  /** What warm deliveries are measured of. `perRound` is lower where one takes long. */
  warm: (Subject & { perRound?: number })[];
  stop(): void;
};

const ZENDESK_SELECTORS = 'receiver, custom with selectors';

const WITHOUT_PRESET = { conversationId: 'body.conversation_id', finishedWhen: 'always' };
const BUS = 'aws.partner/genesys.com/cloud/1/2';
const MIB = 1024 * 1024;

/** One connection for each scheme, by the scheme's name. */
function connectionsOf(jwksUrl: string): Record<string, object> {
  const preset = (crm: string) => ({
    crm,
    polyai: 'support',
    ...readFixture(crm, 'finished.json').connection,
  });
  const custom = (verify: object) => ({ crm: 'custom', polyai: 'support', verify, ...WITHOUT_PRESET });
  return {
    hmac: preset('zendesk'),
    'standard-webhooks': preset('standard-webhooks'),
    hubspot: preset('hubspot'),
    twilio: preset('twilio'),
    jwt: { ...preset('zoho-desk'), jwksUrl },
    bearer: custom({ scheme: 'bearer' }),
    header: custom({ scheme: 'header', header: 'x-token' }),
    query: custom({ scheme: 'query', parameter: 'token' }),
    basic: custom({ scheme: 'basic' }),
  };
}

/** Builds everything that is measured, and starts what it calls. */
export async function prepareSubjects(certificate: Certificate): Promise<Subjects> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' };
  const standIn = await startStandIn(certificate, { keys: [jwk] });
  const env = environmentOf(standIn, certificate);
  const project = { region: 'uk-1', accountId: 'acme', projectId: 'PROJECT-1', baseUrl: standIn.url };
  const connections = connectionsOf(`${standIn.url}/jwks`);
  const { hmac: zendesk } = connections;

  const one = build('one', { polyai: { support: project }, connections: { zendesk } });
  const own = build('own', { polyai: { support: project }, connections: { own: connections.bearer } });
  const all = build('all', {
    polyai: { support: { ...project, cleanup: { schedule: 'rate(1 hour)', channels: ['CHAT'] } } },
    connections: {
      ...connections,
      genesys: { crm: 'genesys-eventbridge', polyai: 'support', bus: BUS, lookUp: 'sharedId' },
    },
    stack: { canary: { schedule: 'rate(5 minutes)', polyai: 'support' } },
  });
  const settings = (name: string) => {
    const connection = all.configuration.connections[name];
    if (!connection) throw new Error(`no connection ${name}`);
    return connection;
  };
  const receiver = (name: string, folder: string | undefined, event: () => unknown): Subject => ({
    name,
    folder: folder ?? '',
    env,
    event,
    isRight: isAccepted,
  });
  const ofZendesk = () => nextDelivery('zendesk', settings('hmac'));
  const zoho = await createZohoDeliveries('jwt', settings('jwt').verify as JwtSettings, privateKey);
  const floor = [
    receiver(EMPTY, buildBaseline('empty'), ofZendesk),
    receiver(FLOOR, buildBaseline('hand-signed'), ofZendesk),
    receiver(SDK, buildBaseline('plain-sdk'), ofZendesk),
    receiver(ZENDESK, one.folders.Receive, ofZendesk),
  ];
  const ofQueue = (name: string, folder: string | undefined, body: () => object): Subject => ({
    ...receiver(name, folder, () => sqsEvent(body())),
    isRight: (answer) => (answer as { batchItemFailures?: unknown[] }).batchItemFailures?.length === 0,
  });
  const worker = (name: string, count: number): Subject => ({
    ...ofQueue(name, all.folders.Close, () => ({})),
    event: () => sqsEvent(...Array.from({ length: count }, () => closeRequest(standIn.openChat()))),
  });
  const hmac = settings('hmac').verify as HmacSettings;
  const large = (name: string, folder: string | undefined, more: object) => ({
    ...receiver(name, folder, () => nextLarge('zendesk', hmac, more)),
    perRound: 5,
  });
  const text = { description: 'x'.repeat(MIB - 2000) };
  return {
    cold: [
      ...floor,
      receiver(ZENDESK_SELECTORS, own.folders.Receive, () => nextDelivery('own', settings('bearer'))),
      receiver('receiver, nine connections', all.folders.Receive, () =>
        nextDelivery('hmac', settings('hmac')),
      ),
      ofQueue('event reader', all.folders.Event, genesysEvent),
      worker('worker', 1),
      { ...receiver('cleanup', all.folders.Cleanup, () => ({ project: 'support' })), isRight: isComplete },
      {
        ...receiver('canary', all.folders.Canary, () => ({})),
        env: { ...env, CANARY_URL: `${standIn.url}/canary`, CANARY_SECRET_ID: 'canary' },
        isRight: () => true,
      },
    ],
    warm: [
      ...floor,
      ...Object.keys(connections).map((name) =>
        receiver(
          `${name}`,
          all.folders.Receive,
          name === 'jwt' ? zoho : () => nextDelivery(name, settings(name)),
        ),
      ),
      large('hand-signed receiver, 1 MiB of text', floor[1]?.folder, text),
      large('receiver, 1 MiB of text', one.folders.Receive, text),
      large('receiver, 49,000 values', one.folders.Receive, { list: Array(49_000).fill(7) }),
      worker('worker, one close', 1),
      { ...worker('worker, ten closes at once', 10), perRound: 5 },
    ],
    stop: standIn.close,
  };
}

function build(
  name: string,
  content: object,
): { configuration: Configuration; folders: Record<string, string> } {
  const folders = buildFunctions(name, content);
  return { folders, configuration: loadConfiguration(join(BENCH_FOLDER, `${name}.json`), DEFAULT_STACK) };
}

function environmentOf({ url, queueUrl }: StandIn, { certFile }: Certificate): Record<string, string> {
  return {
    AWS_REGION: 'eu-west-2',
    AWS_ACCESS_KEY_ID: 'made-up',
    AWS_SECRET_ACCESS_KEY: SECRET.password,
    AWS_ENDPOINT_URL: url,
    NODE_EXTRA_CA_CERTS: certFile,
    CLOSE_QUEUE_URL: queueUrl,
    DEAD_LETTER_QUEUE_URL: queueUrl,
    STACK_NAME: 'bench',
  };
}

const isAccepted = (answer: unknown) => (answer as { statusCode?: number }).statusCode === 200;
const isComplete = (answer: unknown) => (answer as { complete?: boolean }).complete === true;

function sqsEvent(...bodies: object[]) {
  return {
    Records: bodies.map((body, index) => ({
      messageId: `m-${index}`,
      receiptHandle: `r-${index}`,
      body: JSON.stringify(body),
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: `${Date.now()}` },
      messageAttributes: {},
    })),
  };
}

function closeRequest(conversationId: string): object {
  const receivedAt = new Date().toISOString();
  return {
    v: 1,
    requestId: conversationId,
    source: 'webhook',
    project: 'support',
    conversationId,
    receivedAt,
  };
}

function genesysEvent(): object {
  const eventBody = { conversationId: nextId(), mediaType: 'CHAT' };
  const type = 'v2.detail.events.conversation.{id}.customer.end';
  return { connection: 'genesys', event: { id: nextId(), 'detail-type': type, detail: { eventBody } } };
}
