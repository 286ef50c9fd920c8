import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { OperatorError } from '../operate/error.ts';
import { requireSendable, type SendOptions, type Sent, send } from '../operate/send.ts';
import { type Context, defineCommand } from './command.ts';
import type { Style } from './style.ts';

type Options = {
  conversation?: string;
  forge?: boolean;
  notFinished?: boolean;
  body?: string;
  yes?: boolean;
};

export default defineCommand<Options>({
  name: 'send',
  takes: [['<connection>', 'the connection’s name in connections.json']],
  about:
    'Sends to the deployed address, signed with the connection’s own secret, and follows the delivery to its outcome. By default it is about a conversation that cannot exist, so no chat is closed: not_found or already_ended is then the right outcome.',
  examples: [
    'npx --no chat-closer send zendesk-support',
    'npx --no chat-closer send zendesk-support --forge',
  ],
  options: [
    new Option('--conversation <id>', 'a real conversation, which is then closed; asks first'),
    new Option('--forge', 'sign with a made-up secret: it must be refused'),
    new Option('--not-finished', 'a ticket that is not finished: it must be ignored'),
    new Option('--body <file>', 'a body of your own; what it names is closed, so it asks first'),
    new Option('-y, --yes', 'do not ask'),
  ],
  needs: { stack: true },
  async run(context, [name = ''], { conversation, body, yes, ...flags }) {
    const deployment = await context.deployment();
    requireSendable(name, deployment);
    const isReal = (conversation !== undefined || body !== undefined) && !flags.forge;
    if (!isReal) context.print(context.style.dim('The conversation cannot exist: no chat is closed.'));
    if (isReal && !yes && !(await context.ask(question(conversation)))) {
      return { json: { asked: true }, text: 'Nothing was sent.', isWell: false };
    }
    const options: SendOptions = {
      ...flags,
      ...(conversation && { conversationId: conversation }),
      ...(body && { body: readBody(body) }),
    };
    const sent = await send(name, options, deployment, partsOf(context));
    return { json: toJson(sent), text: toText(sent, options, context.style), isWell: sent.isExpected };
  },
});

function partsOf({ aws, now, progress, signal, sleep }: Context) {
  return { logs: aws.logs, secretsManager: aws.secretsManager, now, progress, signal, sleep };
}

function question(conversation: string | undefined): string {
  return `This closes a real chat${conversation ? `, ${conversation}` : ', if the body names one'}: if a customer is in it, it ends for them. Send it?`;
}

function readBody(file: string): string {
  const path = resolve(process.env.INIT_CWD ?? process.cwd(), file);
  if (!existsSync(path)) throw new OperatorError(`There is no file ${file} (looked for ${path}).`, 2);
  return readFileSync(path, 'utf8');
}

function toJson({ requestId, status, answer, conversationId, outcome }: Sent) {
  return { ...(requestId && { requestId }), status, answer, conversationId, ...(outcome && { outcome }) };
}

function toText(sent: Sent, { forge, notFinished }: SendOptions, style: Style): string {
  const { status, answer, conversationId, delivery, outcome, isExpected } = sent;
  const expected = forge ? 'refused' : notFinished ? 'ignored' : 'accepted';
  const came = delivery?.refused ?? delivery?.result ?? 'no line of it was logged yet';
  return [
    `Conversation: ${conversationId}`,
    `Answer: ${status} ${typeof answer === 'string' ? answer.slice(0, 200) : JSON.stringify(answer)}`,
    `The adapter: ${came}${outcome ? `. Outcome: ${outcome}` : ''}`,
    isExpected
      ? style.good(`As expected: it was ${expected}.`)
      : style.bad(
          `Not as expected: it should have been ${expected}. npx --no chat-closer why ${conversationId}`,
        ),
  ].join('\n');
}
