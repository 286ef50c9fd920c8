import { CRMS } from '../../functions/crm/index.ts';
import { secretContent } from '../../functions/schemes/index.ts';
import type { VerifySettings } from '../../functions/schemes/scheme.ts';
import { busName, defaultBus, isOnBus } from '../../infra/config/bus.ts';
import type { ConnectionConfiguration } from '../../infra/config/load.ts';
import type { Aws } from '../aws.ts';
import type { Deployment } from '../deployment.ts';
import { type LoggedLine, type Span, searchLines } from '../lines.ts';
import { requireName } from '../project.ts';
import { secretState } from '../secret-state.ts';
import type { Surroundings } from '../surroundings.ts';
import { readGuide } from './guide.ts';
import { refusalWords } from './refusal-words.ts';

/** Everything that the administrator of a CRM needs to set a connection up, and how it is doing. */
export type Card = {
  name: string;
  crm: string;
  title: string;
  /** Path of the set-up guide. */
  guide: string;
  project: string;
  /** The address to paste; absent for a connection on a bus. */
  address?: string;
  bus?: string;
  /** How a delivery proves where it comes from, in words. */
  proof: string;
  /** The headers that carry the proof. */
  headers: string[];
  /** The body to paste, where the CRM has a template. */
  body?: string;
  /** Which field must hold the conversation id. */
  idField: string;
  finished: string;
  rehearses: boolean;
  /** What the administrator gives to whoever deployed the adapter, and gets from them. */
  give: string[];
  get: string[];
  /** How to test. */
  test: string[];
  state: CardState;
};

export type CardState = {
  secret: { filled: boolean; shape: string; changedAt?: string } | 'none';
  /** ISO 8601, UTC. */
  lastAccepted?: string;
  lastIgnored?: { at: string; reason: string };
  lastRefused?: { at: string; code: string; sentence: string };
};

type Parts = Pick<Aws, 'logs' | 'secretsManager'> & Pick<Surroundings, 'progress' | 'signal'>;

/**
 * Makes the card of a connection.
 *
 * @param span how far back to look for its last deliveries
 * @throws {OperatorError} when the stack has no such connection
 */
export async function connectionCard(
  name: string,
  deployment: Deployment,
  span: Span,
  parts: Parts,
): Promise<Card> {
  requireName('connections', name, deployment);
  const connection = deployment.configuration.connections[name] as ConnectionConfiguration;
  const state = await stateOf(name, connection, deployment, span, parts);
  return { ...cardOf(name, connection, deployment.outputs.WebhooksUrl), state };
}

/**
 * The part of a card that follows from the configuration.
 *
 * @param webhooksUrl absent as long as the stack is not deployed
 */
export function cardOf(
  name: string,
  connection: ConnectionConfiguration,
  webhooksUrl = '<WebhooksUrl>',
): Omit<Card, 'state'> {
  const { crm, polyai, verify, conversationId, finishedValues, finishedWhen, lookUp, publicUrl } = connection;
  const { page, title, facts, body } = readGuide(crm);
  const onBus = isOnBus(crm);
  const address = publicUrl ?? `${webhooksUrl}/${name}`;
  const bus = connection.bus ?? defaultBus(crm);
  return {
    name,
    crm,
    title,
    guide: page,
    project: polyai,
    ...(onBus ? bus && { bus: busName(bus) } : { address }),
    proof: facts.proof ?? verify.scheme,
    headers: headersOf(verify),
    ...(body && { body }),
    idField:
      conversationId ??
      (lookUp
        ? `looked up by the shared id: ${connection.sharedId ?? facts.shared ?? ''}`
        : (facts.id ?? '')),
    finished: finishedWhen ?? finishedValues?.join(', ') ?? facts.finished ?? '',
    rehearses: connection.rehearse === true,
    ...exchange(crm, verify, onBus),
    test: [
      `Resolve a test ticket whose field holds an id, such as CONV-test, and watch: npx --no chat-closer listen ${name}`,
      ...(onBus ? [] : [`Or send a test delivery: npx --no chat-closer send ${name}`]),
    ],
  };
}

function headersOf(verify: VerifySettings): string[] {
  switch (verify.scheme) {
    case 'hmac':
      return [verify.header, verify.timestampHeader, verify.idHeader].filter((each) => each !== undefined);
    case 'rsa':
    case 'header':
    case 'jwt':
      return [verify.header];
    case 'standard-webhooks':
      return ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
    case 'bearer':
    case 'basic':
      return ['authorization'];
    case 'hubspot':
      return ['x-hubspot-signature-v3', 'x-hubspot-request-timestamp'];
    case 'twilio':
      return ['x-twilio-signature'];
    case 'query':
    case 'event-bus':
      return [];
  }
  return verify satisfies never;
}

/** Who gives what to whom. */
function exchange(crm: string, verify: VerifySettings, onBus: boolean): Pick<Card, 'give' | 'get'> {
  const content = secretContent(verify.scheme);
  const isVendors = content !== 'none' && (CRMS[crm]?.vendorIssuesSecret || content.issuedBy === 'vendor');
  return {
    give: [
      ...(isVendors ? ['the secret or key that the CRM shows for this webhook, by a safe way'] : []),
      'which values mean finished, where yours differ',
      'the field that holds the conversation id',
    ],
    get: [
      onBus ? 'the name of the bus and the account' : 'the address above',
      ...(content !== 'none' && !isVendors ? ['the secret that the stack generated, by a safe way'] : []),
      'the result of a test',
    ],
  };
}

async function stateOf(
  name: string,
  { crm }: ConnectionConfiguration,
  deployment: Deployment,
  span: Span,
  parts: Parts,
): Promise<CardState> {
  const { receive, event } = deployment.logGroups;
  const secretName = deployment.secrets.connections[name];
  const [{ lines }, secret] = await Promise.all([
    searchLines({ ...span, groups: [receive, event], texts: [name] }, parts),
    secretName === undefined
      ? undefined
      : secretState({ kind: 'connections', owner: name, name: secretName }, deployment, parts.secretsManager),
  ]);
  const own = lines.filter(({ type, connection }) => type === 'delivery' && connection === name);
  const accepted = own.findLast(({ result }) => result === 'accepted');
  const ignored = own.findLast(({ result }) => result === 'ignored');
  const refused = own.findLast(({ result }) => result === 'refused');
  const title = readGuide(crm).title;
  return {
    secret: secret
      ? {
          filled: secret.filled,
          shape: secret.shape,
          ...(secret.changedAt && { changedAt: secret.changedAt }),
        }
      : 'none',
    ...(accepted && { lastAccepted: accepted.at }),
    ...(ignored && { lastIgnored: { at: ignored.at, reason: reasonOf(ignored) } }),
    ...(refused && {
      lastRefused: {
        at: refused.at,
        code: String(refused.refused),
        sentence: refusalWords(String(refused.refused), title),
      },
    }),
  };
}

function reasonOf({ ignored }: LoggedLine): string {
  const [first] = Array.isArray(ignored) ? ignored : [];
  return first?.reason ?? 'nothing in it asks for a close';
}
