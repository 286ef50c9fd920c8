import type { State } from '../view.ts';
import { clock, h } from './dom.ts';
import { KINDS, resultOf } from './words.ts';

/** The list of deliveries. Each leads to its story. */
export function deliveryList({ deliveries, now }: State, most = 12): HTMLElement {
  if (deliveries.length === 0) return h('p', { class: 'empty' }, 'No delivery yet. Send one above.');
  return h(
    'ul',
    { class: 'rows' },
    deliveries.slice(0, most).map((each) => {
      const { look, text } = resultOf(each, now);
      return h(
        'li',
        {},
        h(
          'a',
          { id: `delivery-${each.id}`, href: `#/story/${each.id}` },
          h('span', { class: 'when' }, clock(each.at)),
          h('span', { class: 'who' }, `${each.connection} · ${KINDS[each.kind].name}`),
          h('span', { class: `badge ${look}` }, text),
        ),
      );
    }),
  );
}
