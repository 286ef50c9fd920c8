import { OUTCOMES } from '../../functions/close/outcome.ts';
import type { ReplayOptions } from '../../operate/replay.ts';
import type { Command } from './options.ts';
import { readSelection, SELECTION } from './selection.ts';

/** A closed chat stays closed, and the close of a resolved shared id has its own lines. */
const NOT_REPLAYED = ['closed', 'resolved'];

export const REPLAY: Command<typeof SELECTION, ReplayOptions> = {
  name: 'replay',
  usage: `npm run replay -- --outcome OUTCOME --since 6h [--stack NAME] [--project NAME]
                  [--dry-run] [--list] [--yes] [--rate N] [--late-look-up]

Queues closes again from the outcome log: each conversation whose last outcome is the given one, once. A
conversation with another outcome since, such as closed, is left out. For dead letters, use redrive.

  --outcome        last outcome, such as not_found; may be given several times
  --since          how far back to look: 30m, 6h, 2d
  --stack          name of the stack (default: polyai-chat-closer)
  --project        only this project; may be given several times
  --dry-run        show them, queue nothing
  --list           show one line each, queue nothing: time, connection, ticket, conversation, outcome
  --yes            queue more than 100 without asking
  --rate           maximum closes a second (default: 50)
  --late-look-up   include shared ids that were never resolved; a newer chat may be closed instead

Uses AWS_PROFILE and AWS_REGION. Exit codes: 0 done, 1 not everything was queued or a named project has no
such close, 2 usage error, 130 stopped with Ctrl-C.
`,
  flags: SELECTION,
  read(values) {
    const outcomes = Object.keys(OUTCOMES).filter((outcome) => !NOT_REPLAYED.includes(outcome));
    const { sinceMs, ...selection } = readSelection(values, outcomes);
    if (selection.outcomes.length === 0) throw new Error('--outcome is required.');
    if (sinceMs === undefined) throw new Error('--since is required.');
    return { ...selection, sinceMs };
  },
};
