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
import type { SchemeName, SettingsOf } from '../functions/schemes/scheme.ts';
import { busName } from '../infra/config/bus.ts';
import { type Configuration, loadConfiguration } from '../infra/config/load.ts';
import { makeRsaSecret } from '../samples/delivery.ts';
import { deploy, destroy, type Outputs } from './deploy.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { type EventBus, openEventBus } from './event-bus.ts';
import { isolate, isolatedEnvironment, LOCAL_ACCOUNT, LocalRunError } from './isolation.ts';
import { createFlush } from './late-lines.ts';
import { type Log, openLog } from './stack-log.ts';

export type LocalOptions = {
  /** Path of a connections.json. */
  configuration: string;
  /** The address of PolyAI, or of what plays it, and the keys that it accepts. */
  polyai: { url: string; keys: { apiKey: string; token: string } };
  port?: number;
  stackName?: string;
  /** Whether every function has only the permissions of its role, as on AWS. */
  isIamEnforced?: boolean;
  /** Called with a line of text when a step begins. */
  onStep: (text: string) => void;
  /** Aborted when the run must end early. */
  signal?: AbortSignal;
};

/** The part of connections.json that names the owner of a secret. */
type Kind = 'polyai' | 'connections';

export type LocalStack = {
  stackName: string;
  outputs: Outputs;
  configuration: Configuration;
  /**
   * The address that the CRM would have, in the form that this machine can reach.
   *
   * @throws {LocalRunError} when no connection has an address
   */
  webhookUrl(connection: string): string;
  /** The same address as a signature covers it: with API Gateway's host name, or the connection's `publicUrl`. */
  signedUrl(connection: string): string;
  /** Name or ARN of a project's or a connection's secret. */
  secretId(kind: Kind, name: string): string;
  readSecret(id: string): Promise<Record<string, string>>;
  writeSecret(id: string, value: unknown): Promise<void>;
  log: Log;
  /** Invokes the worker without a message, so that an emulator releases lines that the worker wrote late. */
  flush(): Promise<void>;
  events: EventBus;
  stop(): Promise<void>;
};

const USUAL_NAME = 'polyai-chat-closer';
const MADE_UP = 'made-up-for-this-machine-only';
type MadeUp = Record<string, string>;

const signingSecret = (): MadeUp => ({ signingSecret: MADE_UP });
const token = (): MadeUp => ({ token: MADE_UP });
const none = () => undefined;

/** What a connection's secret holds on this machine; `undefined` where its scheme needs none. */
const MADE_UP_SECRETS: { [Name in SchemeName]: (settings: SettingsOf<Name>) => MadeUp | undefined } = {
  hmac: ({ keyEncoding = 'text' }) => ({
    signingSecret: Buffer.from(MADE_UP).toString(keyEncoding === 'text' ? 'utf8' : keyEncoding),
  }),
  rsa: makeRsaSecret,
  'standard-webhooks': () => ({ signingSecret: `whsec_${Buffer.from(MADE_UP).toString('base64')}` }),
  bearer: token,
  header: token,
  query: token,
  basic: () => ({ username: 'webhook', password: MADE_UP }),
  hubspot: signingSecret,
  twilio: signingSecret,
  jwt: none,
  'event-bus': none,
};

/** The fields that the sender issues. The stack creates them empty. */
const ISSUED = ['signingSecret', 'publicKey'];

/**
 * Starts everything that the adapter needs on this machine and deploys the stack to it: the emulator of AWS, the
 * configuration with PolyAI's address replaced, and the secrets with local values.
 *
 * @throws {LocalRunError | ConfigurationError} what is wrong, and how to fix it; whatever was started is stopped
 */
export async function startLocalStack(options: LocalOptions): Promise<LocalStack> {
  const { onStep } = options;
  const configuration = loadConfiguration(options.configuration);
  const folder = mkdtempSync(join(tmpdir(), 'polyai-chat-closer-'));
  let emulator: Emulator | undefined;
  let deployed: Deployed | undefined;
  const stop = async () => {
    if (emulator?.isForeign && deployed) await removeStack(deployed);
    await emulator?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    onStep('Starting the local AWS');
    emulator = await startEmulator(folder, options.port, onStep, options.isIamEnforced);
    const { endpoint } = emulator;
    isolate(isolatedEnvironment(endpoint, folder));
    onStep('Deploying the stack: bundle, bootstrap, deploy');
    const stackName = nameOf(options, emulator);
    const file = writeLocalConfiguration(folder, options.configuration, stackName, options.polyai.url);
    deployed = { endpoint, folder, stackName, configuration, buses: [] };
    deployed.buses = await createBuses(endpoint, configuration);
    const outputs = await deploy(endpoint, folder, stackName, file, options.signal, options.isIamEnforced);
    const local = openLocalStack(deployed, outputs, stop);
    onStep('Filling the secrets');
    await fillSecrets(local, options.polyai.keys);
    return local;
  } catch (error) {
    // The first error matters, not one of stopping.
    await stop().catch(() => undefined);
    throw error;
  }
}

/** A stack of the usual name on the user's own emulator may be the user's, so ours gets another name there. */
function nameOf({ stackName }: LocalOptions, { isForeign }: Emulator): string {
  if (stackName !== undefined) return stackName;
  return isForeign ? `${USUAL_NAME}-${randomUUID().slice(0, 8)}` : USUAL_NAME;
}

type Deployed = {
  endpoint: string;
  folder: string;
  stackName: string;
  configuration: Configuration;
  /** The buses that were created for it. */
  buses: string[];
};

function openLocalStack(
  { endpoint, stackName, configuration }: Deployed,
  outputs: Outputs,
  stop: () => Promise<void>,
): LocalStack {
  return {
    stackName,
    outputs,
    configuration,
    webhookUrl: (connection) => `${reachable(endpoint, webhooksUrl(outputs))}/${connection}`,
    signedUrl: (connection) => {
      const { hostname, pathname } = new URL(webhooksUrl(outputs));
      const { publicUrl } = configuration.connections[connection] ?? {};
      return publicUrl ?? `https://${hostname}${pathname}/${connection}`;
    },
    secretId: (kind, name) => secretIdOf(stackName, configuration, kind, name),
    ...openSecrets(),
    log: openLog(stackName),
    flush: createFlush(stackName),
    events: openEventBus(endpoint),
    stop,
  };
}

function openSecrets(): Pick<LocalStack, 'readSecret' | 'writeSecret'> {
  const client = new SecretsManagerClient({});
  return {
    async readSecret(SecretId) {
      const { SecretString = '{}' } = await client.send(new GetSecretValueCommand({ SecretId }));
      return JSON.parse(SecretString);
    },
    async writeSecret(Name, value) {
      const SecretString = JSON.stringify(value);
      try {
        await client.send(new PutSecretValueCommand({ SecretId: Name, SecretString }));
      } catch (error) {
        if ((error as Error).name !== 'ResourceNotFoundException') throw error;
        await client.send(new CreateSecretCommand({ Name, SecretString }));
      }
    },
  };
}

/** Deletes the stack from an emulator that keeps running, and what a deleted stack retains: log groups and secrets. */
async function removeStack({ endpoint, folder, stackName, configuration, buses }: Deployed): Promise<void> {
  await destroy(endpoint, folder, stackName);
  await openLog(stackName).deleteGroups();
  for (const bus of buses) await openEventBus(endpoint).delete(bus);
  const client = new SecretsManagerClient({});
  const idsOf = (kind: Kind, owners: object) =>
    Object.keys(owners).map((name) => secretIdOf(stackName, configuration, kind, name));
  const { projects, connections } = configuration;
  for (const SecretId of [...idsOf('polyai', projects), ...idsOf('connections', connections)]) {
    await client
      .send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }))
      .catch(() => undefined);
  }
}

/** Creates the configuration's buses, which on AWS exist before the stack. @returns the buses that were created */
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
 * Writes a copy of the user's configuration with PolyAI's address replaced, the user's own secrets and buses by name,
 * and no topic: no real account exists here, so no ARN of one may be used.
 *
 * @returns the path of the copy
 */
function writeLocalConfiguration(folder: string, file: string, stackName: string, baseUrl: string): string {
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

/** The local name for a secret of the user's own, which is never read or written here. */
function localSecret(stackName: string, secret: string): string {
  const name = secret.startsWith('arn:')
    ? secret.replace(/^.*:secret:/, '').replace(/-[A-Za-z0-9]{6}$/, '')
    : secret;
  return `${stackName}/existing/${name}`;
}

function webhooksUrl({ WebhooksUrl }: Outputs): string {
  if (WebhooksUrl) return WebhooksUrl;
  throw new LocalRunError(
    'Every connection of this configuration is on an event bus, so there is no address.',
  );
}

/** Node cannot resolve the emulator's host names below `localhost`. This path leads to the same API. */
function reachable(endpoint: string, webhooksUrl: string): string {
  const { hostname, pathname } = new URL(webhooksUrl);
  return `${endpoint}/_aws/execute-api/${hostname.split('.')[0]}/$default${pathname}`;
}

/** Fills the secrets that have no value yet. A value that the stack generated is kept. */
async function fillSecrets(local: LocalStack, keys: LocalOptions['polyai']['keys']): Promise<void> {
  const { projects, connections } = local.configuration;
  for (const name of Object.keys(projects)) await local.writeSecret(local.secretId('polyai', name), keys);
  for (const [name, { verify, existingSecret }] of Object.entries(connections)) {
    const id = local.secretId('connections', name);
    const value = MADE_UP_SECRETS[verify.scheme](verify as never);
    if (!value) continue;
    const field = ISSUED.find((each) => each in value);
    const isWaiting = !existingSecret && field !== undefined && !(await local.readSecret(id))[field];
    if (existingSecret || isWaiting) await local.writeSecret(id, value);
  }
}
