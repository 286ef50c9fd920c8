// What redrive and replay say, in one place, so that both say the same.

/** Says what may happen, or what was left out because of it. */
export function lookUpsText(number: number, oldest: string, lateLookUp: boolean): string {
  const risk =
    'A shared id is a ticket’s: looked up now, it gives the conversation that the ticket has now. If the ticket was reopened meanwhile and has a newer chat, that one is closed, with its customer in it.';
  return lateLookUp
    ? `${count(number, 'look-up')} of shared ids among them, the oldest ${oldest} old. ${risk}`
    : `${count(number, 'look-up')} of shared ids left out. ${risk} To do it all the same: --late-look-up.`;
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

export const NONE = 'There are no dead letters.';

/** @param isMore whether some are shown besides */
export function heldText(held: number, isMore: boolean): string {
  return `About ${held}${isMore ? ' more' : ''} ${held === 1 ? 'is' : 'are'} held by another command, or by one that was killed: they come back within ten minutes.`;
}

/** Says which of the named projects nothing was found of, as a name may be misspelt. @returns whether there is none */
export function sayUnknownProjects(
  what: string,
  named: readonly string[],
  known: readonly string[],
  say: (text: string) => void,
): boolean {
  const unknown = named.filter((name) => !known.includes(name));
  if (unknown.length === 0) return true;
  const names = (list: readonly string[]) => list.map((name) => JSON.stringify(name)).join(', ');
  say(`There is no ${what} of ${names(unknown)}. Here: ${names(known) || 'none of any project'}.`);
  return false;
}

/** @returns a line of shell that shows the outcomes as they come */
export function tailCommand(logGroupName: string, filterPattern: string): string {
  return `aws logs tail ${logGroupName} --since 10m --follow --filter-pattern '${filterPattern}'`;
}

/** What became of the dead letters of a redrive; those in none of these were not confirmed. */
export type Tally = { tried: number; moved: number; notSent: number; notRemoved: number; lapsed: number };

/** @param all how many were to be moved */
export function summary({ tried, moved, notSent, notRemoved, lapsed }: Tally, all: number): string {
  const unconfirmed = tried - moved - notSent - lapsed;
  const untried = all - tried;
  return [
    `Moved ${moved} of ${all}.${moved > 0 ? ' Their back-off begins again.' : ''}`,
    notRemoved > 0 &&
      `${notRemoved} of them may still be dead letters as well, which is harmless: a second close finds that the chat is over.`,
    notSent > 0 && `${notSent} were not taken by the close queue and are dead letters as before.`,
    lapsed > 0 && `${lapsed} could not be held and are dead letters as before: run it again.`,
    unconfirmed > 0 && `${unconfirmed} were not confirmed and are dead letters as before.`,
    untried > 0 &&
      `Stopped: ${untried} were not tried and are dead letters as before. Run it again for them.`,
  ]
    .filter(Boolean)
    .join('\n');
}
