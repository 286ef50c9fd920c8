import type { Card } from '../../../operate/card/card.ts';
import type { Explanation } from '../../../operate/explain/explain.ts';
import type { State } from '../view.ts';
import { get, post } from './api.ts';
import { code, copyButton, fill, h } from './dom.ts';
import { steps } from './story.ts';
import type { View } from './view.ts';
import { words } from './words.ts';

/** What each connection needs and how it is doing, and what it would do with a pasted delivery. */
export function connections({ connections: all }: State, wanted: string): View {
  const name = all.find((each) => each.name === wanted)?.name ?? all[0]?.name ?? '';
  // A host name of the emulator's API is not known to this machine. This address leads to the same API.
  const reachable = all.find((each) => each.name === name)?.address;
  const card = h('div', {}, h('p', { class: 'hint' }, 'Reading …'));
  get<Card>(`/api/card?connection=${encodeURIComponent(name)}`)
    .then((found) => fill(card, cardOf({ ...found, ...(reachable && { address: reachable }) })))
    .catch((error) => fill(card, h('p', { class: 'trouble' }, error.message)));
  return {
    root: h(
      'div',
      {},
      h('h1', {}, 'Connections'),
      h(
        'p',
        { class: 'lead' },
        'A connection is one webhook of one CRM. Its card has what the CRM’s administrator needs.',
      ),
      h(
        'nav',
        { 'aria-label': 'Connections', class: 'tabs' },
        all.map((each) =>
          h(
            'a',
            {
              id: `tab-${each.name}`,
              href: `#/connections/${each.name}`,
              'aria-current': each.name === name && 'page',
            },
            `${each.name} (${each.title})`,
          ),
        ),
      ),
      h(
        'div',
        { class: 'columns' },
        h('section', {}, h('h2', {}, 'Card'), card),
        h('section', {}, h('h2', {}, 'Explain a delivery'), explainer(name)),
      ),
    ),
  };
}

function cardOf(card: Card): HTMLElement {
  const { secret, lastAccepted, lastIgnored, lastRefused } = card.state;
  const rows: [string, string | undefined][] = [
    ['CRM', card.title],
    ['Project', card.project],
    ['Address', card.address],
    ['Bus', card.bus],
    ['Proof', card.proof],
    ['Headers', card.headers.join(', ')],
    ['The conversation id is in', card.idField],
    ['Finished means', card.finished],
    [
      'Secret',
      secret === 'none'
        ? 'needs none'
        : secret.filled
          ? `filled, ${secret.shape === 'ok' ? 'of the right form' : secret.shape}`
          : 'empty',
    ],
    ['Last accepted', lastAccepted ?? 'never'],
    ['Last ignored', lastIgnored && `${lastIgnored.at}: ${words(lastIgnored.reason)}`],
    ['Last refused', lastRefused && `${lastRefused.at}: ${lastRefused.sentence}`],
    ['Guide', card.guide],
  ];
  return h(
    'div',
    {},
    h(
      'dl',
      {},
      rows.flatMap(([term, value]) => (value ? [h('dt', {}, term), h('dd', {}, value)] : [])),
    ),
    card.address ? copyButton(card.address, 'Copy the address') : h('span'),
    card.body
      ? h(
          'details',
          { id: 'template' },
          h('summary', {}, 'The body to paste into the CRM'),
          copyButton(card.body, 'Copy the body'),
          code(card.body, 'Body'),
        )
      : h('span'),
  );
}

function explainer(connection: string): HTMLElement {
  const text = h('textarea', {
    id: 'capture',
    rows: 12,
    spellcheck: 'false',
    'aria-describedby': 'capture-hint',
  });
  const result = h('div', { id: 'explained', 'aria-live': 'polite' });
  const go = async () => {
    try {
      fill(
        result,
        explained(connection, await post<Explanation>('/api/explain', { connection, text: text.value })),
      );
    } catch (error) {
      fill(result, h('p', { class: 'trouble' }, (error as Error).message));
    }
  };
  return h(
    'form',
    {
      submit: (event) => {
        event.preventDefault();
        void go();
      },
    },
    h('label', { for: 'capture' }, 'A captured delivery'),
    h(
      'p',
      { class: 'hint', id: 'capture-hint' },
      'Paste its body alone; or its headers, an empty line and its body. Nothing leaves this machine.',
    ),
    text,
    h('div', { class: 'actions' }, h('button', { type: 'submit', class: 'main' }, 'Explain')),
    result,
  );
}

const WOULD = {
  close: ['good', 'close the chat'],
  ignore: ['calm', 'ignore it'],
  refuse: ['bad', 'refuse it'],
} as const;

function explained(name: string, { would, verified, steps: all, proposal }: Explanation): HTMLElement[] {
  const [look, words] = WOULD[would];
  const line = proposal && `"conversationId": ${JSON.stringify(proposal.conversationId)}`;
  return [
    h(
      'p',
      { class: `badge ${look}` },
      `${name} would ${words}${verified === null ? ', if it is verified' : ''}.`,
    ),
    steps(
      all.map(({ step, ok, sentence }) => ({
        step,
        mark: ok === null ? 'unknown' : ok ? 'ok' : 'bad',
        sentence,
      })),
    ),
    ...(line
      ? [
          h(
            'section',
            { class: 'verdict wait', 'aria-label': 'Proposal' },
            h(
              'p',
              {},
              'A value that looks like a conversation id is at another place. Put this into the connection:',
            ),
            code(line, 'Proposed selector'),
            copyButton(line, 'Copy'),
          ),
        ]
      : []),
  ];
}
