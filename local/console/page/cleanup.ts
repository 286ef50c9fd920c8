import type { CleanupView, State } from '../view.ts';
import { post } from './api.ts';
import { fill, h } from './dom.ts';
import type { View } from './view.ts';

const IDLE_HOURS = 13;

/** What a cleanup would close and why, and a run of it. */
export function cleanup({ projects, weather }: State): View {
  return {
    root: h(
      'div',
      {},
      h('h1', {}, 'Cleanup'),
      h(
        'p',
        { class: 'lead' },
        'A cleanup finds the chats that no webhook closed. It reads PolyAI’s list of open chats and closes those in which nobody has written for long enough.',
      ),
      projects.map(({ name, hasCleanup }) => projectOf(name, hasCleanup, weather.polyai !== undefined)),
    ),
  };
}

function projectOf(project: string, hasCleanup: boolean, canOpen: boolean): HTMLElement {
  const result = h('div', { 'aria-live': 'polite' }, h('p', { class: 'empty' }, 'Not looked at yet.'));
  const attempt = (work: () => Promise<HTMLElement[]>) => () => {
    work()
      .then((found) => fill(result, found))
      .catch((error) => fill(result, h('p', { class: 'trouble' }, error.message)));
  };
  const look = (run: boolean) =>
    attempt(async () => shown(await post<CleanupView>('/api/cleanup', { project, run })));
  const open = attempt(async () => {
    await post('/api/chat', { project, idleHours: IDLE_HOURS });
    return shown(await post<CleanupView>('/api/cleanup', { project, run: false }));
  });
  return h(
    'section',
    {},
    h('h2', {}, `Project ${project}`),
    h(
      'div',
      { class: 'actions' },
      h('button', { type: 'button', class: 'main', click: look(false) }, 'Look, close nothing'),
      h('button', { type: 'button', click: look(true), disabled: !hasCleanup }, 'Run it'),
      h(
        'button',
        { type: 'button', click: open, disabled: !canOpen },
        `Open a chat that is ${IDLE_HOURS} hours old`,
      ),
    ),
    hasCleanup
      ? h('span')
      : h(
          'p',
          { class: 'hint' },
          'This project has no cleanup, so it cannot be run. The rules shown are the defaults of docs/cleanup.md, which shows how to add one.',
        ),
    result,
  );
}

function shown({ rule, chats, run }: CleanupView): HTMLElement[] {
  return [
    h('p', {}, rule),
    ...(run ? [h('p', { class: 'verdict good' }, run)] : []),
    chats.length === 0
      ? h('p', { class: 'empty' }, 'PolyAI lists no open chat.')
      : h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ['Chat', 'Would be', 'Why'].map((each) => h('th', { scope: 'col' }, each)),
            ),
          ),
          h(
            'tbody',
            {},
            chats.map(({ id, closes, why }) =>
              h(
                'tr',
                {},
                h('td', { class: 'id' }, id),
                h(
                  'td',
                  {},
                  h('span', { class: `badge ${closes ? 'wait' : 'calm'}` }, closes ? 'closed' : 'kept'),
                ),
                h('td', {}, why),
              ),
            ),
          ),
        ),
  ];
}
