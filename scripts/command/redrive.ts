import { OUTCOMES } from '../../functions/close/outcome.ts';
import { NO_OUTCOME } from '../../operate/dead-letter.ts';
import type { RedriveOptions } from '../../operate/redrive.ts';
import type { Command } from './options.ts';
import { readSelection, SELECTION } from './selection.ts';

export const REDRIVE: Command<typeof SELECTION, RedriveOptions> = {
  name: 'redrive',
  usage: `npm run redrive -- [--stack NAME] [--outcome OUTCOME] [--project NAME] [--since 6h]
                   [--dry-run] [--list] [--yes] [--rate N] [--late-look-up]

Shows the dead letters, and moves the selected ones back onto the close queue.

  --stack          name of the stack (default: polyai-chat-closer)
  --outcome        only this outcome; may be given several times. none: moved by SQS, without an outcome
  --project        only this project; may be given several times
  --since          only dead letters of the last 30m, 6h, 2d
  --dry-run        show them, move nothing
  --list           show one line each, move nothing: time, connection, ticket, conversation, outcome
  --yes            move more than 100 without asking
  --rate           maximum moves a second (default: 50)
  --late-look-up   include shared ids that were never resolved; a newer chat may be closed instead

Uses AWS_PROFILE and AWS_REGION. Exit codes: 0 done, 1 not everything was moved or a named project has no
dead letter, 2 usage error, 130 stopped with Ctrl-C.
`,
  flags: SELECTION,
  read: (values) => readSelection(values, [...Object.keys(OUTCOMES), NO_OUTCOME]),
};
