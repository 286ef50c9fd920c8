import { type PlannedTry, type State, WEATHERS } from '../view.ts';
import { get, post } from './api.ts';
import { deliveryList } from './deliveries.ts';
import { fill, h } from './dom.ts';
import type { View } from './view.ts';
import { duration, WEATHER } from './words.ts';

/** The switches that make something fail, and what a long outage would look like. */
export function weather(first: State): View {
  const polyai = h('div');
  const others = h('div');
  const list = h('div');
  const plan = h('div', { 'aria-live': 'polite' });
  const said = h('p', { role: 'alert', class: 'trouble' });
  const change = (body: unknown) => {
    said.textContent = '';
    post('/api/weather', body).catch((error) => {
      said.textContent = error.message;
    });
  };
  const showPlan = async () => fill(plan, outage(await get<PlannedTry[]>('/api/outage?hours=24')));
  const root = h(
    'div',
    {},
    h('h1', {}, 'Weather'),
    h(
      'p',
      { class: 'lead' },
      'Make something fail, send a delivery, and see it wait and recover. No close is lost: it stays on the queue.',
    ),
    said,
    h('section', {}, h('h2', {}, 'PolyAI'), polyai),
    h('section', {}, h('h2', {}, 'AWS'), others),
    h(
      'section',
      {},
      h('h2', {}, 'PolyAI is down for a day'),
      h(
        'p',
        { class: 'hint' },
        'Time is computed here, not waited for. The waits are the worker’s own: as long as the close has been tried, from 10 seconds up to an hour.',
      ),
      h('button', { type: 'button', click: () => void showPlan() }, 'Show the attempts of one close'),
      plan,
    ),
    h('section', {}, h('h2', {}, 'Deliveries'), list),
  );
  const update = (state: State) => {
    fill(
      polyai,
      state.weather.polyai === undefined
        ? h('p', { class: 'empty' }, 'This run uses a PolyAI of its own.')
        : polyaiSwitch(state.weather.polyai, change),
    );
    fill(
      others,
      toggle(
        'secretsFail',
        'Secrets Manager fails',
        'The receiver cannot read its secrets: it answers 503, and the CRM sends again later.',
        state.weather.secretsFail,
        change,
      ),
      toggle(
        'workerOff',
        'The worker is off',
        'Closes wait on the queue until it is on again.',
        state.weather.workerOff,
        change,
      ),
    );
    fill(list, deliveryList(state, 5));
  };
  update(first);
  return { root, update };
}

function polyaiSwitch(now: string, change: (body: unknown) => void): HTMLElement {
  return h(
    'div',
    { class: 'choices', role: 'group', 'aria-label': 'How PolyAI answers' },
    WEATHERS.map((each) =>
      h(
        'button',
        {
          type: 'button',
          id: `polyai-${each}`,
          class: 'tile',
          'aria-pressed': `${each === now}`,
          click: () => change({ polyai: each }),
        },
        h('strong', {}, WEATHER[each].name),
        h('span', {}, WEATHER[each].about),
      ),
    ),
  );
}

function toggle(
  key: string,
  name: string,
  about: string,
  isOn: boolean,
  change: (body: unknown) => void,
): HTMLElement {
  return h(
    'button',
    {
      type: 'button',
      id: `switch-${key}`,
      class: 'tile',
      role: 'switch',
      'aria-checked': `${isOn}`,
      click: () => change({ [key]: !isOn }),
    },
    h('strong', {}, `${name}: ${isOn ? 'yes' : 'no'}`),
    h('span', {}, about),
  );
}

function outage(plan: PlannedTry[]): HTMLElement {
  const last = plan.at(-1)?.at ?? 0;
  return h(
    'div',
    {},
    h(
      'p',
      {},
      `${plan.length - 1} attempts fail. The next one, ${duration(last)} after the first, is the first after the outage and closes the chat: at most an hour after PolyAI is back. Jitter adds up to 20 % to each wait.`,
    ),
    h(
      'ol',
      { class: 'plan' },
      plan.map(({ at, wait }, index) =>
        h(
          'li',
          { class: index === plan.length - 1 ? 'good' : 'wait' },
          h('span', { class: 'when' }, at === 0 ? 'at once' : `after ${duration(at)}`),
          h('span', {}, index === plan.length - 1 ? 'closed' : `fails, waits ${duration(wait)}`),
        ),
      ),
    ),
  );
}
