import { Option } from 'commander';
import { checkClose, closeOne } from '../operate/close-one.ts';
import { defineCommand } from './command.ts';

const WELL = ['closed', 'already_ended'];

export default defineCommand<{ yes?: boolean }>({
  name: 'close',
  takes: [
    ['<project>', 'the project’s name in connections.json'],
    ['<id>', 'the conversation’s id, or its address in Agent Studio'],
  ],
  about: 'Asks first, because the customer’s chat ends. The close takes the usual way: queue, retries, log.',
  examples: ['npx --no chat-closer close support CONV-1234567890'],
  options: [new Option('-y, --yes', 'do not ask')],
  needs: { stack: true },
  async run(context, [project = '', id = ''], { yes }) {
    const deployment = await context.deployment();
    const conversationId = checkClose(project, id, deployment);
    const question = `Close ${conversationId} of ${project}? If a customer is in this chat, it ends for them.`;
    if (!yes && !(await context.ask(question))) {
      return { json: { conversationId, asked: true }, text: 'Nothing was queued.', isWell: false };
    }
    const { logs, sqs } = context.aws;
    const { requestId, line } = await closeOne(project, id, deployment, { ...context, logs, sqs });
    const outcome = line?.outcome;
    const reason = line?.reason ? `: ${line.reason}` : '';
    const text = line
      ? `${conversationId}: ${outcome}${reason}${line.final ? '' : `. It is tried again in ${line.next_try_in_s} s.`}`
      : `${conversationId} is queued. Its outcome did not come within a minute: npx --no chat-closer why ${conversationId}`;
    return {
      json: { requestId, conversationId, ...(line && { outcome, final: line.final }) },
      text,
      isWell: WELL.includes(String(outcome)),
    };
  },
});
