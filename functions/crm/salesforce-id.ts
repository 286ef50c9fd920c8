const SHORT = /^\s*([A-Za-z0-9]{15})\s*$/;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/**
 * A Salesforce id in the form of Salesforce's APIs, 18 characters: the 15 of the short form, and for each five
 * of them one that says which are capitals. An agent has the id of a case from an API, while a flow's formula
 * or an old address gives the short form.
 *
 * @returns what is not 15 letters and digits unchanged
 * @see https://help.salesforce.com/s/articleView?id=000385585
 */
export function toLongId(id: unknown): unknown {
  const short = typeof id === 'string' ? SHORT.exec(id)?.[1] : undefined;
  return short ? short + [0, 5, 10].map((at) => checkCharacter(short.slice(at, at + 5))).join('') : id;
}

/** Bit n is set where the n-th of five characters is a capital. */
function checkCharacter(five: string): string {
  const bits = [...five].map((character, index) => (/[A-Z]/.test(character) ? 1 << index : 0));
  return LETTERS[bits.reduce((sum, bit) => sum + bit, 0)] ?? '';
}
