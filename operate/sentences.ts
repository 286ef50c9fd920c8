// Messages of redrive and replay, in one place so that both commands use the same words.

/**
 * Warns about look-ups, or says why they were left out.
 *
 * @param oldest the age of the oldest one, from `ageOf`
 */
export function lookUpsText(number: number, oldest: string, lateLookUp: boolean): string {
  const risk =
    'A shared id belongs to a ticket. A look-up made now finds the conversation that the ticket has now. If the ticket was reopened and has a newer chat, that chat is closed while its customer may still be in it.';
  return lateLookUp
    ? `Included: ${count(number, 'look-up')} of shared ids, the oldest ${oldest} old. ${risk}`
    : `${count(number, 'look-up')} of shared ids left out. ${risk} To include them: --late-look-up.`;
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

export const NONE = 'There are no dead letters.';

/** @param isMore whether some are shown besides */
export function heldText(held: number, isMore: boolean): string {
  return `About ${held}${isMore ? ' more' : ''} ${held === 1 ? 'is' : 'are'} held by another command, or by one that was killed: they come back within ten minutes.`;
}

/**
 * Prints the named projects of which nothing was found: a name may be misspelled.
 *
 * @param what what was not found, in the singular
 * @param known the projects of which something was found
 * @returns whether every named project is known
 */
export function checkProjects(
  what: string,
  named: readonly string[],
  known: readonly string[],
  print: (text: string) => void,
): boolean {
  const unknown = named.filter((name) => !known.includes(name));
  if (unknown.length === 0) return true;
  const names = (list: readonly string[]) => list.map((name) => JSON.stringify(name)).join(', ');
  print(`There is no ${what} of ${names(unknown)}. Projects here: ${names(known) || 'none'}.`);
  return false;
}

/** @returns a line of shell that shows the outcomes as they come */
export function tailCommand(logGroupName: string, filterPattern: string): string {
  return `aws logs tail ${logGroupName} --since 10m --follow --filter-pattern '${filterPattern}'`;
}

/** Counts of a redrive. A message in none of the last four was sent without a confirmation. */
export type Tally = { tried: number; moved: number; notSent: number; notRemoved: number; lapsed: number };

/** @param all how many messages were to be moved */
export function summary({ tried, moved, notSent, notRemoved, lapsed }: Tally, all: number): string {
  const unconfirmed = tried - moved - notSent - lapsed;
  const untried = all - tried;
  return [
    `Moved ${moved} of ${all}.${moved > 0 ? ' Their back-off begins again.' : ''}`,
    notRemoved > 0 &&
      `${notRemoved} of them may also still be dead letters. This is harmless: a second close finds that the chat is over.`,
    notSent > 0 && `${notSent} were not accepted by the close queue and are still dead letters.`,
    lapsed > 0 && `${lapsed} could not be held and are still dead letters: run it again.`,
    unconfirmed > 0 && `${unconfirmed} were not confirmed and are still dead letters.`,
    untried > 0 && `Stopped: ${untried} were not tried and are still dead letters. Run it again for them.`,
  ]
    .filter(Boolean)
    .join('\n');
}
