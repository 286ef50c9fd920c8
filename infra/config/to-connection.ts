import type { Connection } from '../../functions/connections.ts';
import type { ConnectionConfiguration } from './load.ts';

type Settings = Omit<ConnectionConfiguration, 'crm' | 'polyai' | 'verify'>;

/**
 * Every other setting, and whether the functions get it: those that `Connection` has, and no others. The rest is
 * for synth only.
 */
const IS_EMBEDDED = {
  conversationId: true,
  finishedWhen: true,
  finishedValues: true,
  lookUp: true,
  repeatedFinish: true,
  sharedId: true,
  format: true,
  publicUrl: true,
  allowedSources: true,
  rehearse: true,
  field: true,
  sender: true,
  dataCentre: false,
  audience: false,
  jwksUrl: false,
  bus: false,
  source: false,
  eventPattern: false,
  silentAfter: false,
  existingSecret: false,
  existingSecretKey: false,
} satisfies { [Key in keyof Required<Settings>]: IsEmbedded<Key> };

/** `never`, which no row satisfies, if the functions have the setting with another type. */
type IsEmbedded<Key extends keyof Settings> = Key extends keyof Connection
  ? Required<Settings>[Key] extends Connection[Key]
    ? true
    : never
  : false;

/**
 * A connection of the configuration as the functions have it. It picks what they need, so that nothing else gets
 * into a bundle.
 *
 * @param secretId name or ARN of its secret; absent where its scheme needs none
 */
export function toConnection(
  { crm, polyai, verify, ...settings }: ConnectionConfiguration,
  secretId?: string,
): Connection {
  return {
    crm,
    project: polyai,
    ...(secretId && { secretId }),
    verify,
    ...Object.fromEntries(Object.entries(settings).filter(([key]) => isEmbedded(key))),
  };
}

function isEmbedded(key: string): boolean {
  return Object.hasOwn(IS_EMBEDDED, key) && IS_EMBEDDED[key as keyof Settings];
}
