import type { VerifySettings } from '../../functions/schemes/scheme.ts';

type Scheme = VerifySettings['scheme'];

/** The parts of a delivery that a webhook's selectors see. */
export const PARTS = ['body', 'headers', 'query'] as const;
export type Part = (typeof PARTS)[number];

/**
 * The parts of a delivery that a scheme's signature covers. A token covers nothing, so a selector may read any part.
 * Signed timestamp and id headers do not count: they hold neither an id nor a status of a conversation.
 */
const COVERED = {
  hmac: ['body'],
  rsa: ['body'],
  'standard-webhooks': ['body'],
  hubspot: ['body', 'query'],
  twilio: ['body', 'query'],
  bearer: 'nothing',
  header: 'nothing',
  query: 'nothing',
  basic: 'nothing',
  jwt: 'nothing',
  'event-bus': 'nothing',
} satisfies Record<Scheme, readonly Part[] | 'nothing'>;

/**
 * The parts that anybody who has seen one signed delivery can change unnoticed.
 *
 * @returns none for a scheme that signs nothing: the CRM's page says that a token proves only the sender
 */
export function uncoveredParts(scheme: Scheme): Part[] {
  const covered: readonly string[] | 'nothing' = COVERED[scheme];
  return covered === 'nothing' ? [] : PARTS.filter((part) => !covered.includes(part));
}
