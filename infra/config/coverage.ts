import type { VerifySettings } from '../../functions/schemes/scheme.ts';

type Scheme = VerifySettings['scheme'];

/** What a webhook's selectors see. */
export const PARTS = ['body', 'headers', 'query'] as const;
export type Part = (typeof PARTS)[number];

/**
 * The parts of a delivery that a scheme's signature covers. A token covers no part, so none is better than
 * another. The signed timestamp and id headers do not count: neither is an id or a status of a conversation.
 */
const COVERED = {
  hmac: ['body'],
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
 * The parts that whoever has seen one signed delivery can change unnoticed.
 *
 * @returns none for a scheme that signs nothing: its page says that a token proves only who sends
 */
export function uncoveredParts(scheme: Scheme): Part[] {
  const covered: readonly string[] | 'nothing' = COVERED[scheme];
  return covered === 'nothing' ? [] : PARTS.filter((part) => !covered.includes(part));
}
