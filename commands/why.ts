import { Option } from 'commander';
import type { LoggedLine } from '../operate/lines.ts';
import { askPolyAI, type PolyAIView } from '../operate/why/ask-polyai.ts';
import { OVER } from '../operate/why/causes.ts';
import { type JudgedChat, type Why, why } from '../operate/why/why.ts';
import { type Context, defineCommand } from './command.ts';
import type { Style } from './style.ts';

export default defineCommand<{ askPolyai?: boolean }>({
  name: 'why',
  takes: [
    [
      '<id>',
      'conversation, ticket, shared id, delivery id, request id, PolyAI’s correlation id, or an address of Agent Studio',
    ],
  ],
  about: 'First the verdict, then the time line. docs/why.md explains every cause.',
  examples: [
    'npx --no chat-closer why CONV-1234567890',
    'npx --no chat-closer why 35436 --since 30d --ask-polyai',
  ],
  options: [
    new Option('--ask-polyai', 'also compare with PolyAI’s own list of open chats, which lags behind'),
  ],
  needs: { stack: true, span: '7d' },
  async run(context, [id = ''], { askPolyai }) {
    const deployment = await context.deployment();
    const parts = partsOf(context);
    const found = await why(id, deployment, context.span, parts);
    const views = askPolyai ? await askPolyAI(found, deployment, context.span, parts) : new Map();
    return {
      json: toJson(found, views),
      text: toText(found, views, context.style),
      isWell: found.chats.every(({ verdict }) => OVER.includes(verdict.cause)),
    };
  },
});

function partsOf({ aws, now, progress, signal, sleep }: Context) {
  return { logs: aws.logs, secretsManager: aws.secretsManager, now, progress, signal, sleep };
}

function toJson({ isComplete, chats, ...found }: Why, views: Map<JudgedChat, PolyAIView>) {
  const withView = (chat: JudgedChat) => {
    const polyai = views.get(chat);
    return { ...chat, ...(polyai && { polyai }) };
  };
  return { ...found, ...(!isComplete && { complete: false }), chats: chats.map(withView) };
}

function toText({ id, isComplete, chats }: Why, views: Map<JudgedChat, PolyAIView>, style: Style): string {
  const blocks = chats.map((chat) => chatText(id, chat, views.get(chat), style));
  const limit = isComplete
    ? []
    : [
        style.warning(
          'Not all lines were read: there are too many. Shorten the time with --since and --until.',
        ),
      ];
  return [...(chats.length > 1 ? [`${id} leads to ${chats.length} chats.`] : []), ...blocks, ...limit].join(
    '\n\n',
  );
}

function chatText(id: string, chat: JudgedChat, view: PolyAIView | undefined, style: Style): string {
  const { conversationId, sharedId, crmRef, verdict, timeline } = chat;
  const names = [
    conversationId && `conversation ${conversationId}`,
    sharedId && `shared id ${sharedId}`,
    crmRef && `ticket ${crmRef}`,
  ].filter(Boolean);
  const colour = OVER.includes(verdict.cause) ? style.good : verdict.final ? style.bad : style.warning;
  return [
    style.bold(names.join(', ') || id),
    `${colour(verdict.cause)}  ${verdict.sentence}`,
    ...(view ? [view.sentence] : []),
    ...(verdict.next ? [`What to do: ${verdict.next}`] : []),
    style.dim(`About this cause: docs/why.md#${verdict.cause}`),
    ...(timeline.length > 0 ? ['', ...timeline.map(lineText)] : []),
  ].join('\n');
}

/** One line of the time line: when, what, and what came of it. */
function lineText(line: LoggedLine): string {
  const { at, type, connection, project, source, result, outcome, refused, reason, ignored, request_id } =
    line;
  const who = connection ?? source ?? project ?? '';
  const came =
    type === 'close' ? `${outcome}${reason ? `: ${reason}` : ''}` : (refused ?? result ?? outcome ?? '');
  const reasons = Array.isArray(ignored) ? ignored.map((part) => part.reason).join(', ') : '';
  const next = line.next_try_in_s === undefined ? '' : `, again in ${line.next_try_in_s} s`;
  return `  ${at}  ${type}  ${who}  ${came}${reasons && ` (${reasons})`}${next}  ${request_id ?? ''}`.trimEnd();
}
