import type { RefusalCode } from '../../functions/refusal.ts';

/** Each refusal in the words of somebody who sees only the CRM: what to look at there. `{page}` is the CRM's title. */
const WORDS: Record<RefusalCode, string> = {
  body_unreadable: 'the body is not in the form that the guide shows: compare it with the body to paste',
  too_many_conversations: 'one delivery named more than 100 conversations: send them in smaller parts',
  signature_missing: 'it had no signature: switch signing on in {page}',
  signature_malformed: 'its signature was not in the form that {page} documents: check the header',
  signature_mismatch:
    'its signature was made with another secret: show the signing secret of this webhook in {page} again, and give it to whoever deployed the adapter. A new or copied webhook has a new one',
  timestamp_missing: 'it had no time of signing: check that {page} signs in the version that the guide names',
  timestamp_malformed: 'its time of signing cannot be read, or two times in it differ',
  timestamp_stale:
    'it was signed more than five minutes before it arrived: {page} repeated an old delivery, or a clock is wrong',
  credential_missing: 'it had no token or password: enter it in {page} where the guide shows',
  credential_mismatch: 'its token or password was another one: enter the one that you were given again',
  token_invalid: 'its token was not issued for this webhook: check audience and address in {page}',
  sender_mismatch: 'it came from another account or organisation than this connection accepts',
  source_not_allowed: 'it came from an IP address that this connection does not accept',
  unknown_connection: 'its address names no connection: correct the end of the address in {page}',
  method_not_allowed: 'it did not come by POST: choose POST in {page}',
  body_too_large: 'its body was larger than 1 MiB: send fewer fields',
  body_compressed: 'its body was compressed: switch compression off in {page}',
  secret_not_ready: 'the adapter has no usable secret yet: ask whoever deployed it to store it',
  secrets_unavailable:
    'the adapter could not read its secret for a moment. {page} sends again, if it repeats failed deliveries',
  queue_unavailable:
    'the adapter could not queue the close for a moment. {page} sends again, if it repeats failed deliveries',
  fault: 'the adapter failed: tell whoever deployed it',
};

/** What a refusal means for the CRM's administrator. @param title the CRM's name */
export function refusalWords(code: string, title: string): string {
  const words = WORDS[code as RefusalCode] ?? `it was refused with ${code}`;
  return words.replaceAll('{page}', title);
}
