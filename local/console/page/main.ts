import type { State } from '../view.ts';
import { cleanup } from './cleanup.ts';
import { connections } from './connections.ts';
import { fill, h } from './dom.ts';
import { overview } from './overview.ts';
import { send } from './send.ts';
import { story } from './story.ts';
import type { View } from './view.ts';
import { weather } from './weather.ts';
import { resultOf } from './words.ts';

const VIEWS: [path: string, name: string, make: (state: State, rest: string) => View][] = [
  ['overview', 'Overview', overview],
  ['send', 'Send', send],
  ['story', 'Stories', story],
  ['weather', 'Weather', weather],
  ['connections', 'Connections', connections],
  ['cleanup', 'Cleanup', cleanup],
];

const place = (id: string) => document.getElementById(id) as HTMLElement;
let state: State | undefined;
let current: View | undefined;
let shown = '';

function show(isMove: boolean): void {
  if (!state || location.hash === '#main') return;
  const [path = '', rest = ''] = location.hash.replace(/^#\/?/, '').split('/');
  const [name, title, make] = VIEWS.find(([each]) => each === path) ?? (VIEWS[0] as (typeof VIEWS)[0]);
  if (!isMove && shown === location.hash && current) return;
  shown = location.hash;
  current = make(state, decodeURIComponent(rest));
  document.title = `${title} · polyai-chat-closer`;
  fill(place('main'), current.root);
  fill(
    place('nav'),
    VIEWS.map(([each, text]) =>
      h('a', { id: `nav-${each}`, href: `#/${each}`, 'aria-current': each === name && 'page' }, text),
    ),
  );
  if (isMove) place('main').focus();
}

/** Says in words what has changed, for those who do not see it. */
function announce(old: State, next: State): void {
  const [newest] = next.deliveries;
  const before = old.deliveries.find(({ id }) => id === newest?.id);
  if (!newest || (before?.place === newest.place && before.result === newest.result)) return;
  place('news').textContent = `${newest.connection}: ${resultOf(newest, next.now).text}`;
}

const events = new EventSource('/events');
events.onmessage = ({ data }) => {
  const next: State = JSON.parse(data);
  if (state) announce(state, next);
  state = next;
  place('connection').textContent = '';
  show(false);
  current?.update?.(next);
};
events.onerror = () => {
  place('connection').textContent = 'No connection: is npm start still running?';
};
addEventListener('hashchange', () => show(true));
