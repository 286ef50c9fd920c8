import { type StationId, WAY } from '../stations.ts';
import type { DeliveryView, State } from '../view.ts';
import { fill, h } from './dom.ts';
import { WEATHER } from './words.ts';

type Fact = { fact: (state: State) => string; bad?: (state: State) => boolean };

const FACTS: Record<StationId, Fact> = {
  crm: { fact: (s) => count(s.deliveries.length, 'delivery', 'deliveries') },
  api: { fact: (s) => count(s.connections.length, 'connection', 'connections') },
  receiver: {
    fact: (s) => (s.weather.secretsFail ? 'cannot read its secrets' : `${at(s, 'receiver')} stopped here`),
    bad: (s) => s.weather.secretsFail,
  },
  queue: { fact: (s) => `${at(s, 'queue') + at(s, 'waiting')} in it` },
  worker: {
    fact: (s) => (s.weather.workerOff ? 'switched off' : `${at(s, 'done')} done`),
    bad: (s) => s.weather.workerOff,
  },
  polyai: { fact: polyaiFact, bad: (s) => (s.weather.polyai ?? 'up') !== 'up' },
  logs: { fact: (s) => count(s.lines, 'line', 'lines') },
};
const STATIONS = WAY.map((station) => ({ ...station, ...FACTS[station.id] }));

function polyaiFact({ chats, weather }: State): string {
  const open = `${chats.filter((chat) => chat.open).length} open`;
  const { polyai = 'up' } = weather;
  return polyai === 'up' ? open : `${open}, ${WEATHER[polyai].name}`;
}

const at = (state: State, place: string) => state.deliveries.filter((each) => each.place === place).length;
const count = (n: number, one: string, more: string) => `${n} ${n === 1 ? one : more}`;

/** Where on the way a delivery is. */
const STOPS: Record<DeliveryView['place'], StationId> = {
  sending: 'api',
  receiver: 'receiver',
  queue: 'queue',
  waiting: 'queue',
  done: 'logs',
};

/** The way of a delivery, with its deliveries moving along it. */
export function flow(first: State) {
  const root = h('ol', { class: 'flow', 'aria-label': 'The way of a delivery' });
  let stops = new Map(first.deliveries.map((each) => [each.id, STOPS[each.place]]));

  function update(state: State): void {
    fill(
      root,
      STATIONS.map(({ id, name, about, fact, bad }) =>
        h(
          'li',
          { class: bad?.(state) ? 'station troubled' : 'station', 'data-station': id },
          h('strong', {}, name),
          h('span', { class: 'about' }, about),
          h('span', { class: 'fact' }, fact(state)),
        ),
      ),
    );
    for (const each of state.deliveries) {
      const stop = STOPS[each.place];
      const from = stops.get(each.id) ?? 'crm';
      if (from !== stop) move(root, from, stop, each.place === 'receiver' && (each.status ?? 0) >= 400);
    }
    stops = new Map(state.deliveries.map((each) => [each.id, STOPS[each.place]]));
  }
  update(first);
  return { root, update };
}

/** Moves a dot from station to station. Those who want less motion see the numbers change only. */
function move(root: HTMLElement, from: StationId, to: StationId, isBad: boolean): void {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const ids = STATIONS.map(({ id }) => id);
  const way = ids.slice(ids.indexOf(from), ids.indexOf(to) + 1);
  const box = root.getBoundingClientRect();
  const frames = way.flatMap((id) => {
    const rect = root.querySelector(`[data-station="${id}"]`)?.getBoundingClientRect();
    return rect
      ? { transform: `translate(${rect.x - box.x + rect.width / 2 - 7}px, ${rect.y - box.y - 7}px)` }
      : [];
  });
  if (frames.length < 2) return;
  const dot = h('span', { class: isBad ? 'dot bad' : 'dot', 'aria-hidden': 'true' });
  root.parentElement?.querySelector('.dots')?.append(dot);
  dot
    .animate(frames, { duration: 450 * (frames.length - 1), easing: 'ease-in-out' })
    .finished.finally(() => dot.remove());
}
