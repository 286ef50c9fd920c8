const SHORT = /^\s*([A-Za-z0-9]{15})\s*$/;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/**
 * Turns a Salesforce id into the long form of Salesforce's APIs: the 15 characters of the short form, and three more
 * that each say which of five characters are capitals. An agent gets the id of a case from an API, while a flow's
 * formula or an old address has the short form.
 *
 * @param id a short id; white space around it is ignored
 * @returns 18 characters; any other value than 15 letters and digits is returned unchanged
 * @see https://help.salesforce.com/s/articleView?id=000385585
 */
export function toLongId(id: unknown): unknown {
  const short = typeof id === 'string' ? SHORT.exec(id)?.[1] : undefined;
  return short ? short + [0, 5, 10].map((at) => checkCharacter(short.slice(at, at + 5))).join('') : id;
}

/** The character for five others: bit n of its position is set if the n-th of them is a capital. */
function checkCharacter(five: string): string {
  const bits = [...five].map((character, index) => (/[A-Z]/.test(character) ? 1 << index : 0));
  return LETTERS[bits.reduce((sum, bit) => sum + bit, 0)] ?? '';
}
