import type { Draft, State } from '../view.ts';
import { post } from './api.ts';
import { h, pretty } from './dom.ts';
import type { View } from './view.ts';
import { KINDS } from './words.ts';

const SENT = ['genuine', 'forged', 'not_finished', 'without_id'] as const;

/** Choose a connection and a kind of delivery, look at its body or change it, and send it. */
export function send({ connections }: State, wanted: string): View {
  const names = connections.filter(({ address }) => address);
  const connection = h(
    'select',
    { id: 'connection-name', change: load },
    names.map(({ name, title }) =>
      h('option', { value: name, selected: name === wanted }, `${name} (${title})`),
    ),
  );
  const body = h('textarea', { id: 'body', rows: 14, spellcheck: 'false', 'aria-describedby': 'body-hint' });
  const keep = h('input', { type: 'checkbox', id: 'keep' });
  const said = h('p', { role: 'alert', class: 'trouble' });
  const button = h('button', { type: 'submit', class: 'main' }, 'Send');
  let draft: Draft | undefined;
  let asked = 0;

  const kind = () => new FormData(form).get('kind') as (typeof SENT)[number];
  const form: HTMLFormElement = h(
    'form',
    {
      submit: (event) => {
        event.preventDefault();
        void go();
      },
    },
    h('label', { for: 'connection-name' }, 'Connection'),
    connection,
    h(
      'fieldset',
      {},
      h('legend', {}, 'Delivery'),
      SENT.map((each) =>
        h(
          'label',
          { class: 'choice' },
          h('input', { type: 'radio', name: 'kind', value: each, checked: each === 'genuine', change: load }),
          h('span', {}, h('strong', {}, KINDS[each].name), h('span', { class: 'hint' }, KINDS[each].about)),
        ),
      ),
    ),
    h('label', { for: 'body' }, 'Body'),
    h(
      'p',
      { class: 'hint', id: 'body-hint' },
      'Made from the CRM’s own payload. Change it if you like: a changed body is signed again before it is sent.',
    ),
    body,
    h(
      'label',
      { class: 'choice' },
      keep,
      h(
        'span',
        {},
        h('strong', {}, 'Do not sign a changed body again'),
        h(
          'span',
          { class: 'hint' },
          'The signature is then that of the first body, as if somebody had changed it on the way.',
        ),
      ),
    ),
    h('div', { class: 'actions' }, button),
    said,
  );

  async function load(): Promise<void> {
    const mine = ++asked;
    said.textContent = '';
    try {
      const found = await post<Draft>('/api/draft', { connection: connection.value, kind: kind() });
      if (mine !== asked) return;
      draft = found;
      body.value = pretty(found.body);
    } catch (error) {
      if (mine === asked) said.textContent = (error as Error).message;
    }
  }

  async function go(): Promise<void> {
    button.disabled = true;
    said.textContent = '';
    const isChanged = draft && body.value !== pretty(draft.body);
    try {
      const { id } = await post<{ id: string }>('/api/send', {
        connection: connection.value,
        kind: kind(),
        ...(draft && { conversationId: draft.conversationId }),
        ...(isChanged && { body: body.value, keepSignature: keep.checked }),
      });
      location.hash = `#/story/${id}`;
    } catch (error) {
      said.textContent = (error as Error).message;
    }
    button.disabled = false;
  }

  void load();
  return {
    root: h(
      'div',
      { class: 'narrow' },
      h('h1', {}, 'Send a delivery'),
      h(
        'p',
        { class: 'lead' },
        'The page sends it as the CRM would, over HTTP, to the connection’s address. You then see its story.',
      ),
      form,
    ),
  };
}
