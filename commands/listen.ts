import { Option } from 'commander';
import { DURATION, toMinutes } from '../infra/config/duration.ts';
import type { Deployment } from '../operate/deployment.ts';
import { type Heard, listen, STEPS } from '../operate/listen.ts';
import { why } from '../operate/why/why.ts';
import { type Context, defineCommand } from './command.ts';
import { readKeys } from './keys.ts';
import { wrong } from './selection.ts';

const MINUTE_MS = 60_000;
/** Long enough for any working day. */
const WITHOUT_END_MS = 24 * 60 * MINUTE_MS;
const WEEK_MS = 7 * WITHOUT_END_MS;

export default defineCommand<{ for?: string; once?: boolean }>({
  name: 'listen',
  takes: [['[connection]', 'the connection’s name in connections.json (default: all)']],
  about:
    'Shows every delivery as it comes, the step that it reached and what is missing. On a terminal: d shows the last line, w says why, q ends. With --json each delivery is one line of JSON.',
  examples: ['npx --no chat-closer listen zendesk-support', 'npx --no chat-closer listen'],
  options: [
    new Option('--for <duration>', 'end after this time: 5m, 1h (default: Ctrl-C ends it)'),
    new Option('--once', 'end after the first chat is closed: exit code 0, else 1'),
  ],
  needs: { stack: true },
  async run(context, [name], { for: duration, once = false }) {
    const deployment = await context.deployment();
    const stop = new AbortController();
    const signal = AbortSignal.any([context.signal, stop.signal]);
    let last: Heard | undefined;
    const giveBack = readKeys((key) => {
      if (key === 'q') stop.abort();
      if (last && key === 'd') context.print(JSON.stringify(last.line, undefined, 2));
      if (last && key === 'w') explainWhy(last, context, deployment);
    });
    let isClosed = false;
    try {
      context.print(
        name ? `Now resolve a test ticket. Listening to ${name} …` : 'Listening to every connection …',
      );
      const parts = { ...context, logs: context.aws.logs, signal };
      for await (const heard of listen(name, deployment, timeOf(duration), parts)) {
        last = heard;
        show(heard, context);
        isClosed ||= heard.step === 'closed';
        if (once && isClosed) break;
      }
    } finally {
      giveBack();
    }
    // Each delivery was printed when it came.
    return { json: undefined, text: last || !name ? '' : nothingCame(name), isWell: isClosed || !once };
  },
});

function timeOf(duration: string | undefined): number {
  if (duration === undefined) return WITHOUT_END_MS;
  if (!DURATION.test(duration)) throw wrong(`--for ${duration} is not a duration. Write 5m or 1h.`);
  return toMinutes(duration) * MINUTE_MS;
}

function show({ step, sentence, missing, line }: Heard, { isText, print, style }: Context): void {
  if (!isText) {
    process.stdout.write(`${JSON.stringify({ step, sentence, ...(missing && { missing }), line })}\n`);
    return;
  }
  const reached = `${STEPS.indexOf(step) + 1}/${STEPS.length} ${step}`;
  const mark = missing ? style.bad('✗') : step === 'closed' ? style.good('✓') : '…';
  print(
    `${style.dim(line.at)}  ${mark} ${reached}  ${sentence}${missing ? `\n    What is missing: ${missing}.` : ''}`,
  );
}

/** Not awaited by the caller: listening goes on. */
async function explainWhy({ line }: Heard, context: Context, deployment: Deployment): Promise<void> {
  const id = line.conversation_id ?? line.crm_ref ?? line.request_id;
  const span = { from: context.now() - WEEK_MS, to: context.now() + MINUTE_MS };
  const parts = { ...context, logs: context.aws.logs, secretsManager: context.aws.secretsManager };
  const { chats } = await why(String(id), deployment, span, parts);
  for (const { verdict } of chats)
    context.print(`${verdict.cause}: ${verdict.sentence} ${verdict.next ?? ''}`);
}

function nothingCame(name: string): string {
  return `Nothing came from ${name}. Check in the CRM that the webhook is switched on and has this address: npx --no chat-closer connection ${name}`;
}
