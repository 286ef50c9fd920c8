import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { SchemeName } from '../functions/schemes/scheme.ts';
import { busName } from '../infra/config/bus.ts';
import { type Configuration, loadConfiguration } from '../infra/config/load.ts';
import { deploy, destroy, type Outputs } from './deploy.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { type EventBus, openEventBus } from './event-bus.ts';
import { isolate, isolatedEnvironment, LOCAL_ACCOUNT, LocalRunError } from './isolation.ts';
import { createFlush } from './late-lines.ts';
import { type Log, openLog } from './log.ts';

export type LocalOptions = {
  /** A connections.json. */
  configuration: string;
  /** What stands in for PolyAI, and the keys that it takes. */
  polyai: { url: string; keys: { apiKey: string; token: string } };
  port?: number;
  stackName?: string;
  /** Whether every function has the permissions of its role and no others, as on AWS. */
  isIamEnforced?: boolean;
  /** Called as a step begins. */
  say: (text: string) => void;
  /** Aborted when the run is to end early. */
  signal?: AbortSignal;
};

/** Where the owner of a secret stands in connections.json. */
type Kind = 'polyai' | 'connections';

export type LocalStack = {
  outputs: Outputs;
  configuration: Configuration;
  /**
   * The address that a CRM would be given, as this machine can reach it.
   *
   * @throws {LocalRunError} where no connection has one
   */
  webhookUrl(connection: string): string;
  /** The same as a signature covers it: as API Gateway names its host, or the connection's `publicUrl`. */
  signedUrl(connection: string): string;
  /** Name or ARN of a project's or a connection's secret. */
  secretId(kind: Kind, name: string): string;
  readSecret(id: string): Promise<Record<string, string>>;
  writeSecret(id: string, value: unknown): Promise<void>;
  log: Log;
  /** Invokes the worker without a message, so that an emulator hands out what it has written late. */
  flush(): Promise<void>;
  events: EventBus;
  stop(): Promise<void>;
};

const MADE_UP = 'made-up-for-this-machine-only';
const SIGNING_SECRET = { signingSecret: MADE_UP };
const TOKEN = { token: MADE_UP };

/** What a connection's secret holds on this machine; `undefined` where its scheme needs none. */
const MADE_UP_SECRETS: Record<SchemeName, Record<string, string> | undefined> = {
  hmac: SIGNING_SECRET,
  'standard-webhooks': { signingSecret: `whsec_${Buffer.from(MADE_UP).toString('base64')}` },
  bearer: TOKEN,
  header: TOKEN,
  query: TOKEN,
  basic: { username: 'webhook', password: MADE_UP },
  hubspot: SIGNING_SECRET,
  twilio: SIGNING_SECRET,
  jwt: undefined,
  'event-bus': undefined,
};

/**
 * Starts everything that the adapter needs on this machine and deploys the stack to it: the emulator of AWS,
 * the configuration with PolyAI's address in it, and the secrets, filled.
 *
 * @throws {LocalRunError | ConfigurationError} what is wrong, and the mend; whatever was started is stopped
 */
export async function startLocalStack(options: LocalOptions): Promise<LocalStack> {
  const { say } = options;
  let { stackName = 'polyai-chat-closer' } = options;
  const configuration = loadConfiguration(options.configuration);
  const folder = mkdtempSync(join(tmpdir(), 'polyai-chat-closer-'));
  let emulator: Emulator | undefined;
  let isDeployed = false;
  let buses: string[] = [];
  const stop = async () => {
    if (emulator?.isForeign && isDeployed)
      await takeAway(emulator.endpoint, folder, stackName, configuration, buses);
    await emulator?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    say('Starting the local AWS');
    emulator = await startEmulator(folder, options.port, say, options.isIamEnforced);
    isolate(isolatedEnvironment(emulator.endpoint, folder));
    // Somebody may have a stack of the usual name there, which is not ours to change.
    if (emulator.isForeign && !options.stackName) stackName += `-${randomUUID().slice(0, 8)}`;
    say('Deploying the stack: bundle, bootstrap, deploy');
    const file = localConfiguration(folder, options.configuration, stackName, options.polyai.url);
    isDeployed = true;
    buses = await createBuses(emulator.endpoint, configuration);
    const { endpoint } = emulator;
    const outputs = await deploy(endpoint, folder, stackName, file, options.signal, options.isIamEnforced);
    const secretsManager = new SecretsManagerClient({});
    const local: LocalStack = {
      outputs,
      configuration,
      webhookUrl: (connection) => `${reachable(endpoint, webhooksUrl(outputs))}/${connection}`,
      signedUrl: (connection) => {
        const { hostname, pathname } = new URL(webhooksUrl(outputs));
        const { publicUrl } = configuration.connections[connection] ?? {};
        return publicUrl ?? `https://${hostname}${pathname}/${connection}`;
      },
      secretId: (kind, name) => secretIdOf(stackName, configuration, kind, name),
      readSecret: async (SecretId) => {
        const { SecretString = '{}' } = await secretsManager.send(new GetSecretValueCommand({ SecretId }));
        return JSON.parse(SecretString);
      },
      writeSecret: async (Name, value) => {
        const SecretString = JSON.stringify(value);
        try {
          await secretsManager.send(new PutSecretValueCommand({ SecretId: Name, SecretString }));
        } catch (error) {
          if ((error as Error).name !== 'ResourceNotFoundException') throw error;
          await secretsManager.send(new CreateSecretCommand({ Name, SecretString }));
        }
      },
      log: openLog(stackName),
      flush: createFlush(stackName),
      events: openEventBus(emulator.endpoint),
      stop,
    };
    say('Filling the secrets');
    await fillSecrets(local, options.polyai.keys);
    return local;
  } catch (error) {
    // What went wrong first is what matters.
    await stop().catch(() => undefined);
    throw error;
  }
}

/** From an emulator that stays: the stack, and what the stack retains, its log groups and its secrets. */
async function takeAway(
  endpoint: string,
  folder: string,
  stackName: string,
  configuration: Configuration,
  buses: string[],
) {
  await destroy(endpoint, folder, stackName);
  await openLog(stackName).deleteGroups();
  for (const bus of buses) await openEventBus(endpoint).delete(bus);
  const client = new SecretsManagerClient({});
  const ids = [
    ...Object.keys(configuration.projects).map((name) =>
      secretIdOf(stackName, configuration, 'polyai', name),
    ),
    ...Object.keys(configuration.connections).map((name) =>
      secretIdOf(stackName, configuration, 'connections', name),
    ),
  ];
  for (const SecretId of ids) {
    await client
      .send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }))
      .catch(() => undefined);
  }
}

/** The buses of the configuration, which on AWS are there before the stack. @returns those that were not here yet */
async function createBuses(endpoint: string, { connections }: Configuration): Promise<string[]> {
  const names = new Set(Object.values(connections).flatMap(({ bus }) => (bus ? busName(bus) : [])));
  const events = openEventBus(endpoint);
  const created: string[] = [];
  for (const name of names) if (await events.create(name)) created.push(name);
  return created;
}

function secretIdOf(
  stackName: string,
  { projects, connections }: Configuration,
  kind: Kind,
  name: string,
): string {
  const { existingSecret } = (kind === 'polyai' ? projects : connections)[name] ?? {};
  return existingSecret ? localSecret(stackName, existingSecret) : `${stackName}/${kind}/${name}/secret`;
}

/**
 * The user's configuration with the address of what stands in for PolyAI, secrets and buses of the user's own by
 * name, and no topic: no real account, and no ARN of one, exists here.
 *
 * @returns the path of the copy
 */
function localConfiguration(folder: string, file: string, stackName: string, baseUrl: string): string {
  const { $schema: _schema, ...configuration } = JSON.parse(
    readFileSync(file, 'utf8').replace(/^\uFEFF/, ''),
  );
  for (const owner of [...Object.values(configuration.polyai), ...Object.values(configuration.connections)]) {
    const own = owner as Record<string, string>;
    delete own.existingSecretKey;
    if (own.existingSecret) own.existingSecret = localSecret(stackName, own.existingSecret);
    if (own.bus) own.bus = busName(own.bus);
  }
  delete configuration.stack?.alarms?.topicArn;
  for (const project of Object.values(configuration.polyai)) Object.assign(project as object, { baseUrl });
  for (const { eventPattern } of Object.values<{ eventPattern?: object }>(configuration.connections)) {
    if (eventPattern) Object.assign(eventPattern, { account: [LOCAL_ACCOUNT] });
  }
  const copy = join(folder, 'connections.json');
  writeFileSync(copy, JSON.stringify(configuration));
  return copy;
}

/** The name of a stand-in: a secret of the user's own is neither read nor written here, wherever it may be. */
function localSecret(stackName: string, secret: string): string {
  const name = secret.startsWith('arn:')
    ? secret.replace(/^.*:secret:/, '').replace(/-[A-Za-z0-9]{6}$/, '')
    : secret;
  return `${stackName}/existing/${name}`;
}

function webhooksUrl({ WebhooksUrl }: Outputs): string {
  if (WebhooksUrl) return WebhooksUrl;
  throw new LocalRunError('Every connection of this configuration is on a bus, so there is no address.');
}

/** Node cannot resolve the names below `localhost` that the emulator gives its APIs; this path leads to the same one. */
function reachable(endpoint: string, webhooksUrl: string): string {
  const { hostname, pathname } = new URL(webhooksUrl);
  return `${endpoint}/_aws/execute-api/${hostname.split('.')[0]}/$default${pathname}`;
}

/** What nobody has filled in yet; what the stack generated stays as it is. */
async function fillSecrets(local: LocalStack, keys: LocalOptions['polyai']['keys']): Promise<void> {
  const { projects, connections } = local.configuration;
  for (const name of Object.keys(projects)) await local.writeSecret(local.secretId('polyai', name), keys);
  for (const [name, { verify, existingSecret }] of Object.entries(connections)) {
    const id = local.secretId('connections', name);
    const value = MADE_UP_SECRETS[verify.scheme];
    if (!value) continue;
    const isWaiting =
      !existingSecret && 'signingSecret' in value && !(await local.readSecret(id)).signingSecret;
    if (existingSecret || isWaiting) await local.writeSecret(id, value);
  }
}
