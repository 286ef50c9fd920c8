import type { State, Story } from '../view.ts';
import { get } from './api.ts';
import { deliveryList } from './deliveries.ts';
import { clock, code, copyButton, fill, h } from './dom.ts';
import type { View } from './view.ts';
import { KINDS, resultOf } from './words.ts';

/** Everything about one delivery; without an id the list of deliveries. */
export function story(first: State, id: string): View {
  const root = h('div');
  if (!id) {
    const update = (state: State) =>
      fill(
        root,
        h('h1', {}, 'Stories'),
        h('p', { class: 'lead' }, 'Every delivery of this run. Open one.'),
        deliveryList(state, 200),
      );
    update(first);
    return { root, update };
  }
  let known = '';
  const update = (state: State) => {
    const own = JSON.stringify(state.deliveries.find((each) => each.id === id));
    if (own === known) return;
    known = own;
    get<Story>(`/api/story?id=${encodeURIComponent(id)}`)
      .then((found) => {
        // An answer that comes after a newer question is out of date.
        if (own === known) fill(root, storyOf(found));
      })
      .catch((error) => fill(root, h('h1', {}, 'Story'), h('p', { class: 'trouble' }, error.message)));
  };
  update(first);
  return { root, update };
}

const MARKS = {
  ok: ['✓', 'good', 'passed'],
  bad: ['✗', 'bad', 'failed'],
  unknown: ['?', 'wait', 'not tried'],
} as const;

function storyOf(found: Story): HTMLElement[] {
  const { delivery, request, answer, message, attempts, lines, curl } = found;
  const proof = found.steps.filter(({ step }) => step === 'signature');
  const read = found.steps.filter(({ step }) => step !== 'signature');
  return [
    h('h1', {}, `${delivery.connection}: ${KINDS[delivery.kind].name.toLowerCase()} delivery`),
    verdict(found),
    h(
      'ol',
      { class: 'story' },
      part(
        'The request, as received',
        request
          ? [
              h('p', { class: 'id' }, `POST ${request.url}`),
              code(request.headers.map((each) => each.join(': ')).join('\n'), 'Headers'),
              code(request.body, 'Body'),
              curl
                ? h(
                    'details',
                    { id: 'curl' },
                    h('summary', {}, 'Repeat it in a terminal'),
                    copyButton(curl, 'Copy the curl line'),
                    code(curl, 'curl line'),
                  )
                : undefined,
            ]
          : 'It was not sent by this page, so its headers and body are not known: the adapter keeps neither.',
      ),
      part('Is it genuine?', proof.length > 0 ? steps(proof) : 'Not known here.'),
      part('What was read', [
        read.length > 0 ? steps(read) : undefined,
        h(
          'dl',
          {},
          h('dt', {}, 'The conversation id is read from'),
          h('dd', { class: 'id' }, found.selectors.conversationId),
          h('dt', {}, 'Finished means'),
          h('dd', { class: 'id' }, found.selectors.finished),
        ),
      ]),
      part(
        'The answer to the CRM',
        answer ? [h('p', {}, `${answer.status}`), code(answer.body, 'Answer')] : 'Not known here.',
      ),
      part(
        'The message on the queue',
        message
          ? [
              h('p', { class: 'hint' }, 'Ids only: nothing else of the body travels on.'),
              code(JSON.stringify(message), 'Message'),
            ]
          : 'Nothing was queued.',
      ),
      part(
        `Calls to PolyAI (${attempts.length})`,
        attempts.length === 0
          ? 'PolyAI was not called.'
          : attempts.map((each) =>
              h(
                'div',
                { class: 'attempt' },
                h('p', {}, `${clock(each.at)} → ${each.status || 'no answer'}`),
                code(`${each.request}\n\n${each.body}`, 'Request'),
                each.answer ? code(each.answer, 'Answer') : undefined,
              ),
            ),
      ),
      part(
        'The log lines',
        lines.length === 0
          ? 'None yet.'
          : h(
              'details',
              { id: 'lines' },
              h('summary', {}, `${lines.length} in CloudWatch Logs`),
              lines.map((line) => code(JSON.stringify(line), 'Log line')),
            ),
      ),
    ),
  ];
}

function verdict({ delivery, verdict: found }: Story): HTMLElement {
  const { look, text } = resultOf(delivery, Date.now());
  return h(
    'section',
    { class: `verdict ${found ? (found.isGood ? 'good' : look) : look}`, 'aria-label': 'Verdict' },
    h('p', { class: 'result' }, text),
    h('p', {}, found?.sentence ?? 'The log line has not come yet.'),
    found?.next ? h('p', {}, h('strong', {}, 'What to do: '), found.next) : undefined,
    h('p', { class: 'hint' }, found ? `Cause: ${found.cause}. The command why says the same.` : ''),
  );
}

function part(title: string, content: Parameters<typeof h>[2] | string): HTMLElement {
  return h(
    'li',
    {},
    h('h2', {}, title),
    typeof content === 'string' ? h('p', { class: 'hint' }, content) : content,
  );
}

export function steps(list: Story['steps']): HTMLElement {
  return h(
    'ul',
    { class: 'steps' },
    list.map(({ step, mark, sentence }) => {
      const [sign, look, word] = MARKS[mark];
      return h(
        'li',
        {},
        h('span', { class: `mark ${look}`, role: 'img', 'aria-label': word }, sign),
        h('span', {}, h('strong', {}, `${step}: `), ...sentenceOf(sentence)),
      );
    }),
  );
}

/** `explain` puts the signed bytes between the first line and what it found. */
const AROUND_BYTES =
  /^(.*):\n([\s\S]*)\. ((?:The (?:proof|signature) is right|Not verified|[a-z_]+: )[\s\S]*)$/;

function sentenceOf(sentence: string): HTMLElement[] {
  const [, before, bytes, found] = AROUND_BYTES.exec(sentence) ?? [];
  if (!before || !bytes || !found) return [h('span', { class: 'sentence' }, sentence)];
  return [
    h('span', { class: 'sentence' }, `${found} ${before}.`),
    h('details', { id: 'bytes' }, h('summary', {}, 'The signed bytes'), h('pre', {}, bytes)),
  ];
}
