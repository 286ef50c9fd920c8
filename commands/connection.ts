import { Option } from 'commander';
import { connectionCard } from '../operate/card/card.ts';
import { cardHtml, cardText } from './card-text.ts';
import { defineCommand } from './command.ts';

export default defineCommand<{ html?: boolean }>({
  name: 'connection',
  takes: [['<name>', 'the connection’s name in connections.json']],
  about:
    'Everything that the CRM’s administrator needs on one card, and how the connection is doing. It has no secret.',
  examples: [
    'npx --no chat-closer connection zendesk-support',
    'npx --no chat-closer connection zendesk-support --html > card.html',
  ],
  options: [new Option('--html', 'print one HTML file, to send by mail')],
  needs: { stack: true, span: '7d' },
  async run(context, [name = ''], { html }) {
    const { aws, progress, signal, span, style } = context;
    const parts = { logs: aws.logs, secretsManager: aws.secretsManager, progress, signal };
    const card = await connectionCard(name, await context.deployment(), span, parts);
    return { json: card, text: html ? cardHtml(card).trimEnd() : cardText(card, style), isWell: true };
  },
});
