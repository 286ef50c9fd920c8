import { isOnBus } from '../infra/config/bus.ts';
import type { Configuration, ConnectionConfiguration } from '../infra/config/load.ts';
import { needsSecret } from '../infra/config/preset.ts';
import { curlLine, firstValues, type Sample, sampleDelivery } from '../samples/sample-delivery.ts';
import { signingLine } from '../samples/signing-line.ts';
import { LocalRunError } from './isolation.ts';
import type { LocalStack } from './local-stack.ts';

/** A delivery that closes an open chat. */
export type Example = Sample & { name: string; conversationId: string };

/** Opens a chat of a project. @returns its conversation id */
export type OpenChat = (project: string) => string;

/** The parts of a local stack that are needed to send to a connection. */
type Addressed = Pick<LocalStack, 'configuration' | 'readSecret' | 'secretId' | 'webhookUrl' | 'signedUrl'>;

/**
 * Schemes whose delivery stays valid and needs no computing, so a plain curl line does. Twilio's samples are forms,
 * which are signed field by field: no line of shell computes that.
 */
const TIMELESS = ['bearer', 'header', 'query', 'basic', 'twilio'];

/** @throws {LocalRunError} when the configuration has no such connection, or it has no address */
export function requireHttpConnection(configuration: Configuration, name: string): void {
  const known = httpConnections(configuration).map(([each]) => each);
  if (known.includes(name)) return;
  const problem = Object.hasOwn(configuration.connections, name)
    ? 'is on an event bus and has no address. Put an event on its bus instead'
    : 'is not in this configuration';
  throw new LocalRunError(
    `--connection ${name}: that connection ${problem}. Connections with an address: ${known.join(', ') || 'none'}.`,
  );
}

/**
 * The connections with an address. Zendesk's come first, because the documentation shows them, and those in rehearsal
 * last, because they close nothing.
 */
export function httpConnections({ connections }: Configuration): [string, ConnectionConfiguration][] {
  const rank = ({ crm, rehearse }: ConnectionConfiguration) => (rehearse ? 2 : Number(crm !== 'zendesk'));
  return Object.entries(connections)
    .filter(([, { crm }]) => !isOnBus(crm))
    .sort(([, one], [, other]) => rank(one) - rank(other));
}

/**
 * Makes a delivery for the wanted connection, or for the first connection for which that is possible.
 *
 * @returns `undefined` when none can be made
 */
export async function chooseExample(
  local: Addressed,
  wanted: string | undefined,
  openChat: OpenChat,
): Promise<Example | undefined> {
  const candidates = httpConnections(local.configuration).filter(([name]) => !wanted || name === wanted);
  for (const [name, connection] of candidates) {
    const conversationId = openChat(connection.polyai);
    const sample = sampleDelivery(
      addressesOf(local, name),
      connection,
      await secretOf(local, name),
      conversationId,
    );
    if (sample) return { ...sample, name, conversationId };
  }
  return undefined;
}

/**
 * Describes how to send your own deliveries to a connection: its address, its local secret, and a line of shell that
 * signs and sends.
 *
 * @param shareId stores a shared id with a chat and returns it; only when PolyAI is the stand-in
 */
export async function describeConnection(
  local: Addressed,
  name: string,
  openChat: OpenChat,
  shareId?: (conversationId: string) => string,
): Promise<string[]> {
  const connection = local.configuration.connections[name] as ConnectionConfiguration;
  const url = addressesOf(local, name);
  const secret = await secretOf(local, name);
  const conversationId = openChat(connection.polyai);
  const sample = sampleDelivery(url, connection, secret, conversationId);
  return [
    url.reachable,
    ...(needsSecret(connection.verify) ? [`secret: ${JSON.stringify(secret)}`] : []),
    ...(sample ? [] : [withoutExample(connection, conversationId, shareId)]),
    lineFor(connection, url, secret, sample),
  ];
}

function lineFor(
  connection: ConnectionConfiguration,
  url: { reachable: string; signed: string },
  secret: Record<string, string>,
  sample: Sample | undefined,
): string {
  const { verify, crm } = connection;
  if (sample && TIMELESS.includes(verify.scheme)) return curlLine(sample);
  const { headers, query } = sample?.own ?? { headers: {}, query: '' };
  const address = query ? { reachable: `${url.reachable}?${query}`, signed: `${url.signed}?${query}` } : url;
  const body = sample?.body ?? '{}';
  return (
    signingLine(verify, { url: address, secret: firstValues(secret), body, headers }) ??
    `Cannot sign a line: ${crm} signs with its own key. Set jwksUrl to a key set of yours on this machine.`
  );
}

function withoutExample(
  { lookUp }: ConnectionConfiguration,
  conversationId: string,
  shareId: ((conversationId: string) => string) | undefined,
): string {
  const chat =
    lookUp && shareId
      ? `The chat ${conversationId} is open and has the shared id ${shareId(conversationId)}.`
      : `The chat ${conversationId} is open.`;
  return `Cannot make an example for these settings. Write the body that your sender sends between the quotes after BODY. ${chat}`;
}

function addressesOf(local: Addressed, name: string): { reachable: string; signed: string } {
  return { reachable: local.webhookUrl(name), signed: local.signedUrl(name) };
}

async function secretOf(local: Addressed, name: string): Promise<Record<string, string>> {
  const { verify } = local.configuration.connections[name] as ConnectionConfiguration;
  return needsSecret(verify) ? local.readSecret(local.secretId('connections', name)) : {};
}
