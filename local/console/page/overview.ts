import type { State } from '../view.ts';
import { post } from './api.ts';
import { deliveryList } from './deliveries.ts';
import { clock, fill, h } from './dom.ts';
import { flow } from './flow.ts';
import type { View } from './view.ts';

/** The way of a delivery, what is on it, and the chats at its end. */
export function overview(first: State): View {
  const way = flow(first);
  const list = h('div');
  const chats = h('div');
  const trouble = h('p', { role: 'alert', class: 'trouble' });
  const target = first.connections.find(({ address }) => address)?.name;
  const quick = (kind: string, label: string, isMain = false) =>
    h(
      'button',
      {
        type: 'button',
        class: isMain && 'main',
        disabled: target === undefined,
        click: () => {
          trouble.textContent = '';
          post('/api/send', { connection: target, kind }).catch((error) => {
            trouble.textContent = error.message;
          });
        },
      },
      label,
    );
  const root = h(
    'div',
    {},
    h('h1', {}, 'What happens to a delivery'),
    h(
      'p',
      { class: 'lead' },
      'When a person resolves a ticket, the CRM sends a webhook: a delivery. The adapter verifies it, queues a close, and calls PolyAI until the chat behind the ticket is known to be closed. All of it runs on this machine; a stand-in plays PolyAI.',
    ),
    h(
      'div',
      { class: 'actions' },
      quick('genuine', 'Send a genuine delivery', true),
      quick('forged', 'Send a forged one'),
      h('a', { href: '#/send', class: 'button' }, 'Choose or edit one'),
    ),
    trouble,
    h('div', { class: 'picture' }, way.root, h('div', { class: 'dots' })),
    h(
      'div',
      { class: 'columns' },
      h(
        'section',
        {},
        h('h2', {}, 'Deliveries'),
        h('p', { class: 'hint' }, 'Open one to read its story: why it was accepted, ignored or refused.'),
        list,
      ),
      h('section', {}, h('h2', {}, 'Chats at PolyAI'), chats),
    ),
  );
  const update = (state: State) => {
    way.update(state);
    fill(list, deliveryList(state));
    fill(chats, chatTable(state));
  };
  update(first);
  return { root, update };
}

function chatTable({ chats, weather }: State): HTMLElement {
  if (!weather.polyai)
    return h('p', { class: 'empty' }, 'This run uses a PolyAI of its own, whose chats are not shown.');
  if (chats.length === 0) return h('p', { class: 'empty' }, 'No chat yet.');
  return h(
    'table',
    {},
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['Chat', 'Ticket', 'Began', 'State'].map((each) => h('th', { scope: 'col' }, each)),
      ),
    ),
    h(
      'tbody',
      {},
      chats
        .slice(0, 12)
        .map(({ conversationId, ticket, startedAt, open }) =>
          h(
            'tr',
            {},
            h('td', { class: 'id' }, conversationId),
            h('td', {}, ticket ?? '–'),
            h('td', {}, clock(startedAt)),
            h('td', {}, h('span', { class: `badge ${open ? 'wait' : 'calm'}` }, open ? 'Open' : 'Ended')),
          ),
        ),
    ),
  );
}
